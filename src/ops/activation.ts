/** Clamping: a composite, so it needs neither a kernel nor a gradient rule. */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { gt, lt, where } from './pointwise.ts';

/** `x` limited to [`min`, `max`]; either may be left out. The gradient at a bound passes. */
export function clamp(x: Tensor, min?: number | null, max?: number | null): Tensor {
  if (min == null && max == null) {
    throw opError(ArgumentError, 'clamp', 'needs min, max or both');
  }
  const raised = min == null ? x : where(lt(x, min), min, x);
  return max == null ? raised : where(gt(raised, max), max, raised);
}
