/** Norms of matrices, and the condition number made of them. */

import { type DType, needsFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { zeros } from '../creation.ts';
import { unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { vectorNormOf } from '../norms.ts';
import { abs, cast, div, eq, mul, where } from '../pointwise.ts';
import { amax, amin, sum } from '../reduction.ts';
import { select } from '../slicing.ts';
import { batchOf, checkMatrices, checkSquare } from './checks.ts';
import { inverseOf } from './solve.ts';
import { matrixDims, spectralNorm } from './spectral-norms.ts';
import { singularValues } from './svd.ts';

/** Of matrices: by sums of squares, by singular values, or by sums of rows or columns. */
export type MatrixOrder = 'fro' | 'nuc' | number;

function matrixNormOf(
  op: string,
  x: Tensor,
  ord: MatrixOrder,
  dim: readonly number[],
  keepdim: boolean,
): Tensor {
  needsFloating(op, x);
  const [rows, columns] = matrixDims(op, x, dim);
  if (ord === 'fro') return vectorNormOf(x, 2, [rows, columns], keepdim);
  if (ord === 'nuc' || ord === 2 || ord === -2) return spectralNorm(op, x, ord, dim, keepdim);
  const isOfColumns = Math.abs(ord) === 1;
  if (!isOfColumns && Math.abs(ord) !== Infinity) {
    const message = `ord must be "fro", "nuc", 1, 2, Infinity or one negated, got ${JSON.stringify(ord)}`;
    throw opError(ArgumentError, op, message);
  }
  const [summed, left] = isOfColumns ? [rows, columns] : [columns, rows];
  const sums = sum(abs(x), summed, keepdim);
  // Without the summed dimension those behind it move up.
  const at = keepdim || left < summed ? left : left - 1;
  return ord > 0 ? amax(sums, at, keepdim) : amin(sums, at, keepdim);
}

/**
 * The norm of the matrices along `dim`: `fro` of the elements as a vector, `nuc` the sum of the
 * singular values, 2 the largest and -2 the smallest of them, 1 and -1 the largest and smallest sum
 * of magnitudes of a column, Infinity and -Infinity of a row.
 * https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const matrixNorm = named(
  'linalg.matrix_norm',
  ['A', 'ord', 'dim', 'keepdim', 'dtype'],
  (
    A: Tensor,
    ord: MatrixOrder = 'fro',
    dim: readonly number[] = [-2, -1],
    keepdim = false,
    dtype: DType | null = null,
  ): Tensor => {
    requireTensors('linalg.matrix_norm', { A });
    const x = dtype === null ? A : cast(A, dtype);
    return matrixNormOf('linalg.matrix_norm', x, ord, dim, keepdim);
  },
);

/**
 * With one `dim` the norm of vectors, with two that of matrices. Without `dim` that of a vector or
 * a matrix, or without `ord` that of all elements as one vector.
 * https://pytorch.org/docs/stable/generated/torch.linalg.norm.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const norm = named(
  'linalg.norm',
  ['A', 'ord', 'dim', 'keepdim', 'dtype'],
  (
    A: Tensor,
    ord: MatrixOrder | null = null,
    dim: number | readonly number[] | null = null,
    keepdim = false,
    dtype: DType | null = null,
  ): Tensor => {
    const op = 'linalg.norm';
    requireTensors(op, { A });
    const x = dtype === null ? A : cast(A, dtype);
    needsFloating(op, x);
    if (ord === null) return vectorNormOf(x, 2, dim, keepdim);
    if (dim === null && x.ndim > 2) {
      const given = formatShape(x.shape);
      throw opError(
        ShapeError,
        op,
        `with ord but without dim needs a vector or matrix, got ${given}`,
      );
    }
    const dims = dim === null ? x.shape.map((_, i) => i) : [dim].flat();
    if (dims.length === 2) return matrixNormOf(op, x, ord, dims, keepdim);
    if (typeof ord === 'number' && dims.length <= 1) return vectorNormOf(x, ord, dims, keepdim);
    const message = `ord ${JSON.stringify(ord)} does not fit ${dims.length} dimensions`;
    throw opError(ArgumentError, op, message);
  },
);

/**
 * The condition number: the largest singular value by the smallest (p null or 2; -2: the smallest
 * by the largest), or the norm of A times that of its inverse (see `linalg.matrix_norm`), Infinity
 * for a singular matrix: (*, n, n) -> (*); for p null, 2 and -2 also (*, m, n).
 * https://pytorch.org/docs/stable/generated/torch.linalg.cond.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const cond = named(
  'linalg.cond',
  ['A', 'p'],
  (A: Tensor, p: MatrixOrder | null = null): Tensor => {
    const op = 'linalg.cond';
    checkMatrices(op, { A });
    if (A.numel() === 0) return zeros(batchOf(A), { dtype: A.dtype });
    if (p === null || p === 2 || p === -2) {
      const values = singularValues(A);
      const [largest, smallest] = [select(values, -1, 0), select(values, -1, -1)];
      return p === -2 ? div(smallest, largest) : div(largest, smallest);
    }
    checkSquare(op, 'A', A);
    const [inverse, info] = inverseOf(op, A, false);
    const isRegular = eq(info, 0);
    const finite = where(unsqueeze(unsqueeze(isRegular, -1), -1), inverse, 0);
    const normOf = (x: Tensor) => matrixNormOf(op, x, p, [-2, -1], false);
    return where(isRegular, mul(normOf(A), normOf(finite)), Infinity);
  },
);
