/** Initialisers: bounds as in PyTorch, moments as they should be. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { manualSeed, nn, setEngine, type Tensor, zeros } from '../../src/index.ts';
import type { Nonlinearity } from '../../src/nn/init.ts';

setEngine(referenceEngine());
const { init } = nn;
const FILE = new URL('../fixtures/torch/training.json', import.meta.url);
const { bounds } = JSON.parse(readFileSync(FILE, 'utf8')) as { bounds: Record<string, number> };

/** "[4, 3] 0 fan_in relu" of the fixture. */
function setting(key: string) {
  const [, shape, a, mode, nonlinearity] = /^(\[.*\]) (\S+) (\S+) (\S+)$/.exec(key)!;
  const options = {
    a: Number(a),
    mode: mode as 'fan_in',
    nonlinearity: nonlinearity as Nonlinearity,
  };
  return { shape: JSON.parse(shape!) as number[], options };
}

const largest = (x: Tensor) => x.abs().amax().item();

describe('kaimingUniform_', () => {
  test.each(Object.entries(bounds))('%s', (key, bound) => {
    manualSeed(1);
    const { shape, options } = setting(key);
    const unit = init.uniform_(zeros(shape), -1, 1);
    manualSeed(1);
    const x = init.kaimingUniform_(zeros(shape), options);
    // The same random numbers, stretched to the bound.
    expect(largest(x) / largest(unit)).toBeCloseTo(bound, 5);
  });
});

describe('the others', () => {
  test('fill in place, keep the leaf, and give it back', () => {
    const x = zeros([3]).requires_grad_();
    expect(init.constant_(x, 2)).toBe(x);
    expect(x.tolist()).toEqual([2, 2, 2]);
    expect(x.is_leaf && x.requires_grad).toBe(true);
    expect([init.ones_(x).item === x.item, init.ones_(x).tolist()]).toEqual([true, [1, 1, 1]]);
    expect(init.zeros_(x).tolist()).toEqual([0, 0, 0]);
  });

  test('have the moments they are asked for', () => {
    manualSeed(0);
    const u = init.uniform_(zeros([5000]), 2, 6);
    expect(u.mean().item()).toBeCloseTo(4, 1);
    expect([u.amin().item() >= 2, u.amax().item() <= 6]).toEqual([true, true]);
    const n = init.normal_(zeros([5000]), 3, 0.5);
    expect(n.mean().item()).toBeCloseTo(3, 1);
    expect(n.std().item()).toBeCloseTo(0.5, 1);
  });

  test('Linear and Conv2d start within 1 / sqrt(fan_in)', () => {
    const linear = new nn.Linear({ in_features: 100, out_features: 50 });
    const conv = new nn.Conv2d({ in_channels: 4, out_channels: 30, kernel_size: 5 });
    for (const tensor of [linear.weight, linear.bias!, conv.weight, conv.bias!]) {
      expect(largest(tensor)).toBeLessThanOrEqual(0.1);
      expect(largest(tensor)).toBeGreaterThan(0.08);
    }
    const { weight } = linear;
    expect(weight.var().item()).toBeCloseTo(0.01 / 3, 3);
  });

  test('are called by name and by position, and refuse what they do not know', () => {
    const same = (fill: (x: Tensor) => Tensor) => {
      manualSeed(3);
      return fill(zeros([3, 4])).tolist();
    };
    expect(same((x) => init.kaimingNormal_(x, 0, 'fan_out', 'relu'))).toEqual(
      same((x) => init.kaimingNormal_(x, { mode: 'fan_out', nonlinearity: 'relu' })),
    );
    expect(same((x) => init.normal_(x, { std: 2 }))).toEqual(same((x) => init.normal_(x, 0, 2)));
    expect(init.constant_(zeros([1]), { val: 3 }).item()).toBe(3);
    expect(init.calculateGain('leaky_relu', { param: 1 })).toBe(1);
    // @ts-expect-error there is no such nonlinearity
    expect(() => init.calculateGain('rellu')).toThrow(
      '[calculate_gain] there is no nonlinearity rellu; is it relu?',
    );
    // @ts-expect-error nor such a mode
    expect(() => init.kaimingUniform_(zeros([2, 2]), { mode: 'fan' })).toThrow(
      '[init] mode must be fan_in or fan_out, got fan',
    );
    // @ts-expect-error nor such an argument
    expect(() => init.normal_(zeros([2]), { sd: 1 })).toThrow(
      'there is no argument sd; is it std?',
    );
  });

  test('fans need two dimensions', () => {
    expect(() => init.kaimingUniform_(zeros([3]))).toThrow(
      '[init] fans need at least two dimensions, got (3,)',
    );
    expect(init.fans(zeros([6, 3, 5, 5]))).toEqual({ fan_in: 75, fan_out: 150 });
  });
});
