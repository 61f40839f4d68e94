/**
 * Sums and squares of floats of 16 bits, which leave their range long before their mean or root
 * does.
 */

import { isHalfWidth } from '../base/half-width.ts';
import { Tensor } from '../core/tensor.ts';
import { cast } from './pointwise.ts';

/** What `body` gives for `x`: computed in float32 where x has 16 bits, and rounded once. */
export function inFullWidth<Result extends Tensor | readonly Tensor[]>(
  x: Tensor,
  body: (x: Tensor) => Result,
): Result {
  if (!isHalfWidth(x.dtype)) return body(x);
  const wide: Tensor | readonly Tensor[] = body(cast(x, 'float32'));
  const rounded = (result: Tensor) => cast(result, x.dtype);
  return (wide instanceof Tensor ? rounded(wide) : wide.map(rounded)) as Result;
}
