/** Dropout. Its random numbers follow the generator, so a resumed run drops the same elements. */

import { ArgumentError, opError } from '../../base/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { dropElements } from '../../ops/dropout.ts';

/** Zeros each element with probability `p` and scales the others by 1 / (1 - p), in training. */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  if (!(p >= 0 && p <= 1)) {
    throw opError(ArgumentError, 'dropout', `p must be between 0 and 1, got ${p}`);
  }
  if (!training || p === 0) return x;
  return p === 1 ? x.mul(0) : dropElements(x, p);
}
