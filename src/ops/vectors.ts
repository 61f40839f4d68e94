/** Products of vectors along a dimension. */

import { opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkSizes } from './contraction.ts';
import { named, requireTensors } from './named.ts';
import { mul } from './pointwise.ts';
import { sum } from './reduction.ts';

/**
 * The vector product along `dim`, of size 3; the others broadcast.
 * https://pytorch.org/docs/stable/generated/torch.linalg.cross.html
 */
export const linalgCross = named(
  'linalg.cross',
  ['input', 'other', 'dim'],
  (input: Tensor, other: Tensor, dim = -1): Tensor =>
    vectorProduct('linalg.cross', input, other, dim),
);

/** As `linalg.cross`; `dim` is by default the first one of size 3. */
export const cross = named(
  'cross',
  ['input', 'other', 'dim'],
  (input: Tensor, other: Tensor, dim: number | null = null): Tensor => {
    requireTensors('cross', { input, other });
    const first = dim ?? input.shape.indexOf(3);
    if (dim === null && first === -1) {
      const given = formatShape(input.shape);
      throw opError(ShapeError, 'cross', `no dimension of ${given} has size 3`);
    }
    return vectorProduct('cross', input, other, first);
  },
);

function vectorProduct(op: string, input: Tensor, other: Tensor, dim: number): Tensor {
  requireTensors(op, { input, other });
  if (input.ndim !== other.ndim) checkSizes(op, false, input, other);
  const at = normalizeDim(op, dim, input.ndim);
  checkSizes(op, input.shape[at] === 3 && other.shape[at] === 3, input, other);
  const turned = (x: Tensor, by: number) => x.roll(by, at);
  return turned(input, -1)
    .mul(turned(other, 1))
    .sub(turned(input, 1).mul(turned(other, -1)));
}

/**
 * The sum of products along `dim`, the others broadcast.
 * https://pytorch.org/docs/stable/generated/torch.linalg.vecdot.html
 */
export const vecdot = named(
  'linalg.vecdot',
  ['x', 'y', 'dim'],
  (x: Tensor, y: Tensor, dim = -1): Tensor => {
    requireTensors('linalg.vecdot', { x, y });
    return sum(mul(x, y), dim);
  },
);
