/** What a recorded step must read anew at every call, trap by trap. */

import { describe, expect, test } from 'vitest';
import {
  compile,
  generatorState,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { ENGINES, useEngine } from './engines.ts';

const { Dropout, Linear, Sequential } = nn;
const leaf = (...values: number[]) => tensor(values, { requires_grad: true });
const quiet = () => {};

/** A step that adds one to `w` and returns nothing. */
const add = (w: Tensor): void => {
  noGrad(() => w.add_(1));
};

describe.each(ENGINES)('on %s', (_, engine) => {
  useEngine(engine);

  describe('what changes between calls is read anew', () => {
    test('the learning rate', async () => {
      const w = leaf(1);
      const sgd = new optim.SGD([w], { lr: 1 });
      const step = compile(
        () => {
          sgd.zeroGrad();
          w.mul(2).sum().backward();
          sgd.step();
        },
        { state: [sgd] },
      );
      await step();
      expect(w.item()).toBe(-1);
      sgd.param_groups[0]!.lr = 0.25;
      await step();
      expect(w.item()).toBe(-1.5);
    });

    test('a captured tensor that was rebound', () => {
      const scale = tensor([2]);
      const f = compile((x: Tensor) => x.mul(scale));
      expect(f.sync(tensor([3])).item()).toBe(6);
      scale.fill_(10);
      expect(f.sync(tensor([3])).item()).toBe(30);
      scale.add_(1);
      expect(f.sync(tensor([3])).item()).toBe(33);
    });

    test('another tensor over the same value is not followed', () => {
      const scale = tensor([2]);
      const twin = scale.reshape([1]);
      const f = compile((x: Tensor) => x.mul(scale));
      f.sync(tensor([3]));
      twin.fill_(50);
      expect(f.sync(tensor([3])).item()).toBe(6);
    });

    test('a captured tensor that another compiled step updates', () => {
      const w = leaf(1);
      const update = compile(() => add(w), { state: [w] });
      const read = compile(() => w.mul(10));
      expect(read.sync().item()).toBe(10);
      update.sync();
      update.sync();
      expect(read.sync().item()).toBe(30);
    });

    test('state that was changed by hand', () => {
      const w = leaf(1);
      const step = compile(() => noGrad(() => w.mul_(3).mul(1)), { state: [w] });
      expect(step.sync().item()).toBe(3);
      noGrad(() => w.fill_(5));
      expect(step.sync().item()).toBe(15);
      expect(w.item()).toBe(15);
    });

    test("a momentum's first step, counted by the optimizer", () => {
      const history = (run: (step: () => void, sgd: optim.SGD) => () => void) => {
        const w = tensor([1], { dtype: 'float64', requires_grad: true });
        const sgd = new optim.SGD([w], { lr: 0.1, momentum: 0.5, dampening: 0.5 });
        const step = run(() => {
          sgd.zeroGrad();
          w.mul(w).sum().backward();
          sgd.step();
        }, sgd);
        return [0, 1, 2].map(() => {
          step();
          return w.item();
        });
      };
      const eager = history((step) => step);
      const compiled = history((step, sgd) => compile(step, { state: [sgd] }).sync);
      for (const [i, value] of eager.entries()) expect(compiled[i]).toBeCloseTo(value, 14);
    });

    test('module.eval(), when the module is part of the state', () => {
      const model = new Sequential([new Dropout({ p: 0.5 })]);
      const reasons: string[] = [];
      const f = compile((x: Tensor) => model.call(x), {
        state: [model],
        onRetrace: (reason) => reasons.push(reason),
      });
      manualSeed(0);
      const x = tensor(new Float32Array(64).fill(1));
      expect(f.sync(x).eq(0).sum().item()).toBeGreaterThan(0);
      model.eval();
      expect(f.sync(x).tolist()).toEqual(x.tolist());
      expect(reasons).toEqual(['compile(step) is traced again: modes ee requires_grad ']);
      model.train();
      expect(f.sync(x).eq(0).sum().item()).toBeGreaterThan(0);
      expect(reasons).toHaveLength(1);
    });

    test('module.eval(), when the module is only called', () => {
      const model = new Sequential([new Dropout({ p: 0.5 })]);
      const f = compile((x: Tensor) => model.call(x), { onRetrace: quiet });
      const x = tensor(new Float32Array(64).fill(1));
      f.sync(x);
      model.eval();
      expect(f.sync(x).tolist()).toEqual(x.tolist());
    });

    test('a parameter that is frozen', () => {
      const model = new Linear({ in_features: 1, out_features: 1, bias: false });
      const sgd = new optim.SGD(model.parameters(), { lr: 1 });
      const step = compile(
        (x: Tensor) => {
          sgd.zeroGrad();
          const loss = model.call(x).sum();
          if (loss.requires_grad) loss.backward();
          sgd.step();
          return loss;
        },
        { state: [model, sgd], onRetrace: quiet },
      );
      const x = tensor([[1]]);
      step.sync(x);
      const trained = model.weight.item();
      model.requires_grad_(false);
      step.sync(x);
      expect(model.weight.item()).toBe(trained);
    });
  });

  describe('random numbers', () => {
    test('differ at each call and equal the eager ones', () => {
      const draw = () => [rand([3]), rand([2])] as const;
      manualSeed(11);
      const eager = [0, 1, 2].map(() => draw().map((x) => x.tolist()));
      const state = generatorState();
      manualSeed(11);
      const step = compile(draw);
      const compiled = [0, 1, 2].map(() => step.sync().map((x) => x.tolist()));
      expect(compiled).toEqual(eager);
      expect(compiled[1]).not.toEqual(compiled[0]);
      expect(generatorState()).toEqual(state);
    });

    test('follow a seed that is set between calls', () => {
      const step = compile(() => rand([3]));
      manualSeed(1);
      const first = step.sync().tolist();
      manualSeed(2);
      expect(step.sync().tolist()).not.toEqual(first);
      manualSeed(1);
      expect(step.sync().tolist()).toEqual(first);
    });
  });
});
