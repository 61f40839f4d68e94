/** What floats are made of: mantissas, exponents, neighbours. */

import { needsFloating } from '../base/dtype.ts';
import { isHalfWidth } from '../base/half-width.ts';
import type { Tensor } from '../core/tensor.ts';
import { named, requireTensors } from './named.ts';
import { cast, div, eq, mul, where } from './pointwise.ts';
import { type BinaryVjp, binaryOfTensors, floatUnary, resultType } from './pointwise-rows.ts';
import { exp2 } from './transcendental.ts';

const frexpExponent = floatUnary('frexp_exponent', 'nondiff');
const frexpMantissa = floatUnary('frexp_mantissa', (g, x) =>
  div(g, exp2(frexpExponent(x.detach()))),
);

/**
 * [mantissa, exponent (int32)] with input = mantissa * 2^exponent and |mantissa| in [1/2, 1); 0,
 * NaN and the infinities are their own mantissas, with exponent 0.
 * https://pytorch.org/docs/stable/generated/torch.frexp.html
 *
 * @throws DTypeError unless `input` is floating.
 */
export const frexp = named('frexp', ['input'], (input: Tensor): [Tensor, Tensor] => {
  requireTensors('frexp', { input });
  needsFloating('frexp', input);
  return [frexpMantissa(input), cast(frexpExponent(input.detach()), 'int32')];
});

/** A neighbour moves with `input`; where both are equal, with neither, as in PyTorch. */
const neighbourVjp: BinaryVjp = (g, a, b) => [where(eq(a, b), 0, g), mul(g, 0)];
const FLOATING = { operands: 'floating' } as const;
const nextFloat = binaryOfTensors('nextafter', neighbourVjp, FLOATING);
const nextHalf = {
  bfloat16: binaryOfTensors('nextafter_bfloat16', neighbourVjp, FLOATING),
  float16: binaryOfTensors('nextafter_float16', neighbourVjp, FLOATING),
};

/**
 * The number next to `input` in the direction of `other`, among those that the dtype can hold.
 * https://pytorch.org/docs/stable/generated/torch.nextafter.html
 *
 * @throws DTypeError for integers.
 */
export const nextafter = named(
  'nextafter',
  ['input', 'other'],
  (input: Tensor, other: Tensor): Tensor => {
    requireTensors('nextafter', { input, other });
    const dtype = resultType(input, other);
    return isHalfWidth(dtype) ? nextHalf[dtype](input, other) : nextFloat(input, other);
  },
);
