/** The reference engine's pointwise functions against literal numbers. */

import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import type { PointwiseFn } from '../../src/engine/kernels.ts';
import { expectClose, f64, type Given, i64, output, outputs } from './by-hand.ts';
import { type } from './cases/case.ts';
import { group } from './cases/groups.ts';

describe('pointwise', () => {
  const unary = (fn: PointwiseFn, dtype: 'float64' | 'int64', values: number[]) =>
    output(
      'pointwise',
      group(1, [[fn, dtype, [0]]]),
      [[type(dtype, values.length), values]],
      type(dtype, values.length),
    );
  const binary = (fn: PointwiseFn, dtype: 'float64' | 'int64', a: number[], b: number[]) =>
    output(
      'pointwise',
      group(2, [[fn, dtype, [0, 1]]]),
      [
        [type(dtype, a.length), a],
        [type(dtype, b.length), b],
      ],
      type(dtype, a.length),
    );

  const UNARY: [PointwiseFn, number[], number[]][] = [
    ['neg', [1, -2, Infinity], [-1, 2, -Infinity]],
    ['abs', [1, -2, -Infinity], [1, 2, Infinity]],
    ['sign', [3, -0.5, 0, NaN], [1, -1, 0, 0]],
    ['exp', [0, 1, -Infinity], [1, Math.E, 0]],
    ['expm1', [0, 1e-12, 1], [0, 1e-12, Math.E - 1]],
    ['log', [1, Math.E, 0, -1], [0, 1, -Infinity, NaN]],
    ['log1p', [0, Math.E - 1, -1], [0, 1, -Infinity]],
    ['sqrt', [9, 0, -1], [3, 0, NaN]],
    ['rsqrt', [4, 0], [0.5, Infinity]],
    ['reciprocal', [4, -0.5, 0], [0.25, -2, Infinity]],
    ['sin', [0, Math.PI / 6], [0, 0.5]],
    ['cos', [0, Math.PI / 3], [1, 0.5]],
    ['tanh', [0, Math.log(2), Infinity], [0, 0.6, 1]],
    ['sigmoid', [0, Math.log(3), -Infinity], [0.5, 0.75, 0]],
    ['erf', [0, 0.5, -1, 2, 7], [0, 0.520499877813047, -0.842700792949715, 0.995322265018953, 1]],
    ['floor', [1.5, -1.5], [1, -2]],
    ['ceil', [1.5, -1.5], [2, -1]],
    ['round', [0.5, 1.5, 2.5, -1.5, 2.6], [0, 2, 2, -2, 3]],
    ['trunc', [1.9, -1.9], [1, -1]],
    ['isnan', [NaN, 1, Infinity], [1, 0, 0]],
    ['isinf', [NaN, -Infinity, Infinity], [0, 1, 1]],
    ['logical_not', [0, 2, NaN], [1, 0, 0]],
    ['to_bool', [0, 0.3, NaN], [0, 1, 1]],
    ['to_bfloat16', [1.2345], [1.2345]], // floating dtypes are not rounded inside this engine
  ];
  test.each(UNARY)('%s of %j', (fn, values, expected) => {
    expectClose(unary(fn, 'float64', values), expected);
  });

  const BINARY: [PointwiseFn, number[], number[], number[]][] = [
    ['add', [1, 2], [3, -5], [4, -3]],
    ['sub', [1, 2], [3, -5], [-2, 7]],
    ['mul', [1, 2], [3, -5], [3, -10]],
    ['div', [1, 1, 0], [4, 0, 0], [0.25, Infinity, NaN]],
    ['pow', [2, 9, 1, -1], [10, 0.5, NaN, Infinity], [1024, 3, 1, 1]],
    ['atan2', [1, -1, 0], [1, 0, -1], [Math.PI / 4, -Math.PI / 2, Math.PI]],
    ['maximum', [1, NaN, 2], [3, 1, NaN], [3, NaN, NaN]],
    ['minimum', [1, NaN, 2], [3, 1, NaN], [1, NaN, NaN]],
    ['fmod', [5.5, -5.5, 1], [2, 2, 0], [1.5, -1.5, NaN]],
    ['eq', [1, 1, NaN], [1, 2, NaN], [1, 0, 0]],
    ['ne', [1, 1, NaN], [1, 2, NaN], [0, 1, 1]],
    ['lt', [1, 2, NaN], [2, 2, 1], [1, 0, 0]],
    ['le', [1, 2, NaN], [2, 2, 1], [1, 1, 0]],
    ['gt', [1, 3, NaN], [2, 2, 1], [0, 1, 0]],
    ['ge', [1, 2, NaN], [2, 2, 1], [0, 1, 0]],
    ['logical_and', [0, 2, 2], [1, 0, 3], [0, 0, 1]],
    ['logical_or', [0, 2, 0], [1, 0, 0], [1, 1, 0]],
    ['logical_xor', [0, 2, 2], [1, 0, 3], [1, 1, 0]],
  ];
  test.each(BINARY)('%s of %j and %j', (fn, a, b, expected) => {
    expectClose(binary(fn, 'float64', a, b), expected);
  });

  test('integers truncate, give 0 where they divide by zero, and wrap', () => {
    expect(binary('div', 'int64', [7, -7, 7, 5], [2, 2, -2, 0])).toEqual([3, -3, -3, 0]);
    expect(binary('fmod', 'int64', [7, -7, 7, 5], [3, 3, -3, 0])).toEqual([1, -1, 1, 0]);
    expect(binary('pow', 'int64', [2, -3, 2, -1, 0], [10, 3, -1, -3, -1])).toEqual([
      1024, -27, 0, -1, 0,
    ]);
    expect(unary('to_int32', 'int64', [2 ** 31, -(2 ** 31) - 1, 5])).toEqual([
      -(2 ** 31),
      2 ** 31 - 1,
      5,
    ]);
    expect(unary('to_uint8', 'int64', [256, -1, 300])).toEqual([0, 255, 44]);
  });

  test('where chooses by its first argument', () => {
    const values = (list: number[]): Given => [f64(3), list];
    expect(
      output(
        'pointwise',
        group(3, [['where', 'float64', [0, 1, 2]]]),
        [values([0, 1, NaN]), values([1, 2, 3]), values([4, 5, 6])],
        f64(3),
      ),
    ).toEqual([4, 2, 3]);
  });

  test('constants, casts and several results of a broadcast group', () => {
    const attrs = group(
      2,
      [
        ['const', 'float64', [], 0.5],
        ['mul', 'float64', [0, 2]],
        ['cast', 'int64', [3]],
        ['add', 'int64', [4, 1]],
      ],
      [5, 3],
    );
    const given: Given[] = [
      [f64(2, 1), [5, -5]],
      [i64(3), [10, 20, 30]],
    ];
    expect(outputs('pointwise', attrs, given, i64(2, 3), f64(2, 3))).toEqual([
      [12, 22, 32, 8, 18, 28],
      [2.5, 2.5, 2.5, -2.5, -2.5, -2.5],
    ]);
  });

  const STORED: [DType, number[]][] = [
    ['float32', [1.7, -1.7, 300.2, 0]],
    ['int64', [1, -1, 300, 0]],
    ['int32', [1, -1, 300, 0]],
    ['uint8', [1, 255, 44, 0]],
    ['bool', [1, 1, 1, 0]],
  ];
  test.each(STORED)('storing float64 as %s', (dtype, expected) => {
    const given: Given = [f64(4), [1.7, -1.7, 300.2, 0]];
    expect(output('pointwise', group(1, [], [0]), [given], type(dtype, 4))).toEqual(expected);
  });
});
