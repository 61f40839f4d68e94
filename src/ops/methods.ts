/** Attaches the ops to Tensor, so that `x.add(y).relu()` reads as in PyTorch. */

import { category, type DType, isDType, promoteTypes } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import { type BackwardOptions, backward, provideGradientOps } from '../core/autograd.ts';
import { type GradientHook, type RemovableHandle, registerHook } from '../core/hooks.ts';
import { Tensor } from '../core/tensor.ts';
import * as aliases from './aliases.ts';
import * as arithmetic from './arithmetic.ts';
import * as choosing from './choosing.ts';
import * as comparison from './comparison.ts';
import { full } from './constant.ts';
import * as contraction from './contraction.ts';
import * as creation from './creation.ts';
import * as diagonals from './diagonals.ts';
import { diff } from './differences.ts';
import * as dimensions from './dimensions.ts';
import * as extremes from './extremes.ts';
import * as indexing from './indexing.ts';
import * as masking from './masking.ts';
import { matmul } from './matmul.ts';
import * as movement from './movement.ts';
import * as norms from './norms.ts';
import type { Operand } from './pointwise.ts';
import * as pointwise from './pointwise.ts';
import * as products from './products.ts';
import { nanquantile, quantile } from './quantile.ts';
import * as random from './random.ts';
import * as reduction from './reduction.ts';
import * as repetition from './repetition.ts';
import * as scanning from './scanning.ts';
import * as slicing from './slicing.ts';
import { logSoftmax, softmax } from './softmax.ts';
import * as sorting from './sorting.ts';
import * as splitting from './splitting.ts';
import * as subscript from './subscript.ts';
import * as transcendental from './transcendental.ts';
import { unfold } from './unfolding.ts';
import * as vectors from './vectors.ts';

const { cast } = pointwise;

/** As a dtype, as another tensor's, or as what follows the name of a device: there is only one. */
function converted(
  x: Tensor,
  ...given: readonly (DType | Tensor | string | boolean | null)[]
): Tensor {
  for (const as of given) {
    if (as instanceof Tensor) return cast(x, as.dtype);
    if (isDType(as)) return cast(x, as);
  }
  return x;
}

provideGradientOps({
  add: pointwise.add,
  sumTo: reduction.sumTo,
  cast,
  full,
});

/** Methods that take the tensor as their first argument and nothing else into account. */
const methods = {
  abs: pointwise.abs,
  absolute: aliases.absolute,
  acos: transcendental.acos,
  acosh: transcendental.acosh,
  add: pointwise.add,
  addbmm: products.addbmm,
  addcdiv: arithmetic.addcdiv,
  addcmul: arithmetic.addcmul,
  addmm: products.addmm,
  addmv: products.addmv,
  addr: products.addr,
  adjoint: dimensions.adjoint,
  all: extremes.all,
  allclose: comparison.allclose,
  amax: reduction.amax,
  amin: reduction.amin,
  aminmax: extremes.aminmax,
  any: extremes.any,
  arccos: aliases.arccos,
  arccosh: aliases.arccosh,
  arcsin: aliases.arcsin,
  arcsinh: aliases.arcsinh,
  arctan: aliases.arctan,
  arctan2: aliases.arctan2,
  arctanh: aliases.arctanh,
  argmax: reduction.argmax,
  argmin: reduction.argmin,
  argsort: sorting.argsort,
  argwhere: masking.argwhere,
  asin: transcendental.asin,
  asinh: transcendental.asinh,
  atan: transcendental.atan,
  atan2: pointwise.atan2,
  atanh: transcendental.atanh,
  baddbmm: products.baddbmm,
  bmm: products.bmm,
  broadcastTo: movement.broadcastTo,
  ceil: pointwise.ceil,
  chunk: splitting.chunk,
  clamp: arithmetic.clamp,
  clampMax: arithmetic.clampMax,
  clampMin: arithmetic.clampMin,
  clip: aliases.clip,
  clone: dimensions.clone,
  contiguous: dimensions.contiguous,
  copysign: arithmetic.copysign,
  cos: pointwise.cos,
  cosh: transcendental.cosh,
  countNonzero: extremes.countNonzero,
  cross: vectors.cross,
  cummax: scanning.cummax,
  cummin: scanning.cummin,
  cumprod: scanning.cumprod,
  cumsum: scanning.cumsum,
  deg2rad: arithmetic.deg2rad,
  diag: diagonals.diag,
  diagEmbed: diagonals.diagEmbed,
  diagflat: diagonals.diagflat,
  diagonal: diagonals.diagonal,
  diagonalScatter: diagonals.diagonalScatter,
  digamma: transcendental.digamma,
  dist: norms.dist,
  div: pointwise.div,
  divide: aliases.divide,
  dot: products.dot,
  dsplit: splitting.dsplit,
  eq: pointwise.eq,
  equal: comparison.equal,
  erf: pointwise.erf,
  erfc: transcendental.erfc,
  erfinv: transcendental.erfinv,
  exp: pointwise.exp,
  exp2: transcendental.exp2,
  expand: movement.expand,
  expandAs: dimensions.expandAs,
  expm1: pointwise.expm1,
  fix: aliases.fix,
  flatten: movement.flatten,
  flip: slicing.flip,
  fliplr: repetition.fliplr,
  flipud: repetition.flipud,
  floatPower: arithmetic.floatPower,
  floor: pointwise.floor,
  floorDivide: arithmetic.floorDivide,
  fmax: arithmetic.fmax,
  fmin: arithmetic.fmin,
  fmod: pointwise.fmod,
  frac: arithmetic.frac,
  gather: indexing.gather,
  ge: pointwise.ge,
  ger: aliases.ger,
  greater: aliases.greater,
  greaterEqual: aliases.greaterEqual,
  gt: pointwise.gt,
  heaviside: arithmetic.heaviside,
  hsplit: splitting.hsplit,
  hypot: arithmetic.hypot,
  index: subscript.index,
  indexAdd: choosing.indexAdd,
  indexCopy: choosing.indexCopy,
  indexFill: choosing.indexFill,
  indexPut: subscript.indexPut,
  indexReduce: choosing.indexReduce,
  indexSelect: choosing.indexSelect,
  inner: contraction.inner,
  isclose: comparison.isclose,
  isfinite: comparison.isfinite,
  isinf: pointwise.isinf,
  isnan: pointwise.isnan,
  isneginf: comparison.isneginf,
  isposinf: comparison.isposinf,
  kron: contraction.kron,
  kthvalue: sorting.kthvalue,
  ldexp: arithmetic.ldexp,
  le: pointwise.le,
  lerp: arithmetic.lerp,
  less: aliases.less,
  lessEqual: aliases.lessEqual,
  lgamma: transcendental.lgamma,
  log: pointwise.log,
  log10: transcendental.log10,
  log1p: pointwise.log1p,
  log2: transcendental.log2,
  logaddexp: arithmetic.logaddexp,
  logaddexp2: arithmetic.logaddexp2,
  logcumsumexp: scanning.logcumsumexp,
  logicalAnd: pointwise.logicalAnd,
  logicalNot: pointwise.logicalNot,
  logicalOr: pointwise.logicalOr,
  logicalXor: pointwise.logicalXor,
  logit: arithmetic.logit,
  logSoftmax,
  logsumexp: reduction.logsumexp,
  lt: pointwise.lt,
  maskedFill: masking.maskedFill,
  maskedScatter: masking.maskedScatter,
  maskedSelect: masking.maskedSelect,
  matmul,
  max: extremes.max,
  maximum: pointwise.maximum,
  mean: reduction.mean,
  min: extremes.min,
  minimum: pointwise.minimum,
  mm: products.mm,
  mode: sorting.mode,
  moveaxis: dimensions.moveaxis,
  movedim: dimensions.movedim,
  msort: sorting.msort,
  mul: pointwise.mul,
  multiply: aliases.multiply,
  mv: products.mv,
  mvlgamma: transcendental.mvlgamma,
  nanmean: extremes.nanmean,
  nansum: extremes.nansum,
  nanToNum: arithmetic.nanToNum,
  narrow: slicing.narrow,
  ne: pointwise.ne,
  neg: pointwise.neg,
  negative: aliases.negative,
  nonzero: masking.nonzero,
  norm: norms.norm,
  notEqual: aliases.notEqual,
  outer: products.outer,
  permute: movement.permute,
  positive: dimensions.positive,
  pow: pointwise.pow,
  prod: reduction.prod,
  put: choosing.put,
  rad2deg: arithmetic.rad2deg,
  ravel: dimensions.ravel,
  reciprocal: pointwise.reciprocal,
  relu: pointwise.relu,
  remainder: arithmetic.remainder,
  renorm: norms.renorm,
  repeat: repetition.repeat,
  repeatInterleave: repetition.repeatInterleave,
  reshape: movement.reshape,
  reshapeAs: dimensions.reshapeAs,
  roll: repetition.roll,
  rot90: repetition.rot90,
  round: pointwise.round,
  rsqrt: pointwise.rsqrt,
  scatter: indexing.scatter,
  scatterAdd: indexing.scatterAdd,
  scatterReduce: indexing.scatterReduce,
  select: slicing.select,
  selectScatter: slicing.selectScatter,
  sgn: arithmetic.sgn,
  sigmoid: pointwise.sigmoid,
  sign: pointwise.sign,
  signbit: arithmetic.signbit,
  sin: pointwise.sin,
  sinc: arithmetic.sinc,
  sinh: transcendental.sinh,
  slice: slicing.slice,
  sliceScatter: slicing.sliceScatter,
  softmax,
  sort: sorting.sort,
  split: splitting.split,
  splitWithSizes: splitting.splitWithSizes,
  sqrt: pointwise.sqrt,
  square: arithmetic.square,
  squeeze: movement.squeeze,
  std: reduction.std,
  sub: pointwise.sub,
  subtract: aliases.subtract,
  sum: reduction.sum,
  sumToSize: dimensions.sumToSize,
  swapaxes: movement.swapaxes,
  swapdims: movement.swapdims,
  t: dimensions.t,
  take: choosing.take,
  takeAlongDim: choosing.takeAlongDim,
  tan: transcendental.tan,
  tanh: pointwise.tanh,
  tensorSplit: splitting.tensorSplit,
  tile: repetition.tile,
  to: converted,
  topk: sorting.topk,
  trace: diagonals.trace,
  transpose: movement.transpose,
  tril: diagonals.tril,
  triu: diagonals.triu,
  trueDivide: aliases.trueDivide,
  trunc: pointwise.trunc,
  unbind: splitting.unbind,
  unflatten: dimensions.unflatten,
  unfold,
  unsqueeze: movement.unsqueeze,
  var: reduction.variance,
  vdot: products.vdot,
  view: movement.reshape,
  viewAs: dimensions.viewAs,
  vsplit: splitting.vsplit,
  where: (x: Tensor, condition: Tensor, other: Operand) => masking.where(condition, x, other),
  xlogy: arithmetic.xlogy,
  newEmpty: creation.newEmpty,
  newFull: creation.newFull,
  newOnes: creation.newOnes,
  newZeros: creation.newZeros,
  bernoulli: random.bernoulli,
  diff,
  multinomial: random.multinomial,
  nanquantile,
  quantile,
} as const;

/** What may follow a tensor in a call of `F`, in each of the ways to call it. */
type Rest<F> = F extends (...args: infer Args) => unknown ? WithoutTensor<Args> : never;
type WithoutTensor<Args> = Args extends readonly [infer First, ...infer Others]
  ? Tensor extends First
    ? Others
    : never
  : never;
type Result<F> = F extends (...args: infer _Args) => infer R ? R : never;
/** A function of a tensor, seen as a method of it. */
export type Method<F> = (...args: Rest<F>) => Result<F>;
export type OpMethods = {
  [K in keyof typeof methods]: Method<(typeof methods)[K]>;
};

/** In-place methods: they rebind the tensor they are called on; other tensors do not change. */
const inPlace = {
  add_: (x: Tensor, other: Operand) => pointwise.add(x, other),
  sub_: (x: Tensor, other: Operand) => pointwise.sub(x, other),
  mul_: (x: Tensor, other: Operand) => pointwise.mul(x, other),
  div_: (x: Tensor, other: Operand) => pointwise.div(x, other),
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

export type InPlaceMethods = {
  [K in keyof typeof inPlace]: (...args: Rest<(typeof inPlace)[K]>) => Tensor;
};

export interface MedianMethods {
  /** The lower median of all elements, or along `dim` with where it stands. */
  median(): Tensor;
  median(dim: number, keepdim?: boolean): [Tensor, Tensor];
  /** The same without NaN. */
  nanmedian(): Tensor;
  nanmedian(dim: number, keepdim?: boolean): [Tensor, Tensor];
}

export interface AutogradMethods {
  /** Accumulates gradients into the `.grad` of the leaves this tensor depends on. */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  /** Calls `hook` with every gradient that reaches this tensor; it may give another one. */
  registerHook(hook: GradientHook): RemovableHandle;
  /** As float32, float64, int64 or bool. */
  float(): Tensor;
  double(): Tensor;
  long(): Tensor;
  bool(): Tensor;
  /** As bfloat16, uint8 or int32. */
  bfloat16(): Tensor;
  byte(): Tensor;
  int(): Tensor;
  /** All dimensions in reverse order. */
  readonly T: Tensor;
  /** A matrix transposed; the last two dimensions exchanged; for real numbers `H` and `mH` the same. */
  readonly H: Tensor;
  readonly mT: Tensor;
  readonly mH: Tensor;
}

const conversions: Record<string, DType> = {
  float: 'float32',
  double: 'float64',
  long: 'int64',
  bool: 'bool',
  bfloat16: 'bfloat16',
  byte: 'uint8',
  int: 'int32',
};

const transposes: Record<string, (x: Tensor) => Tensor> = {
  T: dimensions.reversed,
  H: dimensions.hermitian,
  mT: (x) => dimensions.matrixTranspose('mT', x),
  mH: (x) => dimensions.matrixTranspose('mH', x),
};

function attach(name: string, method: (this: Tensor, ...args: never[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value: method, configurable: true });
}

for (const [name, fn] of Object.entries(methods)) {
  const call = fn as (x: Tensor, ...args: unknown[]) => unknown;
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return call(this, ...args);
  });
}
for (const [name, fn] of Object.entries(inPlace)) {
  const call = fn as (x: Tensor, ...args: unknown[]) => Tensor;
  attach(name, function (this: Tensor, ...args: unknown[]) {
    const result = call(this, ...args);
    const widens = promoteTypes(result.dtype, this.dtype) !== this.dtype;
    if (widens && category(result.dtype) !== category(this.dtype)) {
      throw opError(
        DTypeError,
        name,
        `the result is ${result.dtype}, which a tensor of ${this.dtype} cannot take`,
      );
    }
    return this.rebind(cast(result, this.dtype).value);
  });
}
for (const [name, dtype] of Object.entries(conversions)) {
  attach(name, function (this: Tensor) {
    return cast(this, dtype);
  });
}
for (const [name, get] of Object.entries(transposes)) {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    configurable: true,
  });
}
for (const [name, find] of Object.entries({
  median: sorting.median,
  nanmedian: sorting.nanmedian,
})) {
  const call = find as (x: Tensor, ...args: unknown[]) => unknown;
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return call(this, ...args);
  });
}
attach('registerHook', function (this: Tensor, hook: never) {
  return registerHook(this, hook);
});
attach('backward', function (this: Tensor, ...args: never[]) {
  backward(this, ...(args as []));
});

declare module '../core/tensor.ts' {
  interface Tensor extends OpMethods, MedianMethods, InPlaceMethods, AutogradMethods {}
}
