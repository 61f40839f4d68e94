/**
 * Every in-place method leaves what the function of its name gives, and refuses what does not fit.
 */

import { describe, expect, it } from 'vitest';
import { full, type Tensor, tensor } from '../../src/index.ts';
import { ALSO_IN_PLACE } from '../../src/ops/methods/in-place.ts';

const x = () => tensor([0.25, 0.5, 0.75]);
const whole = () => tensor([6, 4, 9], { dtype: 'int64' });
const square = () =>
  tensor([
    [0.1, 0.2],
    [0.3, 0.4],
  ]);
const index = tensor([0, 2], { dtype: 'int64' });
const pair = tensor([0.5, 0.6]);

/** The tensor and what follows it; other names take the tensor alone, or one like it. */
const CALLS: Readonly<Record<string, () => readonly [Tensor, ...unknown[]]>> = {
  acosh: () => [tensor([1, 2, 3])],
  arccosh: () => [tensor([1, 2, 3])],
  addbmm: () => [square(), full([3, 2, 2], 2), full([3, 2, 2], 3)],
  addcdiv: () => [x(), x(), x(), { value: 2 }],
  addcmul: () => [x(), x(), x(), { value: 2 }],
  addmm: () => [square(), square(), square()],
  addmv: () => [pair.clone(), square(), pair],
  addr: () => [square(), pair, pair],
  baddbmm: () => [full([3, 2, 2], 1), full([3, 2, 2], 2), full([3, 2, 2], 3)],
  clamp: () => [x(), 0.3, 0.6],
  clip: () => [x(), 0.3, 0.6],
  cumprod: () => [x(), 0],
  cumsum: () => [x(), 0],
  indexAdd: () => [x(), 0, index, pair],
  indexCopy: () => [x(), 0, index, pair],
  indexFill: () => [x(), 0, index, 7],
  indexPut: () => [x(), [index], pair],
  indexReduce: () => [x(), 0, index, pair, 'prod'],
  lerp: () => [x(), x().neg(), 0.3],
  maskedFill: () => [x(), x().gt(0.3), 7],
  maskedScatter: () => [x(), x().gt(0.3), pair],
  mvlgamma: () => [tensor([3, 4, 5]), 2],
  put: () => [x(), index, pair],
  renorm: () => [square(), 2, 0, 0.3],
  scatter: () => [x(), 0, index, pair],
  scatterAdd: () => [x(), 0, index, pair],
  scatterReduce: () => [x(), 0, index, pair, 'amax'],
  tril: () => [square()],
  triu: () => [square()],
};
const OF_INTEGERS = /^bitwise|^gcd$|^lcm$/;
const OF_TWO =
  /^(add|arctan2|atan2|bitwise(?!Not).*|clampM.*|copysign|div|divide|eq|f?mod|floorDivide|floatPower|fmod|gcd|ge|greater.*|gt|heaviside|hypot|lcm|ldexp|le|less.*|logical(And|Or|Xor)|lt|mul|multiply|ne|nextafter|notEqual|pow|remainder|sub|subtract|trueDivide|xlogy)$/;

function callOf(name: string): readonly [Tensor, ...unknown[]] {
  const given = CALLS[name];
  if (given !== undefined) return given();
  const make = OF_INTEGERS.test(name) ? whole : x;
  return OF_TWO.test(name) ? [make(), make()] : [make()];
}

type Methods = Record<string, (...args: unknown[]) => Tensor>;

describe('an in-place method', () => {
  it.each([...ALSO_IN_PLACE])('%s_', (name) => {
    const [input, ...args] = callOf(name);
    const expected = (input.clone() as unknown as Methods)[name]!(...args).to(input.dtype);
    const result = (input as unknown as Methods)[`${name}_`]!(...args);
    expect(result).toBe(input);
    expect(input.tolist()).toEqual(expected.tolist());
  });

  it('passes options on', () => {
    expect(
      tensor([1, 2])
        .add_(tensor([1, 1]), { alpha: 3 })
        .tolist(),
    ).toEqual([4, 5]);
    expect(tensor([7, -7]).div_(2, { rounding_mode: 'floor' }).tolist()).toEqual([3, -4]);
  });

  it('keeps its shape and the kind of its numbers', () => {
    expect(() => x().add_(full([2, 3], 1))).toThrow('[in-place] a float32 tensor of shape (3,)');
    expect(() => whole().div_(2)).toThrow('[div_] the result is float32');
    expect(x().gt_(0.3).tolist()).toEqual([0, 1, 1]);
  });

  it('changes the shape where that is its purpose', () => {
    expect(square().unsqueeze_(0).shape).toEqual([1, 2, 2]);
    expect(full([1, 3, 1], 2).squeeze_().shape).toEqual([3]);
    expect(full([2, 3], 2).t_().shape).toEqual([3, 2]);
    expect(full([2, 3, 4], 2).transpose_(0, 2).shape).toEqual([4, 3, 2]);
  });

  it('fills with a number or a tensor of one', () => {
    expect(x().fill_(2).tolist()).toEqual([2, 2, 2]);
    expect(x().fill_(tensor(3)).tolist()).toEqual([3, 3, 3]);
    expect(() => x().fill_(x())).toThrow('[fill] value must have no dimension, got (3,)');
  });
});
