/**
 * Comparisons beyond the pointwise rows: with a tolerance, of whole tensors, of kinds of numbers.
 */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { named, requireTensors } from './named.ts';
import {
  abs,
  add,
  cast,
  eq,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  mul,
  sub,
} from './pointwise.ts';
import { amin } from './reduction.ts';

/** Neither NaN nor infinite. */
export const isfinite = named(
  'isfinite',
  ['input'],
  (input: Tensor): Tensor => logicalNot(logicalOr(isnan(input), isinf(input))),
);

/** Is it positive infinity? */
export const isposinf = named(
  'isposinf',
  ['input'],
  (input: Tensor): Tensor => eq(input, Infinity),
);

/** Is it negative infinity? */
export const isneginf = named(
  'isneginf',
  ['input'],
  (input: Tensor): Tensor => eq(input, -Infinity),
);

/**
 * |input - other| <= atol + rtol * |other|, or equal; NaN are equal where `equal_nan`.
 * https://pytorch.org/docs/stable/generated/torch.isclose.html
 */
export const isclose = named(
  'isclose',
  ['input', 'other', 'rtol', 'atol', 'equal_nan'],
  (input: Tensor, other: Tensor, rtol = 1e-5, atol = 1e-8, equal_nan = false): Tensor => {
    requireTensors('isclose', { input, other });
    if (input.dtype !== other.dtype) {
      const dtypes = `${input.dtype} and ${other.dtype}`;
      throw opError(DTypeError, 'isclose', `needs tensors of one dtype, got ${dtypes}`);
    }
    if (rtol < 0 || atol < 0) {
      throw opError(ArgumentError, 'isclose', `rtol ${rtol} and atol ${atol} must not be negative`);
    }
    const same = eq(input, other);
    const wide = (x: Tensor) => (isFloating(x.dtype) ? x : cast(x, 'float64'));
    const [a, b] = [wide(input), wide(other)];
    const allowed = add(mul(abs(b), rtol), atol);
    const near = logicalAnd(le(abs(sub(a, b)), allowed), logicalAnd(isfinite(a), isfinite(b)));
    const close = logicalOr(same, near);
    return equal_nan ? logicalOr(close, logicalAnd(isnan(a), isnan(b))) : close;
  },
);

/** Are all elements true? Reads the values. */
function everywhere(truth: Tensor): boolean {
  return truth.numel() === 0 || amin(cast(truth, 'uint8')).item() !== 0;
}

/**
 * Are all elements close, as `isclose` says? Reads the values, so not inside a compiled step.
 * https://pytorch.org/docs/stable/generated/torch.allclose.html
 */
export const allclose = named(
  'allclose',
  ['input', 'other', 'rtol', 'atol', 'equal_nan'],
  (input: Tensor, other: Tensor, rtol = 1e-5, atol = 1e-8, equal_nan = false): boolean =>
    everywhere(isclose(input, other, rtol, atol, equal_nan)),
);

/**
 * Have the tensors one shape and equal elements? Reads the values, so not inside a compiled step.
 * https://pytorch.org/docs/stable/generated/torch.equal.html
 */
export const equal = named(
  'equal',
  ['input', 'other'],
  (input: Tensor, other: Tensor): boolean =>
    sameShape(input.shape, other.shape) && everywhere(eq(input, other)),
);
