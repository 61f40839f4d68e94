/** SGD against PyTorch's own steps, and what all optimizers share. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, optim, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

const FILE = new URL('../fixtures/torch/training.json', import.meta.url);
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as {
  start: number[];
  gradients: number[][];
  sgd: { options: Partial<optim.SGDOptions>; history: number[][] }[];
  groups: number[][][];
};

const leaf = (values = recorded.start) => tensor(values, { dtype: 'float64', requires_grad: true });
const gradientOf = (values: number[]) => tensor(values, { dtype: 'float64' });

function expectNear(actual: Tensor, expected: readonly number[]): void {
  for (const [i, value] of (actual.tolist() as number[]).entries()) {
    expect(value).toBeCloseTo(expected[i]!, 12);
  }
}

describe.each(ENGINES)('on %s', (_, engine) => {
  const on = <T>(body: () => T): T => withEngine(engine, body);

  test.each(recorded.sgd.map((entry) => [JSON.stringify(entry.options), entry] as const))(
    'eager, %s',
    (__, { options, history }) => {
      on(() => {
        const p = leaf();
        const sgd = new optim.SGD([p], options);
        for (const [i, gradient] of recorded.gradients.entries()) {
          p.grad = gradientOf(gradient);
          sgd.step();
          expectNear(p, history[i]!);
        }
        expect(sgd.stepsOf(p)).toBe(5);
      });
    },
  );

  test.each(recorded.sgd.map((entry) => [JSON.stringify(entry.options), entry] as const))(
    'compiled, %s',
    (__, { options, history }) => {
      on(() => {
        const p = leaf();
        const sgd = new optim.SGD([p], options);
        const step = compile(
          (gradient: Tensor) => {
            p.grad = gradient;
            sgd.step();
          },
          { state: [sgd] },
        );
        for (const [i, gradient] of recorded.gradients.entries()) {
          step.sync(gradientOf(gradient));
          expectNear(p, history[i]!);
        }
        expect(sgd.stepsOf(p)).toBe(5);
      });
    },
  );

  test('groups have options of their own', () => {
    on(() => {
      const [a, b] = [leaf(), leaf()];
      const groups = [{ params: [a] }, { params: [b], lr: 0.01, weight_decay: 0.5 }];
      const sgd = new optim.SGD(groups, { lr: 0.1, momentum: 0.9 });
      for (const [i, gradient] of recorded.gradients.entries()) {
        for (const p of [a, b]) p.grad = gradientOf(gradient);
        sgd.step();
        expectNear(a, recorded.groups[i]![0]!);
        expectNear(b, recorded.groups[i]![1]!);
      }
    });
  });

  test('a saved state goes on where it was', () => {
    on(() => {
      const options = { lr: 0.1, momentum: 0.9, dampening: 0.25 };
      const run = (p: Tensor, sgd: optim.SGD, from: number, to: number) => {
        for (const gradient of recorded.gradients.slice(from, to)) {
          p.grad = gradientOf(gradient);
          sgd.step();
        }
      };
      const p = leaf();
      const sgd = new optim.SGD([p], options);
      run(p, sgd, 0, 2);
      const q = leaf(p.tolist() as number[]);
      const resumed = new optim.SGD([q], { lr: 9, momentum: 0.5 });
      resumed.loadStateDict(sgd.stateDict());
      run(p, sgd, 2, 5);
      run(q, resumed, 2, 5);
      expectNear(q, p.tolist() as number[]);
      expect(resumed.param_groups[0]).toMatchObject(options);
    });
  });

  test('the learning rate of a float64 parameter is not rounded to float32', () => {
    on(() => {
      const p = leaf([0]);
      const sgd = new optim.SGD([p], { lr: 0.1 });
      p.grad = gradientOf([1]);
      sgd.step();
      expect(p.item()).toBe(-0.1);
    });
  });
});

describe('parameters', () => {
  test('without a gradient stay as they are', () => {
    const [a, b] = [leaf(), leaf()];
    const sgd = new optim.SGD([a, b], { lr: 1, weight_decay: 0.5 });
    a.grad = gradientOf([1, 1, 1]);
    sgd.step();
    expectNear(b, recorded.start);
    sgd.zeroGrad();
    expect(a.grad).toBeNull();
  });

  test.each<[string, () => unknown, string]>([
    ['none', () => new optim.SGD([]), '[optim] there are no parameters to optimise'],
    ['an empty group', () => new optim.SGD([{ params: [] }]), '[SGD] a parameter group is empty'],
    [
      'what is no leaf',
      () => new optim.SGD([leaf().mul(2)]),
      '[SGD] can only optimise leaf tensors',
    ],
    [
      'one twice',
      () => {
        const p = leaf();
        return new optim.SGD([{ params: [p] }, { params: [p] }]);
      },
      '[SGD] a parameter is given twice',
    ],
    [
      'a negative rate in a group',
      () => new optim.SGD([{ params: [leaf()], lr: -1 }]),
      '[SGD] lr must not be negative, got -1',
    ],
    [
      'nesterov without momentum',
      () => new optim.SGD([leaf()], { nesterov: true }),
      '[SGD] nesterov needs a momentum and no dampening',
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('state', () => {
  const make = () => new optim.SGD([leaf()], { lr: 0.1, momentum: 0.9 });
  const stepped = () => {
    const sgd = make();
    sgd.param_groups[0]!.params[0]!.grad = gradientOf([1, 1, 1]);
    sgd.step();
    return sgd;
  };

  test('is listed by position once there was a step, as in PyTorch', () => {
    expect(make().stateDict().state).toEqual({});
    const dict = stepped().stateDict();
    expect(Object.keys(dict.state[0]!)).toEqual(['momentum_buffer']);
    expect(dict.param_groups).toEqual([
      {
        lr: 0.1,
        momentum: 0.9,
        dampening: 0,
        weight_decay: 0,
        nesterov: false,
        maximize: false,
        foreach: null,
        differentiable: false,
        fused: null,
        params: [0],
      },
    ]);
  });

  test('that does not fit is refused', () => {
    const sgd = stepped();
    const dict = sgd.stateDict();
    expect(() => sgd.loadStateDict({ ...dict, param_groups: [] })).toThrow(
      '[SGD.loadStateDict] 0 parameter groups instead of 1',
    );
    const state = (saved: Record<string, Tensor>) => ({ ...dict, state: { 0: saved } });
    expect(() => sgd.loadStateDict(state({ step: tensor(1) }))).toThrow(
      '[SGD.loadStateDict] momentum_buffer of parameter 0 is missing',
    );
    expect(() => sgd.loadStateDict(state({ momentum_buffer: tensor([1]) }))).toThrow(
      '[SGD.loadStateDict] momentum_buffer of parameter 0 has shape (1,), needs (3,)',
    );
    expectNear(sgd.stateDict().state[0]!.momentum_buffer as Tensor, [1, 1, 1]);
  });

  test('of a parameter that took no step begins anew', () => {
    const sgd = stepped();
    sgd.loadStateDict({ ...sgd.stateDict(), state: {} });
    expect(sgd.stateDict().state).toEqual({});
  });

  test('the trace key follows every option but the learning rate', () => {
    const sgd = make();
    const key = sgd.traceKey();
    sgd.param_groups[0]!.lr = 7;
    expect(sgd.traceKey()).toBe(key);
    sgd.param_groups[0]!.weight_decay = 0.1;
    expect(sgd.traceKey()).not.toBe(key);
  });

  test('a momentum that comes later begins with the gradient', () => {
    const p = leaf([0]);
    const sgd = new optim.SGD([p], { lr: 1 });
    const step = (gradient: number) => {
      p.grad = gradientOf([gradient]);
      sgd.step();
      return p.item();
    };
    expect(step(1)).toBe(-1);
    sgd.param_groups[0]!.momentum = 0.5;
    expect([step(1), step(1)]).toEqual([-2, -3.5]);
  });

  test('build makes an optimizer from a spec, and names the nearest key', () => {
    const sgd = optim.build({ type: 'SGD', lr: 0.5, momentum: 0.9 }, [leaf()]);
    expect(sgd).toBeInstanceOf(optim.SGD);
    expect(sgd.param_groups[0]).toMatchObject({ lr: 0.5, momentum: 0.9, nesterov: false });
    expect(() => optim.build({ type: 'SGD', momentun: 0.9 }, [leaf()])).toThrow(
      'did you mean "momentum"?',
    );
  });
});
