/** Activations and clamping: composites, so they need neither a kernel nor a gradient rule. */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { gt, le, lt, where } from './pointwise.ts';

/** max(x, 0). NaN stays NaN, and the gradient at 0 is 0, as in PyTorch. */
export function relu(x: Tensor): Tensor {
  return where(le(x, 0), 0, x);
}

/** `x` limited to [`min`, `max`]; either may be left out. The gradient at a bound passes. */
export function clamp(x: Tensor, min?: number | null, max?: number | null): Tensor {
  if (min == null && max == null) {
    throw opError(ArgumentError, 'clamp', 'needs min, max or both');
  }
  const raised = min == null ? x : where(lt(x, min), min, x);
  return max == null ? raised : where(gt(raised, max), max, raised);
}
