/** What the in-place methods leave in the tensor they are called on. */

import type { Tensor } from '../../core/tensor.ts';
import * as bitwise from '../bitwise.ts';
import * as choosing from '../choosing.ts';
import { full } from '../constant.ts';
import * as diagonals from '../diagonals.ts';
import * as indexing from '../indexing.ts';
import * as masking from '../masking.ts';
import * as movement from '../movement.ts';
import type { Operand } from '../pointwise.ts';
import * as pointwise from '../pointwise.ts';
import * as random from '../random.ts';
import * as subscript from '../subscript.ts';

const { cast } = pointwise;

/** In-place methods: they rebind the tensor they are called on; other tensors do not change. */
export const inPlace = {
  add_: (x: Tensor, other: Operand) => pointwise.add(x, other),
  sub_: (x: Tensor, other: Operand) => pointwise.sub(x, other),
  mul_: (x: Tensor, other: Operand) => pointwise.mul(x, other),
  div_: (x: Tensor, other: Operand) => pointwise.div(x, other),
  bitwiseAnd_: (x: Tensor, other: Operand) => bitwise.bitwiseAnd(x, other),
  bitwiseOr_: (x: Tensor, other: Operand) => bitwise.bitwiseOr(x, other),
  bitwiseXor_: (x: Tensor, other: Operand) => bitwise.bitwiseXor(x, other),
  bitwiseNot_: bitwise.bitwiseNot,
  bitwiseLeftShift_: (x: Tensor, other: Operand) => bitwise.bitwiseLeftShift(x, other),
  bitwiseRightShift_: (x: Tensor, other: Operand) => bitwise.bitwiseRightShift(x, other),
  gcd_: bitwise.gcd,
  lcm_: bitwise.lcm,
  fill_: (x: Tensor, value: number) => full(x.shape, value, x.dtype),
  zero_: (x: Tensor) => full(x.shape, 0, x.dtype),
  indexAdd_: choosing.indexAdd,
  indexCopy_: choosing.indexCopy,
  indexFill_: choosing.indexFill,
  indexPut_: subscript.indexPut,
  indexReduce_: choosing.indexReduce,
  maskedFill_: masking.maskedFill,
  maskedScatter_: masking.maskedScatter,
  put_: choosing.put,
  scatterAdd_: indexing.scatterAdd,
  scatterReduce_: indexing.scatterReduce,
  scatter_: indexing.scatter,
  bernoulli_: (x: Tensor, p = 0.5) => random.bernoulli(x, p),
  cauchy_: random.cauchy,
  exponential_: random.exponential,
  geometric_: random.geometric,
  logNormal_: random.logNormal,
  normal_: random.normalLike,
  uniform_: random.uniform,
  tril_: diagonals.tril,
  triu_: diagonals.triu,
  copy_: (x: Tensor, other: Tensor) => movement.expand(cast(other, x.dtype), x.shape),
} as const;
