/** compile: arguments, results, retracing, and a training that equals the eager one. */

import { describe, expect, test } from 'vitest';
import {
  compile,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts';
import { ENGINES, useEngine } from './engines.ts';

const { Dropout, Linear, Sequential } = nn;
const leaf = (...values: number[]) => tensor(values, { requires_grad: true });

describe.each(ENGINES)('on %s', (_, engine) => {
  useEngine(engine);

  describe('arguments and results', () => {
    test('every kind of result comes back in its shape', () => {
      const x = tensor([2]);
      expect(compile(() => undefined).sync()).toBeUndefined();
      expect(
        compile((a: Tensor) => a.mul(2))
          .sync(x)
          .item(),
      ).toBe(4);
      const [p, q] = compile((a: Tensor) => [a, a.add(1)] as const).sync(x);
      expect([p!.item(), q!.item()]).toEqual([2, 3]);
      const { loss, twice } = compile((a: Tensor) => ({ loss: a, twice: a.add(a) })).sync(x);
      expect([loss.item(), twice.item()]).toEqual([2, 4]);
    });

    test('an argument, a captured tensor, state or one tensor twice may be returned', () => {
      const x = tensor([2]);
      const captured = tensor([5]);
      const w = leaf(1);
      const f = compile(
        (a: Tensor) => {
          const y = a.mul(3);
          noGrad(() => w.add_(1));
          return [a, captured, w, y, y] as const;
        },
        { state: [w] },
      );
      const results = f.sync(x).map((result) => result.item());
      expect(results).toEqual([2, 5, 2, 6, 6]);
      expect(f.sync(x)[2].item()).toBe(3);
    });

    test('results are buffers of their own: a later call leaves them alone', () => {
      const w = leaf(0);
      const f = compile(() => noGrad(() => w.add_(1).mul(1)), { state: [w] });
      const results = [f.sync(), f.sync(), f.sync()];
      expect(results.map((result) => result.item())).toEqual([1, 2, 3]);
    });

    test('lazy arguments are computed first, and one tensor may be given twice', () => {
      const f = compile((a: Tensor, b: Tensor) => a.mul(b));
      const lazy = tensor([3]).add(1);
      expect(f.sync(lazy, lazy).item()).toBe(16);
    });

    test('state tensors may change places', () => {
      const [a, b] = [tensor([1, 2]), tensor([3, 4])];
      const swap = compile(
        () => {
          const old = a.detach();
          a.copy_(b);
          b.copy_(old);
        },
        { state: [a, b] },
      );
      swap.sync();
      expect([a.tolist(), b.tolist()]).toEqual([
        [3, 4],
        [1, 2],
      ]);
      swap.sync();
      expect([a.tolist(), b.tolist()]).toEqual([
        [1, 2],
        [3, 4],
      ]);
    });

    test('calls that are not awaited run in order', async () => {
      const w = leaf(1);
      const f = compile((x: Tensor) => noGrad(() => w.mul_(2).add_(x).mul(1)), { state: [w] });
      const results = await Promise.all([1, 2, 3].map((x) => f(tensor([x]))));
      expect(results.map((result) => result.item())).toEqual([3, 8, 19]);
      expect(w.item()).toBe(19);
    });

    test('inspect shows the Program without running it', () => {
      const f = compile((x: Tensor) => x.mul(2).add(1));
      const { program, memory, plan } = f.inspect(tensor([1, 2]));
      expect(program).toContain('pointwise[const mul const add]');
      expect(memory.binding_bytes).toBe(16);
      expect(plan).not.toBe('');
    });

    test('after dispose the step is traced again', () => {
      const f = compile((x: Tensor) => x.mul(2));
      f.sync(tensor([1]));
      f.dispose();
      expect(f.sync(tensor([4])).item()).toBe(8);
    });
  });

  describe('retracing', () => {
    test('tells which argument changed, and remembers earlier shapes', () => {
      const reasons: string[] = [];
      const f = compile((x: Tensor, y: Tensor) => x.sum().add(y.sum()), {
        name: 'total',
        onRetrace: (reason) => reasons.push(reason),
      });
      const y = zeros([2]);
      f.sync(zeros([3]), y);
      f.sync(zeros([3]), y);
      f.sync(zeros([4]), y);
      f.sync(zeros([3]), y);
      f.sync(zeros([4], { dtype: 'float64' }), y);
      expect(reasons).toEqual([
        'compile(total) is traced again: argument 0: float32 (4,)',
        'compile(total) is traced again: argument 0: float64 (4,)',
      ]);
    });

    test('happens when an option of the optimizer changes', () => {
      const w = leaf(1);
      const sgd = new optim.SGD([w], { lr: 1 });
      const reasons: string[] = [];
      const step = compile(
        () => {
          sgd.zeroGrad();
          w.mul(2).sum().backward();
          sgd.step();
        },
        { state: [sgd], onRetrace: (reason) => reasons.push(reason) },
      );
      step.sync();
      sgd.param_groups[0]!.maximize = true;
      step.sync();
      expect(w.item()).toBe(1);
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toContain('"maximize",true');
    });
  });

  test('a whole training equals the eager one, number by number', () => {
    const train = (compiled: boolean): number[] => {
      manualSeed(3);
      const model = new Sequential([
        new Linear({ in_features: 4, out_features: 8 }),
        new nn.Tanh(),
        new Dropout({ p: 0.25 }),
        new Linear({ in_features: 8, out_features: 3 }),
      ]);
      const sgd = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weight_decay: 0.01 });
      const loss = new nn.CrossEntropyLoss({ label_smoothing: 0.1 });
      const once = (x: Tensor, y: Tensor) => {
        sgd.zeroGrad();
        const value = loss.call(model.call(x), y);
        value.backward();
        sgd.step();
        return value;
      };
      const step = compiled ? compile(once, { state: [model, sgd] }).sync : once;
      const y = tensor([0, 1, 2, 1, 0], { dtype: 'int64' });
      return [0, 1, 2, 3, 4].map(() => step(rand([5, 4]), y).item());
    };
    const eager = train(false);
    const compiled = train(true);
    for (const [i, value] of eager.entries()) expect(compiled[i]).toBeCloseTo(value, 5);
    expect(eager[4]).not.toBe(eager[0]);
  });
});
