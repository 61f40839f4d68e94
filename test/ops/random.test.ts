/** Random functions: moments and frequencies of many draws, and that a seed repeats them. */

import { beforeEach, describe, expect, it } from 'vitest';
import * as t from '../../src/index.ts';

const COUNT = 20_000;
beforeEach(() => t.manualSeed(7));

const draw = (fill: (x: t.Tensor) => t.Tensor) =>
  Array.from(fill(t.zeros([COUNT], { dtype: 'float64' })).dataSync(), Number);
const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const medianOf = (values: readonly number[]) => [...values].sort((a, b) => a - b)[COUNT / 2]!;
/** Of a mean of `COUNT` numbers of standard deviation `std`: six standard errors. */
const error = (std: number) => (6 * std) / Math.sqrt(COUNT);
const near = (found: number, expected: number, std: number) =>
  expect(Math.abs(found - expected)).toBeLessThan(error(std));

describe('in-place methods', () => {
  it('draw from their distributions', () => {
    near(meanOf(draw((x) => x.uniform_(-1, 3))), 1, 4 / Math.sqrt(12));
    near(meanOf(draw((x) => x.normal_(2, 3))), 2, 3);
    near(meanOf(draw((x) => x.exponential_(0.5))), 2, 2);
    near(meanOf(draw((x) => x.geometric_(0.25))), 4, Math.sqrt(12));
    near(meanOf(draw((x) => x.bernoulli_(0.3))), 0.3, 0.5);
    // Of a heavy tail only the median is near anything.
    near(medianOf(draw((x) => x.cauchy_(5, 2))), 5, 2 * Math.PI);
    near(Math.log(medianOf(draw((x) => x.logNormal_(1, 0.5)))), 1, 1);
  });

  it('repeat with the seed', () => {
    const first = draw((x) => x.normal_());
    t.manualSeed(7);
    expect(draw((x) => x.normal_())).toEqual(first);
    expect(draw((x) => x.normal_())).not.toEqual(first);
  });
});

describe('functions', () => {
  it.each(['bfloat16', 'float16'] as const)('draw numbers below 1 in %s too', (dtype) => {
    const values = Array.from(t.rand([COUNT], { dtype }).dataSync(), Number);
    const least = t.finfo(dtype).eps / 2;
    expect(Math.max(...values)).toBe(1 - least);
    expect(values.every((value) => Number.isInteger(value / least))).toBe(true);
    near(meanOf(values) + least / 2, 0.5, 1 / Math.sqrt(12));
  });

  it('draw integers evenly', () => {
    const values = Array.from(t.randint(2, 6, [COUNT]).dataSync(), Number);
    for (const value of [2, 3, 4, 5]) {
      near(values.filter((x) => x === value).length / COUNT, 0.25, 0.5);
    }
    expect(values.every((x) => x >= 2 && x < 6)).toBe(true);
  });

  it('permute', () => {
    const order = Array.from(t.randperm(100).dataSync(), Number);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });

  it('draw indices by weight', () => {
    const weights = t.tensor([0, 1, 3]);
    const many = Array.from(t.multinomial(weights, COUNT, true).dataSync(), Number);
    near(many.filter((i) => i === 2).length / COUNT, 0.75, 0.5);
    expect(many.includes(0)).toBe(false);
    const [a, b] = t.multinomial(weights, 2).tolist() as number[];
    expect([a, b].sort()).toEqual([1, 2]);
    const firsts = t.multinomial(weights.expand([COUNT, 3]), 1).dataSync();
    near(Array.from(firsts, Number).filter((i) => i === 2).length / COUNT, 0.75, 0.5);
  });

  it('draw around tensors of means', () => {
    const mean = t.tensor([-1, 4]).expand([COUNT, 2]);
    const [low, high] = t.normal(mean, 2).mean(0).tolist() as number[];
    near(low!, -1, 2);
    near(high!, 4, 2);
    near(
      t
        .bernoulli(t.full([COUNT], 0.8))
        .mean()
        .item(),
      0.8,
      0.5,
    );
  });
});
