/** The op table's cases, one list for every test in this folder. */

import { withFloat16 } from '../half-width.ts';
import type { OpCase } from './case.ts';
import { ATTENTION } from './cases/attention.ts';
import { AVG_POOL } from './cases/avg-pool.ts';
import { BATCH_NORM } from './cases/batch-norm.ts';
import { BINARY } from './cases/binary.ts';
import { BITWISE } from './cases/bitwise.ts';
import { CONVOLUTIONS } from './cases/convolutions.ts';
import { CREATION } from './cases/creation.ts';
import { DIMENSIONS } from './cases/dimensions.ts';
import { EMBEDDING } from './cases/embedding.ts';
import { INDEXING } from './cases/indexing.ts';
import { LAYER_NORM } from './cases/layer-norm.ts';
import { LINALG } from './cases/linalg.ts';
import { LOSSES } from './cases/losses.ts';
import { MATMUL } from './cases/matmul.ts';
import { MOVEMENT } from './cases/movement.ts';
import { OPTIMIZER } from './cases/optimizer.ts';
import { ORDER } from './cases/order.ts';
import { POINTWISE } from './cases/pointwise.ts';
import { RECURRENT } from './cases/recurrent.ts';
import { REDUCTION } from './cases/reduction.ts';
import { SOFTMAX } from './cases/softmax.ts';
import { SPECIAL_FUNCTIONS } from './cases/special-functions.ts';
import { WINDOW } from './cases/window.ts';

export const CASES: readonly OpCase[] = withFloat16([
  ...POINTWISE,
  ...BINARY,
  ...BITWISE,
  ...SPECIAL_FUNCTIONS,
  ...REDUCTION,
  ...MOVEMENT,
  ...MATMUL,
  ...WINDOW,
  ...CONVOLUTIONS,
  ...OPTIMIZER,
  ...ORDER,
  ...AVG_POOL,
  ...BATCH_NORM,
  ...SOFTMAX,
  ...LAYER_NORM,
  ...RECURRENT,
  ...ATTENTION,
  ...DIMENSIONS,
  ...EMBEDDING,
  ...INDEXING,
  ...CREATION,
  ...LINALG,
  ...LOSSES,
]);
