/** Least squares, by singular values. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { empty } from '../creation.ts';
import { hostValues } from '../masking.ts';
import { squeeze, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { mul, sub } from '../pointwise.ts';
import { sum } from '../reduction.ts';
import { checkMatrices, sizesOf, times, withOneBatch } from './checks.ts';
import { matrixRank, pinvOf } from './pinv.ts';
import { singularValues } from './svd.ts';

const DRIVERS = ['gels', 'gelsy', 'gelsd', 'gelss'] as const;
export type LstsqDriver = (typeof DRIVERS)[number];

/**
 * [solution, residuals, rank, singular_values]: X with the least |A X - B|, and of these the least
 * |X|: (*, m, n) and (*, m, k) or (*, m) -> (*, n, k) or (*, n). Every driver computes by singular
 * values here, of which those up to `rcond` times the largest count as zero; they differ in what
 * else they give, as in PyTorch: `gelsy` (the default) the rank, int64 (*); `gels` the residuals,
 * |A X - B|² (*, k), where m > n; `gelsd` and `gelss` the rank, the singular values, and residuals
 * where m > n and every rank is full, for which the ranks are read. The rest is empty.
 * https://pytorch.org/docs/stable/generated/torch.linalg.lstsq.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the result is read, for NaN or
 *   infinity
 */
export const lstsq = named(
  'linalg.lstsq',
  ['A', 'B', 'rcond', 'driver'],
  (
    A: Tensor,
    B: Tensor,
    rcond: number | null = null,
    driver: LstsqDriver | null = null,
  ): Tensor[] => {
    const op = 'linalg.lstsq';
    const { a, b, isVector } = operands(op, A, B);
    const chosen = driver ?? 'gelsy';
    if (!DRIVERS.includes(chosen)) {
      throw opError(ArgumentError, op, `driver must be ${DRIVERS.join(', ')}, got ${driver}`);
    }
    const x = times(pinvOf(op, a, 0, rcond), b);
    const rank = matrixRank(A.detach(), { atol: 0, rtol: rcond });
    const hasValues = chosen === 'gelsd' || chosen === 'gelss';
    const nothing = (dtype: Tensor['dtype']) => empty([0], { dtype });
    return [
      isVector ? squeeze(x, -1) : x,
      hasResiduals(op, A, chosen, rank) ? squares(sub(times(a, x), b)) : nothing(A.dtype),
      chosen === 'gels' ? nothing('int64') : rank,
      hasValues ? singularValues(A.detach()) : nothing(A.dtype),
    ];
  },
);

const squares = (x: Tensor) => sum(mul(x, x), -2);

function hasResiduals(op: string, A: Tensor, driver: LstsqDriver, rank: Tensor): boolean {
  const [rows, columns] = sizesOf(A);
  if (driver === 'gelsy' || rows <= columns) return false;
  return driver === 'gels' || Array.from(hostValues(op, rank), Number).every((n) => n === columns);
}

function operands(op: string, A: Tensor, B: Tensor) {
  requireTensors(op, { A, B });
  const isVector = A.ndim === B.ndim + 1 && A.ndim >= 2 && sameShape(A.shape.slice(0, -1), B.shape);
  const column = isVector ? unsqueeze(B, -1) : B;
  checkMatrices(op, { A, B: column });
  if (A.ndim !== column.ndim || A.shape.at(-2) !== column.shape.at(-2)) {
    const shapes = `A ${formatShape(A.shape)} and B ${formatShape(B.shape)}`;
    throw opError(ShapeError, op, `${shapes} do not fit (*, m, n) and (*, m, k) or (*, m)`);
  }
  const [a, b] = withOneBatch(op, A, column);
  return { a, b, isVector };
}
