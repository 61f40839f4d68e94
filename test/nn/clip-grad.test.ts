/** Clipped gradients against PyTorch's. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withOff } from '../../src/engine/switches.ts';
import { compile, nn, optim, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

const { clipGradNorm_, clipGradValue_ } = nn.utils;

const FILE = new URL('../fixtures/torch/training.json', import.meta.url);
const { clip } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  clip: {
    gradients: number[][];
    norm: { norm_type: number | string; max_norm: number; total: number; after: number[][] }[];
    value: { clip_value: number; after: number[][] }[];
  };
};

function holders(): Tensor[] {
  return clip.gradients.map((gradient) => {
    const p = tensor(
      gradient.map(() => 0),
      { dtype: 'float64', requires_grad: true },
    );
    p.grad = tensor(gradient, { dtype: 'float64' });
    return p;
  });
}

function expectGradients(actual: readonly Tensor[], expected: readonly number[][]): void {
  for (const [i, p] of actual.entries()) {
    for (const [k, value] of (p.grad!.tolist() as number[]).entries()) {
      expect(value).toBeCloseTo(expected[i]![k]!, 12);
    }
  }
}

describe.each(ENGINES)('on %s', (_, engine) => {
  test.each(clip.norm)('norm $norm_type to $max_norm', ({ norm_type, max_norm, total, after }) => {
    for (const off of [[], ['fused_optimizer']]) {
      withOff(off, () =>
        withEngine(engine, () => {
          const made = holders();
          const norm = clipGradNorm_(made, max_norm, { norm_type: Number(norm_type) });
          expect(norm.item()).toBeCloseTo(total, 12);
          expectGradients(made, after);
        }),
      );
    }
  });

  test.each(clip.value)('values to $clip_value', ({ clip_value, after }) => {
    withEngine(engine, () => {
      const made = holders();
      clipGradValue_(made, clip_value);
      expectGradients(made, after);
    });
  });
});

test('is folded into the update of a compiled step, and changes nothing there', () => {
  const run = (off: readonly string[]) =>
    withOff(off, () => {
      const p = tensor([1, 2, 3], { requires_grad: true });
      const q = tensor([-1], { requires_grad: true });
      const sgd = new optim.SGD([p, q], { lr: 0.1, momentum: 0.9 });
      const step = compile(
        (x: Tensor) => {
          sgd.zeroGrad();
          p.mul(x).sum().add(q.mul(3).sum()).backward();
          const norm = clipGradNorm_([p, q], 1);
          sgd.step();
          return norm;
        },
        { state: [sgd] },
      );
      const x = tensor([1, 2, -2]);
      const norms = [1, 2, 3].map(() => (step.sync(x) as Tensor).item());
      const values = [p, q].flatMap((parameter) => parameter.tolist() as number[]);
      return { norms, values, program: step.inspect(x).program };
    });
  const folded = run([]);
  const plain = run(['fused_optimizer']);
  expect(folded.norms).toEqual([18, 18, 18].map((square) => Math.fround(Math.sqrt(square))));
  for (const [i, value] of folded.values.entries()) expect(value).toBeCloseTo(plain.values[i]!, 6);
  expect(folded.program).toMatch(/clip_norm/);
  expect(folded.program).toMatch(/fused_sgd.*"scaled":? ?true|scaled: true/);
  expect(folded.program).not.toMatch(/pointwise\[mul\]\(.*# mul\n.*fused_sgd/);
});

test('parameters without a gradient are left out', () => {
  const [p, q] = holders() as [Tensor, Tensor];
  q.grad = null;
  expect(clipGradNorm_([p, q], 1, { norm_type: Number.POSITIVE_INFINITY }).item()).toBe(3);
  expect(q.grad).toBeNull();
  p.grad = null;
  expect(clipGradNorm_(p, 1).item()).toBe(0);
});

test('a gradient changed after clipping is used as it is', () => {
  const p = tensor([0, 0], { requires_grad: true });
  p.grad = tensor([3, 4]);
  clipGradNorm_(p, 1);
  p.grad.add_(1);
  const sgd = new optim.SGD([p], { lr: 1 });
  sgd.step();
  for (const [i, value] of (p.tolist() as number[]).entries()) {
    expect(value).toBeCloseTo([-1.6, -1.8][i]!, 5);
  }
});

test('limits that make no sense are refused', () => {
  const made = holders();
  expect(() => clipGradNorm_(made, -1)).toThrow(
    '[clipGradNorm_] max_norm must not be negative, got -1',
  );
  expect(() => clipGradValue_(made, Number.NaN)).toThrow(
    'clip_value must not be negative, got NaN',
  );
  expect(() => clipGradNorm_(made, 1, { norm_type: 0 })).toThrow(
    '[clip_norm] norm_type must be positive, got 0',
  );
});
