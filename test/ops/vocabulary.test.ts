/** Functions of PyTorch's of which its own lists have no sample; the numbers are PyTorch's. */

import { describe, expect, it } from 'vitest';
import {
  asarray,
  binomial,
  corrcoef,
  cov,
  frobeniusNorm,
  full,
  histc,
  histogram,
  manualSeed,
  masked,
  normExceptDim,
  segmentReduce,
  tensor,
} from '../../src/index.ts';

const whole = (values: never) => tensor(values, { dtype: 'int64' });
const x = tensor([
  [3, 4],
  [0, 2],
]);

describe('matmul of integers', () => {
  const a = whole([
    [1, 2],
    [3, 4],
  ] as never);

  it('is exact and wraps as sums do', () => {
    expect(a.matmul(a).tolist()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    const large = full([1, 1], 2 ** 40, { dtype: 'int64' }).add(1);
    expect(large.matmul(large).item()).toBe(2 ** 41 + 1);
  });

  it('broadcasts stacks, and sums nothing to 0', () => {
    expect(full([3, 2, 2], 1, { dtype: 'int32' }).matmul(a.to('int32')).shape).toEqual([3, 2, 2]);
    expect(
      full([2, 0], 1, { dtype: 'int64' })
        .matmul(full([0, 2], 1, { dtype: 'int64' }))
        .tolist(),
    ).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('norms', () => {
  it('of all dimensions but one', () => {
    expect(normExceptDim(x).tolist()).toEqual([[5], [2]]);
    expect(normExceptDim(x, 2, 1).shape).toEqual([1, 2]);
    expect(normExceptDim(x, 1, -1).item()).toBe(9);
  });

  it('of Frobenius', () => {
    expect(frobeniusNorm(x, [1]).tolist()).toEqual([5, 2]);
    expect(() => frobeniusNorm(full([1, 1, 1], 1), [0, 1, 2])).toThrow('at most two dimensions');
  });
});

describe('asarray', () => {
  it('shares a tensor, and copies where that is asked for', () => {
    expect(asarray(x)).toBe(x);
    expect(asarray(x, { copy: true })).not.toBe(x);
    expect(asarray([1, 2], { dtype: 'float64' }).dtype).toBe('float64');
    expect(asarray(x, { requires_grad: true }).requires_grad).toBe(true);
    expect(() => asarray([1], { copy: false })).toThrow('[asarray] cannot be made without a copy');
  });
});

describe('binomial', () => {
  it('counts successes', () => {
    manualSeed(3);
    const count = full([2000], 10);
    const drawn = binomial(count, full([2000], 0.3));
    expect(drawn.max().item()).toBeLessThanOrEqual(10);
    expect(drawn.mean().item()).toBeCloseTo(3, 0);
    expect(drawn.var().item()).toBeCloseTo(2.1, 0);
    expect(binomial(tensor([0, 5]), tensor([0.5, 1])).tolist()).toEqual([0, 5]);
    expect(() => binomial(count, full([2000], 1, { dtype: 'float64' }))).toThrow('[binomial]');
  });
});

describe('segments', () => {
  it('leave out what no offset reaches', () => {
    const data = tensor([1, 2, 4, 8, 16]);
    const offsets = whole([1, 3, 4] as never);
    expect(segmentReduce(data, 'sum', { offsets }).tolist()).toEqual([6, 8]);
    expect(segmentReduce(data, 'max', { offsets, initial: 5 }).tolist()).toEqual([5, 8]);
  });
});

describe('what cannot be counted or averaged', () => {
  it.each([
    ['[cov] fweights must not be negative', () => cov(x, 1, whole([-1, 2] as never))],
    ['[cov] needs a vector of 2 aweights', () => cov(x, { aweights: tensor([1, 2, 3]) })],
    ['[corrcoef] needs a vector or a matrix', () => corrcoef(full([1, 1, 1], 1))],
    ['[histc] bins must be a positive integer, got 0', () => histc(x, 0)],
    ['[histc] the range [0, Infinity] is not finite', () => histc(x, 2, 0, Infinity)],
    ['[histogram] range must be 2 numbers', () => histogram(x, 2, { range: [1, 2, 3] })],
    ['[masked.sum] mask must be bool', () => masked.sum(x, { mask: x })],
    [
      '[masked.sum] shapes (2, 2), (3,) cannot',
      () => masked.sum(x, { mask: full([3], 1, { dtype: 'bool' }) }),
    ],
    ['[segment_reduce] lengths must not', () => segmentReduce(x, 'sum', whole([1, 2] as never))],
  ])('%s', (message, call) => {
    expect(call).toThrow(message);
  });
});
