/**
 * The one table of kernel cases. It drives engine against engine (`conformance.test.ts`) and the
 * check that nothing is left out (`coverage.test.ts`). A new kernel adds its rows under `cases/`.
 */

import { withFloat16 } from '../half-width.ts';
import { ATTENTION_CASES } from './cases/attention.ts';
import { AVG_POOL_CASES } from './cases/avg-pool.ts';
import { BATCH_NORM_CASES } from './cases/batch-norm.ts';
import type { KernelCase } from './cases/case.ts';
import { CONV2D_CASES, POOL_CASES } from './cases/conv2d.ts';
import { CROSS_ENTROPY_CASES } from './cases/cross-entropy.ts';
import { EMBEDDING_CASES } from './cases/embedding.ts';
import { EPILOGUE_CASES } from './cases/epilogue.ts';
import { INDEXING_CASES } from './cases/indexing.ts';
import { LAYER_NORM_CASES } from './cases/layer-norm.ts';
import { LSTM_CASES } from './cases/lstm.ts';
import { MATMUL_CASES } from './cases/matmul.ts';
import { FACTORIZATION_CASES } from './cases/matrices.ts';
import { CREATION_CASES, MOVEMENT_CASES } from './cases/movement.ts';
import { OPTIMIZER_CASES } from './cases/optimizer.ts';
import { ORDER_CASES } from './cases/order.ts';
import { POINTWISE_CASES } from './cases/pointwise.ts';
import { RANDOM_CASES } from './cases/random.ts';
import { REDUCE_CASES } from './cases/reduce.ts';
import { SOFTMAX_CASES } from './cases/softmax.ts';
import { SPECTRUM_CASES } from './cases/spectra.ts';

export const CASES: readonly KernelCase[] = withFloat16([
  ...POINTWISE_CASES,
  ...REDUCE_CASES,
  ...MOVEMENT_CASES,
  ...CREATION_CASES,
  ...MATMUL_CASES,
  ...CONV2D_CASES,
  ...EPILOGUE_CASES,
  ...POOL_CASES,
  ...AVG_POOL_CASES,
  ...BATCH_NORM_CASES,
  ...SOFTMAX_CASES,
  ...CROSS_ENTROPY_CASES,
  ...LAYER_NORM_CASES,
  ...LSTM_CASES,
  ...INDEXING_CASES,
  ...FACTORIZATION_CASES,
  ...SPECTRUM_CASES,
  ...OPTIMIZER_CASES,
  ...ORDER_CASES,
  ...ATTENTION_CASES,
  ...EMBEDDING_CASES,
  ...RANDOM_CASES,
]);
