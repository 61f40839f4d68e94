/** Functions whose result's size depends on the values: bincount, NaN, and what compile says. */

import { expect, it } from 'vitest';
import * as t from '../../src/index.ts';

it('counts integers, or their weights', () => {
  const x = t.tensor([1n, 3n, 1n]);
  expect(t.bincount(x).tolist()).toEqual([0, 2, 0, 1]);
  expect(t.bincount(x, { minlength: 5 }).tolist()).toEqual([0, 2, 0, 1, 0]);
  expect(t.bincount(x, t.tensor([0.5, 2, 0.25])).tolist()).toEqual([0, 0.75, 0, 2]);
  expect(t.bincount(t.tensor([], { dtype: 'int64' })).shape).toEqual([0]);
  expect(() => t.bincount(t.tensor([-1n]))).toThrow('[bincount] values and minlength');
});

it('keeps every NaN', () => {
  const x = t.tensor([Number.NaN, 1, Number.NaN, 1]);
  const [values, counts] = t.unique(x, { return_counts: true }) as t.Tensor[];
  expect(values!.tolist()).toEqual([1, Number.NaN, Number.NaN]);
  expect(counts!.tolist()).toEqual([2, 1, 1]);
});

it('says that a size cannot depend on values in a compiled step', async () => {
  const step = t.compile((x: t.Tensor) => t.nonzero(x) as t.Tensor);
  await expect(async () => step(t.ones([2]))).rejects.toThrow('[nonzero] a value was read');
});
