/** What depends on which singular values count as zero: pseudoinverses and ranks. */

import { finfo } from '../../base/finfo.ts';
import { Tensor } from '../../core/tensor.ts';
import { scalarTensor } from '../creation.ts';
import { customFunction } from '../custom-function.ts';
import { unsqueeze } from '../movement.ts';
import { named } from '../named.ts';
import { abs, add, cast, gt, maximum, mul, neg, reciprocal, sub, where } from '../pointwise.ts';
import { amax, sum } from '../reduction.ts';
import { checkMatrices, checkSquare, mT, sizesOf, times } from './checks.ts';
import { eigenpairs, eigenvalues } from './eigh.ts';
import { decompose, singularValues } from './svd.ts';

/** A number, or one for each matrix. */
export type Tolerance = number | Tensor | null;

/**
 * Up to which magnitude a value counts as zero: max(atol, rtol * the largest), as (*, 1). Without
 * either rtol is epsilon times the matrices' longer edge; with a positive atol it is 0.
 */
function threshold(A: Tensor, magnitudes: Tensor, atol: Tolerance, rtol: Tolerance): Tensor {
  const usual = finfo(A.dtype).eps * Math.max(...sizesOf(A));
  const column = (x: number | Tensor) =>
    x instanceof Tensor ? unsqueeze(cast(x, A.dtype), -1) : scalarTensor(x, { dtype: A.dtype });
  const absolute = column(atol ?? 0);
  const relative = rtol === null ? where(gt(absolute, 0), 0, usual) : column(rtol);
  const largest = amax(magnitudes, -1, true);
  return maximum(absolute, mul(relative, largest));
}

/**
 * Golub and Pereyra, The differentiation of pseudo-inverses, 1973: right where the rank is
 * constant.
 */
const pseudoinverse = customFunction({
  name: 'linalg.pinv',
  forward(ctx, A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean) {
    const [left, values, right] = hermitian ? symmetric(A) : decompose(A);
    const magnitudes = abs(values);
    const kept = gt(magnitudes, threshold(A, magnitudes, atol, rtol));
    const inverted = where(kept, reciprocal(values), 0);
    const found = times(mul(mT(right), unsqueeze(inverted, -2)), mT(left));
    ctx.saveForBackward(A, found);
    return found;
  },
  backward(ctx, g) {
    const [A, P] = ctx.savedTensors as [Tensor, Tensor];
    const [G, Pt] = [mT(g), mT(P)];
    const inside = neg(times(times(Pt, g), Pt));
    const ofRows = times(times(sub(G, times(A, times(P, G))), P), Pt);
    const ofColumns = times(times(Pt, P), sub(G, times(times(G, P), A)));
    return [add(inside, add(ofRows, ofColumns)), null, null, null];
  },
});

/** The pseudoinverse of matrices; see `pinv`. */
export function pinvOf(
  op: string,
  A: Tensor,
  atol: Tolerance,
  rtol: Tolerance,
  hermitian = false,
): Tensor {
  checkMatrices(op, { A });
  if (hermitian) checkSquare(op, 'A', A);
  const [rows, columns] = sizesOf(A);
  if (rows === 0 || columns === 0) return mT(A);
  return pseudoinverse(A, atol, rtol, hermitian) as Tensor;
}

/** v, w and vᵀ with A = v diag(w) vᵀ. */
function symmetric(A: Tensor): [Tensor, Tensor, Tensor] {
  const [w, v] = eigenpairs(A);
  return [v, w, mT(v)];
}

/**
 * The pseudoinverse: (*, m, n) -> (*, n, m). Singular values (eigenvalues of a `hermitian` matrix)
 * up to max(atol, rtol * the largest) count as zero; `rcond` is another name of rtol. A tolerance
 * may be a tensor with one for each matrix.
 * https://pytorch.org/docs/stable/generated/torch.linalg.pinv.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read, for NaN or infinity
 */
export const pinv = named(
  'linalg.pinv',
  ['A', 'rcond', 'hermitian', 'atol', 'rtol'],
  (
    A: Tensor,
    rcond: Tolerance = null,
    hermitian = false,
    atol: Tolerance = null,
    rtol: Tolerance = null,
  ): Tensor => pinvOf('linalg.pinv', A, rcond === null ? atol : 0, rcond ?? rtol, hermitian),
);

/**
 * `linalg.pinv` with a relative tolerance.
 * https://pytorch.org/docs/stable/generated/torch.pinverse.html
 */
export const pinverse = named(
  'pinverse',
  ['input', 'rcond'],
  (input: Tensor, rcond = 1e-15): Tensor => pinvOf('pinverse', input, 0, rcond),
);

/**
 * How many singular values (eigenvalues of a `hermitian` matrix) exceed max(atol, rtol * the
 * largest): (*, m, n) -> int64 (*). `tol` is the older name of atol.
 * https://pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read, for NaN or infinity
 */
export const matrixRank = named(
  'linalg.matrix_rank',
  ['A', 'tol', 'hermitian', 'atol', 'rtol'],
  (
    A: Tensor,
    tol: Tolerance = null,
    hermitian = false,
    atol: Tolerance = null,
    rtol: Tolerance = null,
  ): Tensor => {
    const op = 'linalg.matrix_rank';
    checkMatrices(op, { A });
    if (hermitian) checkSquare(op, 'A', A);
    const magnitudes = hermitian ? abs(eigenvalues(A)) : singularValues(A);
    if (magnitudes.shape.at(-1) === 0) return sum(cast(magnitudes, 'int64'), -1);
    const limit = threshold(A, magnitudes, tol ?? atol, tol === null ? rtol : 0);
    return sum(cast(gt(magnitudes, limit), 'int64'), -1);
  },
);
