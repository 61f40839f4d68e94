/** The functions of linear algebra that PyTorch has outside of the namespace `linalg`. */

export { chainMatmul } from '../chain.ts';
export { choleskyInverse, choleskySolve, torchCholesky as cholesky } from './cholesky.ts';
export { logdet, torchDet as det, torchSlogdet as slogdet } from './determinant.ts';
export { torchMatrixExp as matrixExp, torchMatrixPower as matrixPower } from './functions.ts';
export { pcaLowrank, svdLowrank } from './lowrank.ts';
export { luUnpack, torchLu as lu, torchLuSolve as luSolve } from './lu.ts';
export { pinverse } from './pinv.ts';
export { orgqr, torchQr as qr } from './qr.ts';
export { inverse } from './solve.ts';
export { nuclearNorm } from './spectral-norms.ts';
export { torchSvd as svd } from './svd.ts';
export { triangularSolve } from './triangular.ts';
export { torchVander as vander } from './vander.ts';
