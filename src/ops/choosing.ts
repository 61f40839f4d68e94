/** Parts of a tensor chosen along one dimension by a vector of indices. */

import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { rowsAt } from './embedding.ts';
import { reshape, transpose } from './movement.ts';
import { named } from './named.ts';

/** An index of one dimension; a number counts as one. */
function indexVector(op: string, index: Tensor): Tensor {
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
  }
  if (index.ndim <= 1) return reshape(index, [index.numel()]);
  const shape = formatShape(index.shape);
  throw opError(ShapeError, op, `index must have at most one dimension, got ${shape}`);
}

/**
 * The elements `index` along `dim`. An index out of range makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export const indexSelect = named(
  'index_select',
  ['input', 'dim', 'index'],
  (input: Tensor, dim: number, index: Tensor): Tensor => {
    const at = normalizeDim('index_select', dim, input.ndim);
    const places = indexVector('index_select', index);
    if (input.ndim === 0) {
      if (places.numel() === 1) return reshape(rowsAt(reshape(input, [1]), places), []);
      throw opError(ShapeError, 'index_select', 'a number has one element to choose');
    }
    return transpose(rowsAt(transpose(input, 0, at), places), 0, at);
  },
);
