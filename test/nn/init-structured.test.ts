/** Initialisers by what they promise: structure exactly, distributions by their moments. */

import { beforeEach, describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { manualSeed, nn, setEngine, type Tensor, zeros } from '../../src/index.ts';

setEngine(referenceEngine());

const { init } = nn;

beforeEach(() => manualSeed(7));

const numbers = (x: Tensor) => [...x.dataSync()].map(Number);

function moments(x: Tensor) {
  const values = numbers(x);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(square), min: Math.min(...values), max: Math.max(...values) };
}

test('xavier_uniform_ has the bound gain * sqrt(6 / (fan_in + fan_out))', () => {
  const bound = 2 * Math.sqrt(6 / (3 * 25 + 400 * 25));
  const found = moments(init.xavierUniform_(zeros([400, 3, 5, 5]), { gain: 2 }));
  expect(Math.abs(found.mean)).toBeLessThan(bound / 50);
  expect(found.std).toBeCloseTo(bound / Math.sqrt(3), 3);
  expect(found.max).toBeLessThanOrEqual(bound);
  expect(found.min).toBeLessThan(-0.99 * bound);
});

test('xavier_normal_ has the deviation gain * sqrt(2 / (fan_in + fan_out))', () => {
  const found = moments(init.xavierNormal_(zeros([200, 300]), 3));
  expect(found.std / (3 * Math.sqrt(2 / 500))).toBeCloseTo(1, 2);
});

test('trunc_normal_ stays within its bounds and has the moments of what is left', () => {
  const found = moments(init.truncNormal_(zeros([300, 300])));
  expect(found.min).toBeGreaterThanOrEqual(-2);
  expect(found.max).toBeLessThanOrEqual(2);
  expect(Math.abs(found.mean)).toBeLessThan(0.01);
  // The standard deviation of a normal distribution cut off at two of its own.
  expect(found.std).toBeCloseTo(0.8796, 2);
  const moved = moments(init.truncNormal_(zeros([300, 300]), { mean: 1, std: 0.5, a: 1 }));
  expect(moved.min).toBeGreaterThanOrEqual(1);
  expect(moved.max).toBeLessThanOrEqual(2);
});

test('the same seed gives the same numbers', () => {
  const draw = () => numbers(init.orthogonal_(zeros([5, 4])));
  const first = draw();
  manualSeed(7);
  expect(draw()).toEqual(first);
  expect(draw()).not.toEqual(first);
});

test.each([[[4, 7]], [[7, 4]], [[6, 2, 3]]])('orthogonal_ of %j is orthonormal', (shape) => {
  const x = init.orthogonal_(zeros(shape), { gain: 3 });
  const matrix = x.reshape([shape[0]!, x.numel() / shape[0]!]);
  const [rows, columns] = matrix.shape as [number, number];
  const product = rows <= columns ? matrix.matmul(matrix.t()) : matrix.t().matmul(matrix);
  for (const [i, row] of (product.tolist() as number[][]).entries()) {
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(i === j ? 9 : 0, 4);
  }
});

test('sparse_ sets the given part of every column to zero', () => {
  const x = init.sparse_(zeros([50, 8]), 0.33);
  const rows = x.tolist() as number[][];
  for (let column = 0; column < 8; column++) {
    expect(rows.filter((row) => row[column] === 0)).toHaveLength(Math.ceil(0.33 * 50));
  }
  expect(moments(x).std).toBeLessThan(0.02);
});

test('eye_ and dirac_ are identities', () => {
  expect(init.eye_(zeros([2, 3])).tolist()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  const kernel = init.dirac_(zeros([4, 2, 3]), { groups: 2 });
  const one = [0, 1, 0];
  const none = [0, 0, 0];
  expect(kernel.tolist()).toEqual([
    [one, none],
    [none, one],
    [one, none],
    [none, one],
  ]);
});

describe('refuses', () => {
  test.each<[string, () => unknown, string]>([
    ['a vector', () => init.eye_(zeros([3])), '[eye_] needs a matrix, got (3,)'],
    ['one dimension', () => init.orthogonal_(zeros([3])), 'needs at least two dimensions'],
    ['two dimensions', () => init.dirac_(zeros([3, 3])), 'needs three, four or five dimensions'],
    ['uneven groups', () => init.dirac_(zeros([3, 3, 3]), 2), '3 outputs for 2 groups'],
    ['too much sparsity', () => init.sparse_(zeros([3, 3]), 2), 'sparsity must be in [0, 1]'],
    ['no deviation', () => init.truncNormal_(zeros([3]), 0, 0), 'needs std > 0'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('nn.utils', () => {
  const { utils } = nn;
  const parameters = () => [
    new nn.Parameter(zeros([2]).add(1)),
    new nn.Parameter(zeros([2, 1]).add(2)),
  ];

  test('turn parameters into a vector and back', () => {
    const [a, b] = parameters() as [nn.Parameter, nn.Parameter];
    const vector = utils.parametersToVector([a, b]);
    expect(vector.tolist()).toEqual([1, 1, 2, 2]);
    utils.vectorToParameters(vector.mul(3), [a, b]);
    expect([a.tolist(), b.tolist(), a.requires_grad]).toEqual([[3, 3], [[6], [6]], true]);
    expect(() => utils.vectorToParameters(a, [a, b])).toThrow('a vector of at least 4 elements');
  });

  test('tell the norm of gradients, and clip by it', () => {
    const [a, b] = parameters() as [nn.Parameter, nn.Parameter];
    a.grad = zeros([2]).add(3);
    b.grad = zeros([2, 1]).add(4);
    const norm = utils.getTotalNorm([a.grad, b.grad]);
    expect(norm.item()).toBeCloseTo(Math.sqrt(50), 5);
    expect(utils.getTotalNorm([a.grad, b.grad], { norm_type: Infinity }).item()).toBe(4);
    utils.clipGradsWithNorm_([a, b], 1, norm);
    expect(utils.getTotalNorm([a.grad, b.grad]).item()).toBeCloseTo(1, 5);
  });
});
