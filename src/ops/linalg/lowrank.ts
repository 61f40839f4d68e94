/**
 * Decompositions of matrices of low rank by random projections: Halko, Martinsson and Tropp,
 * Finding structure with randomness, 2009, algorithms 4.4 and 5.1.
 */

import { ArgumentError, opError } from '../../base/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { randn } from '../draws.ts';
import { named } from '../named.ts';
import { sub } from '../pointwise.ts';
import { mean } from '../reduction.ts';
import { checkMatrices, mT, sizesOf, times } from './checks.ts';
import { qr } from './qr.ts';
import { decompose } from './svd.ts';

/** Orthonormal columns (*, m, q) that almost span A (*, m, n). */
function range(A: Tensor, q: number, niter: number): Tensor {
  const basis = (x: Tensor) => qr(x)[0];
  let Q = basis(times(A, randn([A.shape.at(-1)!, q], { dtype: A.dtype })));
  for (let i = 0; i < niter; i++) Q = basis(times(A, basis(times(mT(A), Q))));
  return Q;
}

/** [U, S, V] of rank q. */
function approximate(A: Tensor, q: number, niter: number): [Tensor, Tensor, Tensor] {
  const [rows, columns] = sizesOf(A);
  if (rows < columns) {
    const [u, s, v] = approximate(mT(A), q, niter);
    return [v, s, u];
  }
  const Q = range(A, q, niter);
  const [u, s, vh] = decompose(times(mT(Q), A));
  return [times(Q, u), s, mT(vh)];
}

function checkRank(op: string, q: number, A: Tensor): void {
  const most = Math.min(...sizesOf(A));
  if (Number.isInteger(q) && q >= 0 && q <= most) return;
  throw opError(ArgumentError, op, `q must be an integer from 0 to ${most}, got ${q}`);
}

function checkIterations(op: string, niter: number): void {
  if (Number.isInteger(niter) && niter >= 0) return;
  throw opError(ArgumentError, op, `niter must be a natural number, got ${niter}`);
}

/**
 * [U, S, V] with A - M almost U diag(S) Vᵀ: (*, m, n) -> (*, m, q), (*, q), (*, n, q). The
 * projection is drawn at random; `niter` times it is brought closer to the largest singular
 * vectors.
 * https://pytorch.org/docs/stable/generated/torch.svd_lowrank.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const svdLowrank = named(
  'svd_lowrank',
  ['A', 'q', 'niter', 'M'],
  (
    A: Tensor,
    q: number | null = 6,
    niter: number | null = 2,
    M: Tensor | null = null,
  ): Tensor[] => {
    checkMatrices('svd_lowrank', { A });
    const rank = Math.min(q ?? 6, ...sizesOf(A));
    checkRank('svd_lowrank', rank, A);
    checkIterations('svd_lowrank', niter ?? 2);
    return approximate(M === null ? A : sub(A, M), rank, niter ?? 2);
  },
);

/**
 * [U, S, V]: the principal components of the rows of A, from which their mean is taken if `center`:
 * V's columns are the directions, U diag(S) the rows along them. (*, m, n) -> (*, m, q), (*, q),
 * (*, n, q); q is by default min(6, m, n).
 * https://pytorch.org/docs/stable/generated/torch.pca_lowrank.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const pcaLowrank = named(
  'pca_lowrank',
  ['A', 'q', 'center', 'niter'],
  (A: Tensor, q: number | null = null, center = true, niter = 2): Tensor[] => {
    checkMatrices('pca_lowrank', { A });
    const rank = q ?? Math.min(6, ...sizesOf(A));
    checkRank('pca_lowrank', rank, A);
    checkIterations('pca_lowrank', niter);
    return approximate(center ? sub(A, mean(A, -2, true)) : A, rank, niter);
  },
);
