/**
 * What `autocast` does to an op's operands. Equal casts are one call in a Program, so a weight that
 * several ops read is converted once a step.
 */

import { currentAutocast } from '../core/autocast.ts';
import type { Tensor } from '../core/tensor.ts';
import { cast } from './pointwise.ts';

/** Operands of a matrix op: inside `autocast`, float32 ones in bfloat16. */
export function matrixOperand<T extends Tensor | null | undefined>(x: T): T {
  const dtype = currentAutocast()?.matrix;
  return dtype && x?.dtype === 'float32' ? (cast(x, dtype) as T) : x;
}

/** Operands of a loss: inside `autocast`, bfloat16 ones in float32. */
export function lossOperand<T extends Tensor | null | undefined>(x: T): T {
  const dtype = currentAutocast()?.loss;
  return dtype && x?.dtype === 'bfloat16' ? (cast(x, dtype) as T) : x;
}
