/** Exponential moving averages, as optimizers keep them. */

import type { Tensor } from '../core/tensor.ts';
import { add, mul, type Operand, sub } from './pointwise.ts';

/**
 * average + weight * (value - average), computed from the nearer end where the weight is a number,
 * as PyTorch's `lerp`.
 */
export function movingAverage(average: Tensor, value: Tensor, weight: Operand): Tensor {
  const difference = sub(value, average);
  if (typeof weight !== 'number' || weight < 0.5) return add(average, mul(difference, weight));
  // In float32 PyTorch subtracts the rounded weight from 1.
  const rest = value.dtype === 'float64' ? 1 - weight : Math.fround(1 - Math.fround(weight));
  return sub(value, mul(difference, rest));
}

/** average * decay + value^2 * weight. */
export function movingSquare(
  average: Tensor,
  value: Tensor,
  decay: Operand,
  weight: Operand,
): Tensor {
  return add(mul(average, decay), mul(mul(value, weight), value));
}
