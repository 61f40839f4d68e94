/** Tensors read as matrices, to be inverted and solved. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, normalizeDim, numel } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { movedim } from '../dimensions.ts';
import { reshape } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { inverseOf, solve } from './solve.ts';

/**
 * The tensor X with tensordot(A, X, ind) an identity: A's first `ind` dimensions, of as many
 * elements as the others, read as rows.
 * https://pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the inverse of a singular one is
 *   read
 */
export const tensorinv = named('linalg.tensorinv', ['A', 'ind'], (A: Tensor, ind = 2): Tensor => {
  const op = 'linalg.tensorinv';
  requireTensors(op, { A });
  if (!Number.isInteger(ind) || ind < 1) {
    throw opError(ArgumentError, op, `ind must be a positive integer, got ${ind}`);
  }
  const [left, right] = [A.shape.slice(0, ind), A.shape.slice(ind)];
  if (numel(left) !== numel(right)) {
    const sides = `${formatShape(left)} and ${formatShape(right)}`;
    throw opError(
      ShapeError,
      op,
      `the sizes before and after ind, ${sides}, differ in their product`,
    );
  }
  const [inverse] = inverseOf(op, reshape(A, [numel(left), numel(right)]), true);
  return reshape(inverse, [...right, ...left]);
});

/**
 * The tensor X with tensordot(A, X, X.ndim) = B, whose shape is that of A past B's dimensions. The
 * dimensions `dims` of A are first moved to its end.
 * https://pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the result of a singular A is
 *   read
 */
export const tensorsolve = named(
  'linalg.tensorsolve',
  ['A', 'B', 'dims'],
  (A: Tensor, B: Tensor, dims: readonly number[] | null = null): Tensor => {
    const op = 'linalg.tensorsolve';
    requireTensors(op, { A, B });
    const from = (dims ?? []).map((dim) => normalizeDim(op, dim, A.ndim));
    const moved =
      dims === null
        ? A
        : movedim(
            A,
            from,
            from.map((_, i) => A.ndim - from.length + i),
          );
    const unknown = moved.shape.slice(B.ndim);
    if (numel(unknown) !== B.numel() || A.numel() !== B.numel() ** 2) {
      const shapes = `A ${formatShape(moved.shape)} and B ${formatShape(B.shape)}`;
      throw opError(ShapeError, op, `${shapes} do not make a square matrix`);
    }
    const matrix = reshape(moved, [B.numel(), numel(unknown)]);
    return reshape(solve(matrix, reshape(B, [B.numel()])), unknown);
  },
);
