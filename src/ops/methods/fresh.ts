/** Methods that make new tensors: of a dtype, of constants, of random numbers. */

import { type DType, isDType } from '../../base/dtype.ts';
import { Tensor } from '../../core/tensor.ts';
import * as creation from '../creation.ts';
import { cast } from '../pointwise.ts';
import * as random from '../random.ts';

/** As a dtype, as another tensor's, or as what follows the name of a device: there is only one. */
function converted(
  x: Tensor,
  ...given: readonly (DType | Tensor | string | boolean | null)[]
): Tensor {
  for (const as of given) {
    if (as instanceof Tensor) return cast(x, as.dtype);
    if (isDType(as)) return cast(x, as);
  }
  return x;
}

export const fresh = {
  to: converted,
  newEmpty: creation.newEmpty,
  newFull: creation.newFull,
  newOnes: creation.newOnes,
  newZeros: creation.newZeros,
  bernoulli: random.bernoulli,
  multinomial: random.multinomial,
  typeAs: (x: Tensor, other: Tensor) => cast(x, other.dtype),
} as const;
