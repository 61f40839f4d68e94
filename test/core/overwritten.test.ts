/** What is left of a value when a compiled step overwrites the buffer it was in. */

import { describe, expect, it } from 'vitest';
import { CompileError } from '../../src/base/errors.ts';
import { compile, nn, optim, tensor } from '../../src/index.ts';

function counter() {
  const count = tensor([0]);
  const step = compile(
    (): undefined => {
      count.add_(1);
    },
    { state: [count], name: 'count' },
  );
  return { count, step };
}

describe('a tensor that a compiled step updates', () => {
  it('has the new value after every call', () => {
    const { count, step } = counter();
    for (let i = 1; i <= 4; i++) {
      step.sync();
      expect(count.item()).toBe(i);
    }
    step.sync();
    step.sync();
    expect(count.add(10).item()).toBe(16);
  });

  it('is read as of the call, whatever is queued before the answer', async () => {
    const { count, step } = counter();
    step.sync();
    const asked = count.data();
    const done = step();
    const again = count.data();
    await done;
    expect([(await asked)[0], (await again)[0]]).toEqual([1, 2]);
  });

  it('leaves a void value to whoever was still to compute from the old one', () => {
    const { count, step } = counter();
    for (let round = 0; round < 3; round++) {
      step.sync();
      const later = count.mul(2);
      const detached = count.detach();
      step.sync();
      expect(() => later.item()).toThrow(CompileError);
      expect(() => detached.item()).toThrow(CompileError);
    }
    expect(count.item()).toBe(6);
  });

  it('is captured by another step as it is at each call', () => {
    const { count, step } = counter();
    const doubled = compile(() => count.mul(2), { name: 'double' });
    const seen = [1, 2, 3].map(() => {
      step.sync();
      step.sync();
      return doubled.sync().item();
    });
    expect(seen).toEqual([4, 8, 12]);
  });
});

describe('a compiled step is traced again', () => {
  function training() {
    const model = nn.build({ type: 'Linear', in_features: 2, out_features: 1 });
    const optimizer = optim.build({ type: 'SGD', lr: 0.1, momentum: 0.9 }, model.parameters());
    const reasons: string[] = [];
    const step = compile(
      (x) => {
        optimizer.zeroGrad();
        const loss = model.call(x).sum();
        loss.backward();
        optimizer.step();
        return loss;
      },
      { state: [model, optimizer], onRetrace: (reason) => reasons.push(reason) },
    );
    const x = tensor([[1, 2]]);
    return { model, optimizer, reasons, run: () => step.sync(x).item() };
  }

  it.each<[string, (t: ReturnType<typeof training>) => void]>([
    ['train() and eval()', ({ model }) => model.eval()],
    [
      'the field training',
      ({ model }) => {
        model.training = false;
      },
    ],
    ['a frozen parameter', ({ model }) => model.parameters()[1]!.requires_grad_(false)],
    [
      "an optimizer's option",
      ({ optimizer }) => {
        optimizer.param_groups[0]!.momentum = 0.5;
      },
    ],
  ])('after a change of %s, once', (_, change) => {
    const t = training();
    t.run();
    t.run();
    expect(t.reasons).toHaveLength(0);
    change(t);
    t.run();
    t.run();
    expect(t.reasons).toHaveLength(1);
  });

  it('but not after a change of the learning rate', () => {
    const t = training();
    const [first, second] = [t.run(), t.run()];
    t.optimizer.param_groups[0]!.lr = 0;
    t.run();
    const third = t.run();
    expect(t.reasons).toHaveLength(0);
    expect(second).toBeLessThan(first!);
    expect(t.run()).toBe(third);
  });
});
