/** Methods of matrices and vectors. */

import * as aliases from '../aliases.ts';
import * as contraction from '../contraction.ts';
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
  cross: vectors.cross,
  dist: norms.dist,
  dot: products.dot,
  ger: aliases.ger,
  inner: contraction.inner,
  kron: contraction.kron,
  matmul,
  mm: products.mm,
  mv: products.mv,
  norm: norms.norm,
  outer: products.outer,
  renorm: norms.renorm,
  vdot: products.vdot,
} as const;
