/** Methods of matrices and vectors. */

import * as aliases from '../aliases.ts';
import * as contraction from '../contraction.ts';
import * as linalg from '../linalg/torch.ts';
import { matmul } from '../matmul.ts';
import * as norms from '../norms.ts';
import * as products from '../products.ts';
import * as vectors from '../vectors.ts';

export const matrices = {
  addbmm: products.addbmm,
  addmm: products.addmm,
  addmv: products.addmv,
  addr: products.addr,
  baddbmm: products.baddbmm,
  bmm: products.bmm,
  cholesky: linalg.cholesky,
  choleskyInverse: linalg.choleskyInverse,
  choleskySolve: linalg.choleskySolve,
  cross: vectors.cross,
  det: linalg.det,
  dist: norms.dist,
  dot: products.dot,
  ger: aliases.ger,
  inner: contraction.inner,
  inverse: linalg.inverse,
  kron: contraction.kron,
  logdet: linalg.logdet,
  lu: linalg.lu,
  luSolve: linalg.luSolve,
  matmul,
  matrixExp: linalg.matrixExp,
  matrixPower: linalg.matrixPower,
  mm: products.mm,
  mv: products.mv,
  norm: norms.norm,
  orgqr: linalg.orgqr,
  outer: products.outer,
  pinverse: linalg.pinverse,
  qr: linalg.qr,
  renorm: norms.renorm,
  slogdet: linalg.slogdet,
  svd: linalg.svd,
  triangularSolve: linalg.triangularSolve,
  vdot: products.vdot,
} as const;
