/** Norms of matrices by their singular values. */

import { opError, ShapeError } from '../../base/errors.ts';
import { formatShape, normalizeDims } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { permute, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { amax, amin, sum } from '../reduction.ts';
import { checkPrecision } from './checks.ts';
import { singularValues } from './svd.ts';

export type SpectralOrder = 'nuc' | 2 | -2;

/** The two dimensions of the matrices in `x`, in the order given. */
export function matrixDims(op: string, x: Tensor, dim: readonly number[]): [number, number] {
  if (x.ndim < 2 || dim.length !== 2) {
    const message = `needs two dimensions of matrices, got ${formatShape(x.shape)}, dim [${dim}]`;
    throw opError(ShapeError, op, message);
  }
  const [low, high] = normalizeDims(op, dim, x.ndim) as [number, number];
  const first = dim[0]! < 0 ? dim[0]! + x.ndim : dim[0]!;
  return first === low ? [low, high] : [high, low];
}

/**
 * The sum of the singular values of the matrices along `dim`, the largest, or for -2 the smallest.
 */
export function spectralNorm(
  op: string,
  x: Tensor,
  ord: SpectralOrder,
  dim: readonly number[],
  keepdim: boolean,
): Tensor {
  checkPrecision(op, 'A', x);
  const dims = matrixDims(op, x, dim);
  const others = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const values = singularValues(permute(x, [...others, ...dims]));
  const reduce = { nuc: sum, 2: amax, [-2]: amin }[ord];
  const found = reduce(values, -1);
  if (!keepdim) return found;
  return [...dims].sort((a, b) => a - b).reduce((kept, at) => unsqueeze(kept, at), found);
}

/**
 * The sum of the singular values of a matrix, or of the matrices along `dim`; differentiable where
 * they are distinct and not zero. The older name of `linalg.matrix_norm(input, 'nuc')`.
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const nuclearNorm = named(
  'nuclear_norm',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: readonly number[] | null = null, keepdim = false): Tensor => {
    requireTensors('nuclear_norm', { input });
    return spectralNorm(
      'nuclear_norm',
      input,
      'nuc',
      dim ?? wholeMatrix('nuclear_norm', input),
      keepdim,
    );
  },
);

/** The dimensions of a single matrix. */
export function wholeMatrix(op: string, x: Tensor): [number, number] {
  if (x.ndim === 2) return [0, 1];
  throw opError(ShapeError, op, `without dim a matrix is needed, got ${formatShape(x.shape)}`);
}
