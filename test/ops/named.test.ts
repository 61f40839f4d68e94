/** Arguments by position and by name. */

import { describe, expect, expectTypeOf, it } from 'vitest';
import { cos, errors, nn, type Tensor, tensor } from '../../src/index.ts';
import { named } from '../../src/ops/named.ts';

const sum = named(
  'sum',
  ['input', 'dim', 'keepdim', 'dtype'],
  (
    input: Tensor,
    dim: number | readonly number[],
    keepdim = false,
    dtype: 'float32' | null = null,
  ) => [input, dim, keepdim, dtype] as const,
);
const x = tensor([1, 2]);

describe('a named function', () => {
  it('takes arguments by position, by name, and the first ones by position', () => {
    const expected = [x, 1, true, null];
    expect(sum(x, 1, true)).toEqual(expected);
    expect(sum(x, { dim: 1, keepdim: true })).toEqual(expected);
    expect(sum(x, 1, { keepdim: true })).toEqual(expected);
    expect(sum({ input: x, dim: 1, keepdim: true })).toEqual(expected);
  });

  it('uses the defaults of what is left out', () => {
    expect(sum(x, [0, 1], { dtype: 'float32' })).toEqual([x, [0, 1], false, 'float32']);
  });

  it('keeps the types of arguments and result', () => {
    const [, dim, keepdim, dtype] = sum(x, 1);
    expectTypeOf(dim).toEqualTypeOf<number | readonly number[]>();
    expectTypeOf(keepdim).toEqualTypeOf<boolean>();
    expectTypeOf(dtype).toEqualTypeOf<'float32' | null>();
    // @ts-expect-error a wrong name
    expect(() => sum(x, 1, { keepdims: true })).toThrow('[sum] there is no argument keepdims');
    // @ts-expect-error a wrong type
    sum(x, { dim: 'all' });
    // @ts-expect-error a required argument is missing
    expect(() => sum(x)).toThrow('[sum] dim is missing');
    // @ts-expect-error the same, by name
    expect(() => sum(x, { keepdim: true })).toThrow('[sum] dim is missing');
  });

  it('names what is wrong', () => {
    const loose = sum as unknown as (...args: unknown[]) => unknown;
    expect(() => loose(x, { dims: 1 })).toThrow('there is no argument dims; is it dim?');
    expect(() => loose(x, { axis: 1 })).toThrow('it takes input, dim, keepdim, dtype');
    expect(() => loose(x, 1, { dim: 1 })).toThrow('[sum] dim is given twice');
    expect(() => loose(x, 1, true, null, 4)).toThrow('got 5 arguments');
  });
});

const place = named(
  'place',
  ['input', '*sizes', 'fill'],
  (input: Tensor, sizes: readonly number[], fill = 0) => [input, sizes, fill] as const,
);
const join = named('join', ['*tensors'], (tensors: readonly Tensor[]) => tensors.length);

describe('a starred argument', () => {
  it('is a list, its items one by one, or a list by name', () => {
    const expected = [x, [2, 3], 1];
    expect(place(x, [2, 3], 1)).toEqual(expected);
    expect(place(x, 2, 3, { fill: 1 })).toEqual(expected);
    expect(place(x, [2, 3], { fill: 1 })).toEqual(expected);
    expect(place(x, { sizes: [2, 3], fill: 1 })).toEqual(expected);
    expect(place(x, 2)).toEqual([x, [2], 0]);
    expect(place(x, [])).toEqual([x, [], 0]);
  });

  it('may be the only one', () => {
    expect([join(x), join(x, x), join([x, x, x]), join([])]).toEqual([1, 2, 3, 0]);
    expect(() => join()).toThrow('[join] tensors is missing');
  });

  it('has items of one type', () => {
    // @ts-expect-error a size is a number
    place(x, 2, 'three');
  });

  it('refuses what the compiler would have refused, with the error it led to', () => {
    const misuse = cos as unknown as (...args: unknown[]) => unknown;
    expect(() => misuse('x')).toThrow(errors.ArgumentError);
    expect(() => misuse(null)).toThrow('input null');
    const distance = () => {
      throw new TypeError('of the caller');
    };
    expect(() => nn.functional.tripletMarginWithDistanceLoss(x, x, x, distance)).toThrow(
      new TypeError('of the caller'),
    );
  });
});
