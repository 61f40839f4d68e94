/**
 * The reference engine against literal numbers, worked out by hand from the definitions in
 * `kernels.ts`: what every other engine is compared with must itself be right.
 */

import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import { numel } from '../../src/base/shape.ts';
import type { ValueType } from '../../src/engine/program.ts';
import { expectClose, f64, type Given, i64, output, outputs } from './by-hand.ts';
import { type } from './cases/case.ts';

describe('reduce', () => {
  const matrix: Given = [f64(2, 3), [1, 5, 2, -4, 3, 0.5]];

  test.each([
    ['sum', [1], [8, -0.5]],
    ['sum', [0], [-3, 8, 2.5]],
    ['sum', [0, 1], [7.5]],
    ['sum', [], [1, 5, 2, -4, 3, 0.5]],
    ['prod', [1], [10, -6]],
    ['amax', [0], [1, 5, 2]],
    ['amin', [1], [1, -4]],
  ] as const)('%s over %j', (fn, dims, expected) => {
    const shape = [2, 3].filter((_, dim) => !(dims as readonly number[]).includes(dim));
    expect(output('reduce', { fn, dims }, [matrix], f64(...shape))).toEqual(expected);
  });

  test('NaN wins, and nothing sums to 0 and multiplies to 1', () => {
    const given: Given = [f64(3), [1, NaN, 3]];
    for (const fn of ['amax', 'amin', 'sum', 'prod'] as const) {
      expect(output('reduce', { fn, dims: [0] }, [given], f64())).toEqual([NaN]);
    }
    const empty: Given = [f64(2, 0), []];
    expect(output('reduce', { fn: 'sum', dims: [1] }, [empty], f64(2))).toEqual([0, 0]);
    expect(output('reduce', { fn: 'prod', dims: [1] }, [empty], f64(2))).toEqual([1, 1]);
    expect(() => output('reduce', { fn: 'amax', dims: [1] }, [empty], f64(2))).toThrow(
      '[reduce] amax of nothing: (2, 0) has no elements along [1]',
    );
  });

  test('arg_reduce gives the first extreme, and the first NaN', () => {
    const given: Given = [f64(2, 4), [3, 7, 7, 1, 2, NaN, 9, NaN]];
    expect(output('arg_reduce', { fn: 'argmax', dim: 1 }, [given], i64(2))).toEqual([1, 1]);
    expect(output('arg_reduce', { fn: 'argmin', dim: 1 }, [given], i64(2))).toEqual([3, 1]);
    expect(output('arg_reduce', { fn: 'argmax', dim: 0 }, [given], i64(4))).toEqual([0, 1, 1, 1]);
  });
});

describe('movement and creation', () => {
  const matrix: Given = [f64(2, 3), [1, 2, 3, 4, 5, 6]];

  test('copy_view: transpose, flip, every other, expand', () => {
    const view = (shape: number[], strides: number[], offset = 0) =>
      output('copy_view', { strides, offset }, [matrix], f64(...shape));
    expect(view([3, 2], [1, 3])).toEqual([1, 4, 2, 5, 3, 6]);
    expect(view([6], [-1], 5)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(view([2, 2], [3, 2])).toEqual([1, 3, 4, 6]);
    expect(view([2, 2], [0, 1], 4)).toEqual([5, 6, 5, 6]);
    expect(() => view([4, 2], [2, 1])).toThrow('reaches elements 0 to 7 of a buffer of 6');
  });

  test('place_view: the transpose of a slice is padding', () => {
    const attrs = { strides: [4, 1], offset: 1, fill: -1 };
    expect(output('place_view', attrs, [matrix], f64(2, 4))).toEqual([-1, 1, 2, 3, -1, 4, 5, 6]);
    const twice = { strides: [0, 1], offset: 0, fill: 0 };
    expect(() => output('place_view', twice, [matrix], f64(2, 4))).toThrow('twice');
  });

  test('cat, alias, fill, arange', () => {
    const column: Given = [f64(2, 1), [8, 9]];
    expect(output('cat', { dim: 1 }, [matrix, column], f64(2, 4))).toEqual([
      1, 2, 3, 8, 4, 5, 6, 9,
    ]);
    expect(output('alias', {}, [matrix], f64(3, 2))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(output('fill', { value: 2.5 }, [], f64(2))).toEqual([2.5, 2.5]);
    expect(output('arange', { start: 1, step: -0.5 }, [], f64(4))).toEqual([1, 0.5, 0, -0.5]);
  });
});

describe('matmul', () => {
  const a = [1, 2, 3, 4, 5, 6];
  const b = [1, 0, 2, 1, 0, 3];

  test('every combination of transposes', () => {
    const product = (transpose_a: boolean, transpose_b: boolean, given: Given[], out: ValueType) =>
      output('matmul', { transpose_a, transpose_b }, given, out);
    // [1 2 3; 4 5 6] [1 0; 2 1; 0 3]
    const expected = [5, 11, 14, 23];
    const aT = [1, 4, 2, 5, 3, 6];
    const bT = [1, 2, 0, 0, 1, 3];
    const [A, B]: Given[] = [
      [f64(2, 3), a],
      [f64(3, 2), b],
    ];
    const [At, Bt]: Given[] = [
      [f64(3, 2), aT],
      [f64(2, 3), bT],
    ];
    expect(product(false, false, [A!, B!], f64(2, 2))).toEqual(expected);
    expect(product(true, false, [At!, B!], f64(2, 2))).toEqual(expected);
    expect(product(false, true, [A!, Bt!], f64(2, 2))).toEqual(expected);
    expect(product(true, true, [At!, Bt!], f64(2, 2))).toEqual(expected);
  });

  test('batches are independent and an empty inner dimension gives zeros', () => {
    const plain = { transpose_a: false, transpose_b: false };
    const batched: Given[] = [
      [f64(2, 1, 2), [1, 2, 3, 4]],
      [f64(2, 2, 1), [5, 6, 7, 8]],
    ];
    expect(output('matmul', plain, batched, f64(2, 1, 1))).toEqual([17, 53]);
    const empty: Given[] = [
      [f64(1, 0), []],
      [f64(0, 2), []],
    ];
    expect(output('matmul', plain, empty, f64(1, 2))).toEqual([0, 0]);
  });
});

describe('conv2d', () => {
  const unit = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
  const image: Given = [f64(1, 1, 3, 3), [1, 2, 3, 4, 5, 6, 7, 8, 9]];
  const kernel: Given = [f64(1, 1, 2, 2), [1, 0, 0, -1]];
  const ones = (...shape: number[]): Given => [f64(...shape), new Array(numel(shape)).fill(1)];

  test('forward is cross-correlation, as in PyTorch', () => {
    expect(output('conv2d_fwd', unit, [image, kernel], f64(1, 1, 2, 2))).toEqual([-4, -4, -4, -4]);
  });

  test('forward with padding, stride and dilation', () => {
    const padded = { ...unit, padding: [1, 1], stride: [2, 2] };
    // Windows at (-1,-1), (-1,1), (1,-1), (1,1) of a 2x2 kernel [a b; c d] = [1 0; 0 -1].
    expect(output('conv2d_fwd', padded, [image, kernel], f64(1, 1, 2, 2))).toEqual([
      -1,
      -3,
      -7,
      5 - 9,
    ]);
    const dilated = { ...unit, dilation: [2, 2] };
    expect(output('conv2d_fwd', dilated, [image, kernel], f64(1, 1, 1, 1))).toEqual([1 - 9]);
  });

  test('groups see their own channels', () => {
    const x: Given = [f64(1, 2, 1, 2), [1, 2, 10, 20]];
    const w: Given = [f64(2, 1, 1, 1), [3, 5]];
    expect(output('conv2d_fwd', { ...unit, groups: 2 }, [x, w], f64(1, 2, 1, 2))).toEqual([
      3, 6, 50, 100,
    ]);
  });

  test('gradients of the sum of the output', () => {
    const g = ones(1, 1, 2, 2);
    // Each input element gets the weights of the windows it is in.
    expect(output('conv2d_bwd_data', unit, [g, kernel], f64(1, 1, 3, 3))).toEqual([
      1, 1, 0, 1, 0, -1, 0, -1, -1,
    ]);
    // Each weight gets the sum of the inputs it met.
    expect(output('conv2d_bwd_weight', unit, [g, image], f64(1, 1, 2, 2))).toEqual([
      12, 16, 24, 28,
    ]);
  });

  test('channels that do not fit are refused', () => {
    const w = ones(4, 3, 1, 1);
    expect(() => output('conv2d_fwd', unit, [image, w], f64(1, 4, 3, 3))).toThrow(
      '[conv2d_fwd] channels do not fit 1 groups: x (1, 1, 3, 3), w (4, 3, 1, 1), y (1, 4, 3, 3)',
    );
  });
});

describe('max_pool2d', () => {
  const pool = (values: number[], padding: number[], kernel_size: number[], out: number[]) =>
    outputs(
      'max_pool2d_fwd',
      { kernel_size, stride: kernel_size, padding, dilation: [1, 1] },
      [[f64(1, 1, 4, 4), values]],
      f64(1, 1, ...out),
      type('int32', 1, 1, ...out),
    );
  const ramp = Array.from({ length: 16 }, (_, i) => -i);

  test('gives the maximum and its place in the plane', () => {
    expect(pool(ramp, [0, 0], [2, 2], [2, 2])).toEqual([
      [-0, -2, -8, -10],
      [0, 2, 8, 10],
    ]);
  });

  test('padding never wins', () => {
    expect(pool(ramp, [1, 1], [3, 3], [2, 2])).toEqual([
      [-0, -2, -8, -10],
      [0, 2, 8, 10],
    ]);
  });

  test('the first of equals, and the first NaN', () => {
    const values = [1, 1, 5, NaN, 1, 1, NaN, 7, 0, 2, 2, 2, 2, 0, 2, 2];
    expect(pool(values, [0, 0], [2, 2], [2, 2])).toEqual([
      [1, NaN, 2, 2],
      [0, 3, 9, 10],
    ]);
  });
});

test('softmax and log_softmax', () => {
  const x: Given = [f64(2, 2), [0, Math.log(3), 1000, 1000]];
  expectClose(output('softmax', { dim: 1 }, [x], f64(2, 2)), [0.25, 0.75, 0.5, 0.5]);
  const half = Math.log(0.5);
  expectClose(output('log_softmax', { dim: 1 }, [x], f64(2, 2)), [
    Math.log(0.25),
    Math.log(0.75),
    half,
    half,
  ]);
  const equal: Given = [f64(2, 2), [1, 2, 1, 2]];
  expectClose(output('softmax', { dim: 0 }, [equal], f64(2, 2)), [0.5, 0.5, 0.5, 0.5]);
});

describe('gather and scatter_add', () => {
  const x: Given = [f64(2, 3), [1, 2, 3, 4, 5, 6]];

  test('gather along each dimension', () => {
    const columns: Given = [i64(2, 2), [2, 0, 1, 1]];
    expect(output('gather', { dim: 1 }, [x, columns], f64(2, 2))).toEqual([3, 1, 5, 5]);
    const rows: Given = [i64(1, 3), [1, 0, 1]];
    expect(output('gather', { dim: 0 }, [x, rows], f64(1, 3))).toEqual([4, 2, 6]);
  });

  test('scatter_add sums repeated places', () => {
    const index: Given = [i64(2, 3), [0, 0, 3, 1, 2, 1]];
    expect(output('scatter_add', { dim: 1 }, [x, index], f64(2, 4))).toEqual([
      3, 0, 0, 3, 0, 10, 5, 0,
    ]);
  });

  test.each([3, -1])('index %i is out of range', (bad) => {
    const index: Given = [i64(2, 1), [0, bad]];
    const gather = () => output('gather', { dim: 1 }, [x, index], f64(2, 1));
    expect(gather).toThrow(EngineError);
    expect(gather).toThrow(
      `[gather] index ${bad} at element 1 is out of range for size 3 along dim 1; ` +
        'float64 (2, 3), int64 (2, 1) -> float64 (2, 1) (at gather: by hand)',
    );
  });
});

describe('philox', () => {
  const seeds: Given[] = [
    [i64(), [0]],
    [i64(), [0]],
  ];

  test('the known first block, and the uniform and normal numbers made from its words', () => {
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
    expect(output('philox', { fn: 'bits', offset: 0 }, seeds, i64(4))).toEqual(words);
    const [a, b, c, d] = words.map((word) => Math.floor(word / 256) / 2 ** 24);
    expect(output('philox', { fn: 'uniform', offset: 0 }, seeds, f64(3))).toEqual([a, b, c]);
    const r1 = Math.sqrt(-2 * Math.log(a! + 2 ** -24));
    const r2 = Math.sqrt(-2 * Math.log(c! + 2 ** -24));
    const [t1, t2] = [2 * Math.PI * b!, 2 * Math.PI * d!];
    expectClose(output('philox', { fn: 'normal', offset: 0 }, seeds, f64(4)), [
      r1 * Math.cos(t1),
      r1 * Math.sin(t1),
      r2 * Math.cos(t2),
      r2 * Math.sin(t2),
    ]);
  });

  test('the stream is counter + offset', () => {
    const at = (counter: number, offset: number) =>
      output('philox', { fn: 'bits', offset }, [seeds[0]!, [i64(), [counter]]], i64(5));
    expect(at(3, 4)).toEqual(at(7, 0));
    expect(at(3, 4)).not.toEqual(at(4, 4));
  });

  test('100,000 normal numbers have mean 0 and variance 1', () => {
    const numbers = output('philox', { fn: 'normal', offset: 0 }, seeds, f64(100_000));
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    const variance = numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  });
});
