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
        expect(sgd.steps).toBe(5);
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
        expect(sgd.steps).toBe(5);
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

  test('is listed by position, as in PyTorch', () => {
    const dict = make().stateDict();
    expect(Object.keys(dict.state[0]!)).toEqual(['momentum_buffer']);
    expect(dict.param_groups).toEqual([
      {
        lr: 0.1,
        momentum: 0.9,
        dampening: 0,
        weight_decay: 0,
        nesterov: false,
        maximize: false,
        params: [0],
      },
    ]);
  });

  test('that does not fit is refused', () => {
    const sgd = make();
    const dict = sgd.stateDict();
    expect(() => sgd.loadStateDict({ ...dict, param_groups: [] })).toThrow(
      '[SGD.loadStateDict] 0 parameter groups instead of 1',
    );
    expect(() => sgd.loadStateDict({ ...dict, state: {} })).toThrow(
      '[SGD.loadStateDict] momentum_buffer of parameter 0 is missing',
    );
    const other = new optim.SGD([leaf([1])], { momentum: 0.9 }).stateDict();
    expect(() => sgd.loadStateDict(other)).toThrow(
      '[SGD.loadStateDict] momentum_buffer of parameter 0 has shape (1,), needs (3,)',
    );
  });

  test('the trace key follows every option but the learning rate', () => {
    const sgd = make();
    const key = sgd.traceKey();
    sgd.param_groups[0]!.lr = 7;
    expect(sgd.traceKey()).toBe(key);
    sgd.param_groups[0]!.weight_decay = 0.1;
    expect(sgd.traceKey()).not.toBe(key);
  });

  test('momentum that comes too late is refused', () => {
    const p = leaf();
    const sgd = new optim.SGD([p], { lr: 0.1 });
    sgd.param_groups[0]!.momentum = 0.9;
    p.grad = gradientOf(recorded.gradients[0]!);
    expect(() => sgd.step()).toThrow(
      '[SGD] momentum was 0 when the optimizer was made and is 0.9 now; make a new one',
    );
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
