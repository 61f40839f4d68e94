/**
 * Every kernel of `kernels.ts` and the function that computes it; a missing one does not compile.
 */

import type { KernelName } from '../kernels.ts';
import { attentionBackward, attentionForward } from './attention.ts';
import { avgPool2dBackward, avgPool2dForward } from './avg-pool.ts';
import { batchNormBackward, batchNormForward } from './batch-norm.ts';
import { conv2dBackwardData, conv2dBackwardWeight, conv2dForward } from './conv2d.ts';
import { arange, fill } from './creation.ts';
import { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts';
import { eigh } from './eigh.ts';
import { gatherRows, scatterRows } from './embedding.ts';
import { withEpilogue } from './epilogue.ts';
import { cholesky, luFactor, permutation, triangularSolve } from './factorizations.ts';
import { gather, scatter, scatterAdd } from './indexing.ts';
import type { KernelFunction } from './kernel.ts';
import { layerNormBackward, layerNormForward } from './layer-norm.ts';
import { lstmBackward, lstmForward } from './lstm.ts';
import { matmul } from './matmul.ts';
import { matrixExp } from './matrix-exp.ts';
import { alias, cat, copyView, placeView } from './movement.ts';
import { clipNorm, fusedAdam, fusedSgd } from './optimizer.ts';
import { searchSorted, sort } from './order.ts';
import { pointwise } from './pointwise.ts';
import { maxPool2dBackward, maxPool2dForward } from './pool.ts';
import { householderProduct, qr } from './qr.ts';
import { dropout, philox } from './random.ts';
import { argReduce, reduce } from './reduce.ts';
import { scan, scanExtreme } from './scan.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { svd } from './svd.ts';

export const KERNELS: { readonly [K in KernelName]: KernelFunction<K> } = {
  alias,
  pointwise,
  reduce,
  arg_reduce: argReduce,
  copy_view: copyView,
  place_view: placeView,
  cat,
  fill,
  arange,
  philox,
  dropout,
  matmul: withEpilogue('matmul', matmul),
  conv2d_fwd: withEpilogue('conv2d_fwd', conv2dForward),
  conv2d_bwd_data: conv2dBackwardData,
  conv2d_bwd_weight: conv2dBackwardWeight,
  max_pool2d_fwd: maxPool2dForward,
  avg_pool2d_fwd: avgPool2dForward,
  avg_pool2d_bwd: avgPool2dBackward,
  batch_norm_fwd: withEpilogue('batch_norm_fwd', batchNormForward),
  batch_norm_bwd: batchNormBackward,
  max_pool2d_bwd: maxPool2dBackward,
  cross_entropy_fwd: crossEntropyForward,
  cross_entropy_bwd: crossEntropyBackward,
  log_softmax: logSoftmax,
  softmax,
  layer_norm_fwd: layerNormForward,
  layer_norm_bwd: layerNormBackward,
  lstm_fwd: lstmForward,
  lstm_bwd: lstmBackward,
  attention_fwd: attentionForward,
  attention_bwd: attentionBackward,
  gather_rows: gatherRows,
  scatter_rows: scatterRows,
  gather,
  scatter,
  scatter_add: scatterAdd,
  sort,
  search_sorted: searchSorted,
  scan,
  scan_extreme: scanExtreme,
  cholesky,
  lu_factor: luFactor,
  permutation,
  triangular_solve: triangularSolve,
  qr,
  householder_product: householderProduct,
  svd,
  eigh,
  matrix_exp: matrixExp,
  fused_sgd: fusedSgd,
  fused_adam: fusedAdam,
  clip_norm: clipNorm,
};
