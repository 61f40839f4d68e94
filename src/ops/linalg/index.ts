/**
 * The namespace `linalg`: https://pytorch.org/docs/stable/linalg.html. Matrices are float32 or
 * float64 in the last two dimensions. What is factored needs LAPACK on the cpu; see README.md.
 */

export { multiDot } from '../chain.ts';
export { linalgDiagonal as diagonal } from '../diagonals.ts';
export { matmul } from '../matmul.ts';
export { vectorNorm } from '../norms.ts';
export { linalgCross as cross, vecdot } from '../vectors.ts';
export { cholesky, choleskyEx } from './cholesky.ts';
export { det, slogdet } from './determinant.ts';
export { eigh, eigvalsh } from './eigh.ts';
export { matrixExp, matrixPower } from './functions.ts';
export { type LstsqDriver, lstsq } from './lstsq.ts';
export { lu, luFactor, luFactorEx, luSolve } from './lu.ts';
export { cond, type MatrixOrder, matrixNorm, norm } from './norms.ts';
export { matrixRank, pinv, type Tolerance } from './pinv.ts';
export { householderProduct, type QrMode, qr } from './qr.ts';
export { inv, invEx, solve, solveEx } from './solve.ts';
export { svd, svdvals } from './svd.ts';
export { tensorinv, tensorsolve } from './tensor-equations.ts';
export { solveTriangular } from './triangular.ts';
export { vander } from './vander.ts';
