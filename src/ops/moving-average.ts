/** Exponential moving averages, as optimizers keep them. */

import type { Tensor } from '../core/tensor.ts';
import { add, mul, type Operand, sub } from './pointwise.ts';

/**
 * average + weight * (value - average), computed from the nearer end where the weight is a number,
 * as PyTorch's `lerp`.
 */
export function movingAverage(average: Tensor, value: Tensor, weight: Operand): Tensor {
  const difference = sub(value, average);
  if (typeof weight === 'number' && weight >= 0.5) return sub(value, mul(difference, 1 - weight));
  return add(average, mul(difference, weight));
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
