/** Adam and AdamW against PyTorch's own steps. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withOff } from '../../src/engine/switches.ts';
import { compile, optim, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

interface Recorded {
  kind: 'Adam' | 'AdamW';
  options: optim.AdamOptions;
  float64: number[][];
  float32: number[][];
  /** After the last step in float64. */
  state: Record<string, number | number[]>;
}

const FILE = new URL('../fixtures/torch/training.json', import.meta.url);
const { start, gradients, adam } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  start: number[];
  gradients: number[][];
  adam: Recorded[];
};
const STEPS = [...gradients, ...gradients, ...gradients];
const named = adam.map(
  (entry) => [`${entry.kind} ${JSON.stringify(entry.options)}`, entry] as const,
);

type Dtype = 'float64' | 'float32';
const TOLERANCE = { float64: 1e-12, float32: 1e-6 } as const;

function make({ kind, options }: Recorded, dtype: Dtype) {
  const p = tensor(start, { dtype, requires_grad: true });
  return { p, optimizer: new optim[kind]([p], options) };
}

function expectNear(actual: Tensor, expected: readonly number[], tolerance: number): void {
  for (const [i, value] of (actual.tolist() as number[]).entries()) {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(tolerance);
  }
}

describe.each(ENGINES)('on %s', (_, engine) => {
  const on = <T>(body: () => T): T => withEngine(engine, body);

  describe.each(['float64', 'float32'] as const)('in %s', (dtype) => {
    test.each(named)('eager, %s', (__, entry) => {
      on(() => {
        const { p, optimizer } = make(entry, dtype);
        for (const [i, gradient] of STEPS.entries()) {
          p.grad = tensor(gradient, { dtype });
          optimizer.step();
          expectNear(p, entry[dtype][i]!, TOLERANCE[dtype]);
        }
      });
    });

    test.each(named)('compiled, %s', (__, entry) => {
      on(() => {
        const { p, optimizer } = make(entry, dtype);
        const step = compile(
          (gradient: Tensor) => {
            p.grad = gradient;
            optimizer.step();
          },
          { state: [optimizer] },
        );
        for (const [i, gradient] of STEPS.entries()) {
          step.sync(tensor(gradient, { dtype }));
          expectNear(p, entry[dtype][i]!, TOLERANCE[dtype]);
        }
      });
    });
  });

  test.each(named)('keeps the state of %s', (__, entry) => {
    on(() => {
      const { p, optimizer } = make(entry, 'float64');
      for (const gradient of STEPS) {
        p.grad = tensor(gradient, { dtype: 'float64' });
        optimizer.step();
      }
      const { state } = optimizer.stateDict();
      expect(Object.keys(state[0]!).sort()).toEqual(Object.keys(entry.state).sort());
      for (const [name, expected] of Object.entries(entry.state)) {
        const kept = state[0]![name] as Tensor;
        expectNear(kept.flatten(), [expected].flat(), 1e-12);
        expect(kept.dtype).toBe(name === 'step' ? 'float32' : 'float64');
      }
    });
  });

  test('a saved state goes on where it was', () => {
    on(() => {
      const entry = adam.find(({ options }) => options.amsgrad)!;
      const run = ({ p, optimizer }: ReturnType<typeof make>, from: number, to: number) => {
        for (const gradient of STEPS.slice(from, to)) {
          p.grad = tensor(gradient, { dtype: 'float32' });
          optimizer.step();
        }
      };
      const whole = make(entry, 'float32');
      run(whole, 0, 6);
      const resumed = make(entry, 'float32');
      resumed.p.requires_grad_(false).copy_(whole.p.detach()).requires_grad_();
      resumed.optimizer.loadStateDict(whole.optimizer.stateDict());
      run(whole, 6, 12);
      run(resumed, 6, 12);
      expect(resumed.p.tolist()).toEqual(whole.p.tolist());
    });
  });
});

/** A compiled optimizer over parameters of odd sizes; their values after three steps. */
function trained(build: (params: Tensor[]) => optim.Optimizer, off: readonly string[]) {
  return withOff(off, () => {
    const fill = (size: number, k: number) =>
      tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i * k + size)));
    const params = [1, 17, 1000, 40_003].map((size) => fill(size, 0.7).requires_grad_());
    const optimizer = build(params);
    const step = compile(
      (...given: Tensor[]) => {
        for (const [i, p] of params.entries()) p.grad = given[i]!;
        optimizer.step();
      },
      { state: [optimizer] },
    );
    for (let k = 1; k <= 3; k++) step.sync(...params.map((p) => fill(p.numel(), 0.3 * k)));
    const { program, plan } = step.inspect(...params.map((p) => fill(p.numel(), 1)));
    return {
      values: optimizer.stateTensors().map((x) => x.tolist()),
      program,
      copies: plan.split('\n').filter((line) => line.startsWith('copy')),
    };
  });
}

describe.each<[string, (params: Tensor[]) => optim.Optimizer]>([
  ['SGD', (params) => new optim.SGD(params, { lr: 0.1, weight_decay: 0.01, momentum: 0.9 })],
  ['nesterov', (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true })],
  ['plain SGD', (params) => new optim.SGD(params, { lr: 0.1, maximize: true })],
  ['Adam', (params) => new optim.Adam(params, { amsgrad: true, weight_decay: 0.01 })],
  ['AdamW', (params) => new optim.AdamW(params)],
])('%s in one pass', (_, build) => {
  test('gives the bits of the same update op by op, in place', () => {
    const fused = trained(build, []);
    const composite = trained(build, ['fused_optimizer']);
    expect(fused.program.match(/ = fused_(sgd|adam)/g)).toHaveLength(1);
    expect(composite.program).not.toContain('fused_');
    expect(fused.values).toEqual(composite.values);
    expect(fused.copies).toEqual([]);
  });
});

describe('options', () => {
  const leaf = () => tensor(start, { requires_grad: true });

  test('that choose among equal ways to compute are taken', () => {
    const adam = optim.build(
      { type: 'AdamW', foreach: null, fused: true, capturable: false, betas: [0.8, 0.9] },
      [leaf()],
    );
    expect(adam).toBeInstanceOf(optim.AdamW);
    expect(adam.param_groups[0]).toMatchObject({
      lr: 0.001,
      betas: [0.8, 0.9],
      eps: 1e-8,
      weight_decay: 0.01,
      decoupled_weight_decay: true,
    });
  });

  test.each<[string, object, string]>([
    ['a beta of 1', { betas: [0.9, 1] }, '[Adam] betas.1: '],
    ['one beta', { betas: [0.9] }, '[Adam] betas: '],
    ['a negative eps', { eps: -1 }, '[Adam] eps: '],
    ['an unknown key', { beta: 0.9 }, 'did you mean "betas"?'],
  ])('refuses %s', (_, options, message) => {
    expect(() => new optim.Adam([leaf()], options)).toThrow(message);
  });
});
