/** What a tensor shows of itself: contents, sizes, text; and how it is freed. */

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { arange, full, setEngine, tensor, withEngine, zeros } from '../../src/index.ts';
import { ENGINES } from './engines.ts';

describe.each(ENGINES)('on %s', (_, engine) => {
  const on = <T>(body: () => T): T => withEngine(engine, body);

  test('contents come back as they went in', async () => {
    setEngine(engine);
    const x = tensor([
      [1, -2, 3],
      [4, 5, 6.5],
    ]);
    expect(x.tolist()).toEqual([
      [1, -2, 3],
      [4, 5, 6.5],
    ]);
    expect(await x.data()).toEqual(Float32Array.of(1, -2, 3, 4, 5, 6.5));
    expect(await x.mul(2).data()).toEqual(Float32Array.of(2, -4, 6, 8, 10, 13));
    expect(tensor([2n ** 62n, -1n]).dataSync()).toEqual(BigInt64Array.of(2n ** 62n, -1n));
    expect(tensor([true, false]).tolist()).toEqual([true, false]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([[], []]).tolist()).toEqual([[], []]);
    expect(tensor(3).tolist()).toBe(3);
  });

  test('a typed array keeps its dtype, and is copied', () => {
    on(() => {
      const data = Int32Array.of(1, 2);
      const x = tensor(data);
      data[0] = 9;
      expect([x.dtype, x.tolist()]).toEqual(['int32', [1, 2]]);
      expect(tensor(new Uint8Array(2)).dtype).toBe('uint8');
      expect(tensor(Float64Array.of(1)).dtype).toBe('float64');
      expect(tensor(Float32Array.of(1, 2), { shape: [2, 1] }).tolist()).toEqual([[1], [2]]);
    });
  });

  test('what a failed run was to compute never reads as if it had succeeded', async () => {
    setEngine(engine);
    const picked = tensor([1, 2]).gather(0, tensor([9], { dtype: 'int64' }));
    await expect(picked.data()).rejects.toThrow(/index 9 .*out of range/);
    expect(() => picked.tolist()).toThrow();
    await expect(picked.add(1).data()).rejects.toThrow();
  });

  test('dispose frees the buffer, and reading it then throws', () => {
    on(() => {
      const x = tensor([1, 2]);
      const y = x.add(1).realize();
      x.dispose();
      expect(y.tolist()).toEqual([2, 3]);
      expect(() => x.tolist()).toThrow('the tensor was disposed of');
      expect(() => x.add(2).tolist()).toThrow('the tensor was disposed of');
    });
  });

  test('using disposes at the end of the block', () => {
    on(() => {
      let kept = zeros([1]);
      {
        using x = tensor([5]);
        kept = x;
        expect(x.item()).toBe(5);
      }
      expect(() => kept.item()).toThrow('the tensor was disposed of');
    });
  });
});

describe('errors', () => {
  test('item needs one element', () => {
    expect(tensor([[4]]).item()).toBe(4);
    expect(() => tensor([1, 2]).item()).toThrow(
      '[item] needs a tensor of one element, this one has shape (2,)',
    );
  });

  test('size needs a dimension that exists', () => {
    const x = zeros([2, 3]);
    expect([x.size(), x.size(-1), x.ndim, x.numel()]).toEqual([[2, 3], 3, 2, 6]);
    expect(() => x.size(2)).toThrow('[size] dim 2 of a tensor of 2 dimensions');
  });
});

describe('printing', () => {
  test.each([
    [
      tensor([
        [1, 2.5],
        [-3, 4],
      ]),
      'tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]], shape=(2, 2), dtype=float32)',
    ],
    [tensor([1, -20]), 'tensor([  1., -20.], shape=(2,), dtype=float32)'],
    [tensor([true, false]), 'tensor([ true, false], shape=(2,), dtype=bool)'],
    [arange(3), 'tensor([0, 1, 2], shape=(3,), dtype=int64)'],
    [tensor(0.5), 'tensor(0.5000, shape=(), dtype=float32)'],
    [tensor([1e-6, 1]), 'tensor([1.0000e-6, 1.0000e+0], shape=(2,), dtype=float32)'],
    [
      tensor([Number.NaN, Infinity, 1]),
      'tensor([     NaN, Infinity,       1.], shape=(3,), dtype=float32)',
    ],
    [zeros([0, 2]), 'tensor([], shape=(0, 2), dtype=float32)'],
    [
      tensor([1], { requires_grad: true }),
      'tensor([1.], shape=(1,), dtype=float32, requires_grad=true)',
    ],
  ])('%#', (x, text) => {
    expect(String(x)).toBe(text);
    expect(inspect(x)).toBe(text);
  });

  test('leaves out the middle of what is large', () => {
    const text = String(full([2, 1000], 1));
    expect(text).toBe(
      'tensor([[1., 1., 1., ..., 1., 1., 1.],\n        [1., 1., 1., ..., 1., 1., 1.]], ' +
        'shape=(2, 1000), dtype=float32)',
    );
  });
});
