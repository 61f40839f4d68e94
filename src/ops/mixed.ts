/**
 * What `autocast` does to an op's operands. Equal casts are one call in a Program, so a weight that
 * several ops read is converted once a step.
 */

import { type DType, isFloating } from '../base/dtype.ts';
import { currentAutocast } from '../core/autocast.ts';
import type { Tensor } from '../core/tensor.ts';
import { cast } from './pointwise.ts';

/** Operands of a matrix op: inside `autocast`, floats in its dtype. */
export function matrixOperand<T extends Tensor | null | undefined>(x: T): T {
  return inDType(x, currentAutocast()?.matrix);
}

/** Operands of a loss: inside `autocast`, floats in float32. */
export function lossOperand<T extends Tensor | null | undefined>(x: T): T {
  return inDType(x, currentAutocast()?.loss);
}

/** Whoever gives float64 asks for its digits, so it stays. */
function inDType<T extends Tensor | null | undefined>(x: T, dtype: DType | undefined): T {
  if (!x || dtype === undefined || !isFloating(x.dtype) || x.dtype === 'float64') return x;
  return cast(x, dtype) as T;
}
