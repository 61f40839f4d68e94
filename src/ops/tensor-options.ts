/** What all functions that make tensors take: a dtype, and whether to require gradients. */

import { type DType, isDType } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';

export interface TensorOptions {
  readonly dtype?: DType;
  readonly requires_grad?: boolean;
}

export function finish(made: Tensor, { requires_grad = false }: TensorOptions): Tensor {
  return requires_grad ? made.requires_grad_() : made;
}

export function checkDType(op: string, dtype: DType): DType {
  if (isDType(dtype)) return dtype;
  throw opError(DTypeError, op, `unknown dtype ${JSON.stringify(dtype)}`);
}
