/**
 * The namespace `masked`: https://pytorch.org/docs/stable/masked.html. Functions of those elements
 * where `mask`, a bool tensor that broadcasts to the input, is true: the others are replaced by
 * what changes nothing.
 */

import { type DType, isFloating, needsFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { highest, lowest } from '../base/limits.ts';
import { broadcastShapes, formatShape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { clampMin, logaddexp as logaddexpOf } from './arithmetic.ts';
import { onesLike } from './creation.ts';
import { hostValues } from './masking.ts';
import { expand } from './movement.ts';
import { named } from './named.ts';
import { vectorNorm } from './norms.ts';
import { cast, div, lt, mul, neg, sqrt, sub, where } from './pointwise.ts';
import * as reduction from './reduction.ts';
import { correctionOf } from './reduction.ts';
import * as scanning from './scanning.ts';
import { logSoftmax as logSoftmaxOf, softmax as softmaxOf } from './softmax.ts';
import { nanmedian } from './sorting.ts';

type Mask = Tensor | null;
type Dims = number | readonly number[] | null;

/** `input`, with `neutral` where the mask is false. */
function kept(op: string, input: Tensor, mask: Mask, neutral: number): Tensor {
  return mask === null ? input : where(maskFor(op, input, mask), input, neutral);
}

function maskFor(op: string, input: Tensor, mask: Tensor): Tensor {
  const name = `masked.${op}`;
  if (mask.dtype !== 'bool')
    throw opError(DTypeError, name, `mask must be bool, got ${mask.dtype}`);
  if (sameShape(broadcastShapes(name, input.shape, mask.shape), input.shape)) {
    return expand(mask, input.shape);
  }
  const [a, b] = [formatShape(mask.shape), formatShape(input.shape)];
  throw opError(ShapeError, name, `mask ${a} does not broadcast to the input ${b}`);
}

const lowestOf = ({ dtype }: Tensor) => lowest(dtype);
const highestOf = ({ dtype }: Tensor) => highest(dtype);

type Reduce = (x: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null) => Tensor;

/** A reduction under PyTorch's names for its arguments. */
function maskedReduction(
  op: string,
  compute: (...args: [...Parameters<Reduce>, mask: Mask]) => Tensor,
) {
  return named(
    `masked.${op}`,
    ['input', 'dim', 'keepdim', 'dtype', 'mask'],
    (
      input: Tensor,
      dim: Dims = null,
      keepdim = false,
      dtype: DType | null = null,
      mask: Mask = null,
    ): Tensor => compute(input, dim, keepdim, dtype, mask),
  );
}

/** What is left out counts as `neutral`, which changes nothing. */
function reducing(op: string, neutral: (x: Tensor) => number, reduce: Reduce) {
  return maskedReduction(op, (input, dim, keepdim, dtype, mask) =>
    reduce(kept(op, input, mask, neutral(input)), dim, keepdim, dtype),
  );
}

const as = (x: Tensor, dtype: DType | null) => cast(x, dtype ?? x.dtype);

/** https://pytorch.org/docs/stable/generated/torch.masked.sum.html */
export const sum = reducing('sum', () => 0, reduction.sum);
/** https://pytorch.org/docs/stable/generated/torch.masked.prod.html */
export const prod = reducing('prod', () => 1, reduction.prod);
/** https://pytorch.org/docs/stable/generated/torch.masked.amax.html */
export const amax = reducing('amax', lowestOf, (x, dim, keepdim, dtype) =>
  as(reduction.amax(x, dim, keepdim), dtype),
);
/** https://pytorch.org/docs/stable/generated/torch.masked.amin.html */
export const amin = reducing('amin', highestOf, (x, dim, keepdim, dtype) =>
  as(reduction.amin(x, dim, keepdim), dtype),
);
/** log(sum(exp(x))) of the kept elements. */
export const logsumexp = reducing('logsumexp', lowestOf, (x, dim, keepdim, dtype) =>
  cast(reduction.logsumexp(x, dim ?? [], keepdim), dtype ?? x.dtype),
);

type Find = (x: Tensor, dim: number | null, keepdim: boolean) => Tensor;

function finding(op: string, neutral: (x: Tensor) => number, find: Find) {
  return named(
    `masked.${op}`,
    ['input', 'dim', 'keepdim', 'dtype', 'mask'],
    (
      input: Tensor,
      dim: number | null = null,
      keepdim = false,
      dtype: DType | null = null,
      mask: Mask = null,
    ): Tensor =>
      // PyTorch gives places in the dtype of the input.
      cast(find(kept(op, input, mask, neutral(input)), dim, keepdim), dtype ?? input.dtype),
  );
}

/** https://pytorch.org/docs/stable/generated/torch.masked.argmax.html */
export const argmax = finding('argmax', lowestOf, reduction.argmax);
/** https://pytorch.org/docs/stable/generated/torch.masked.argmin.html */
export const argmin = finding('argmin', highestOf, reduction.argmin);

type Along = (x: Tensor, dim: number, dtype: DType | null) => Tensor;

function along(op: string, neutral: (x: Tensor) => number, compute: Along) {
  return named(
    `masked.${op}`,
    ['input', 'dim', 'dtype', 'mask'],
    (input: Tensor, dim: number, dtype: DType | null = null, mask: Mask = null): Tensor =>
      compute(kept(op, input, mask, neutral(input)), dim, dtype),
  );
}

/** https://pytorch.org/docs/stable/generated/torch.masked.cumsum.html */
export const cumsum = along('cumsum', () => 0, scanning.cumsum);
/** https://pytorch.org/docs/stable/generated/torch.masked.cumprod.html */
export const cumprod = along('cumprod', () => 1, scanning.cumprod);
/** https://pytorch.org/docs/stable/generated/torch.masked.softmax.html */
export const softmax = along('softmax', lowestOf, softmaxOf);
/** https://pytorch.org/docs/stable/generated/torch.masked.log_softmax.html */
export const logSoftmax = along('log_softmax', lowestOf, logSoftmaxOf);
/** https://pytorch.org/docs/stable/generated/torch.masked.softmin.html */
export const softmin = along('softmin', highestOf, (x, dim, dtype) =>
  softmaxOf(neg(as(x, dtype)), dim),
);

/**
 * The mean of the kept elements, of all or along `dim`; of none it is NaN.
 * https://pytorch.org/docs/stable/generated/torch.masked.mean.html
 */
export const mean = maskedReduction('mean', (input, dim, keepdim, dtype, mask) => {
  needsFloating('masked.mean', { dtype: dtype ?? input.dtype });
  const total = sum(input, dim, keepdim, dtype ?? input.dtype, mask);
  return div(total, sum(onesLike(input, total.dtype), dim, keepdim, null, mask));
});

/**
 * The lower median of the kept elements along `dim`; of none it is NaN, which integers cannot be:
 * they are read.
 * https://pytorch.org/docs/stable/generated/torch.masked.median.html
 */
export const median = named(
  'masked.median',
  ['input', 'dim', 'keepdim', 'dtype', 'mask'],
  (
    input: Tensor,
    dim = -1,
    keepdim = false,
    dtype: DType | null = null,
    mask: Mask = null,
  ): Tensor => {
    const isWhole = !isFloating(input.dtype);
    const x = isWhole ? cast(input, 'float32') : input;
    const [found] = nanmedian(kept('median', x, mask, Number.NaN), dim, keepdim) as [
      Tensor,
      Tensor,
    ];
    if (!isWhole) return found;
    if (Array.from(hostValues('masked.median', found), Number).some(Number.isNaN)) {
      throw opError(ArgumentError, 'masked.median', 'no element of integers is kept somewhere');
    }
    return cast(found, dtype ?? input.dtype);
  },
);

/**
 * The norm of the kept elements, of all or along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.masked.norm.html
 */
export const norm = named(
  'masked.norm',
  ['input', 'ord', 'dim', 'keepdim', 'dtype', 'mask'],
  (
    input: Tensor,
    ord: number | null = 2,
    dim: Dims = null,
    keepdim = false,
    dtype: DType | null = null,
    mask: Mask = null,
  ): Tensor => {
    const x = kept('norm', input, mask, ord === -Infinity ? Infinity : 0);
    return vectorNorm(x, ord ?? 2, dim, keepdim, dtype);
  },
);

/**
 * The kept elements divided by their norm along `dim`, or by `eps` where it is less; 0 in the
 * places of others.
 * https://pytorch.org/docs/stable/generated/torch.masked.normalize.html
 */
export const normalize = named(
  'masked.normalize',
  ['input', 'ord', 'dim', 'eps', 'dtype', 'mask'],
  (
    input: Tensor,
    ord: number,
    dim: number,
    eps = 1e-12,
    dtype: DType | null = null,
    mask: Mask = null,
  ): Tensor => {
    const size = norm(input, ord, dim, { keepdim: true, dtype, mask });
    return div(kept('normalize', input, mask, 0), where(lt(size, eps), eps, size));
  },
);

function varying(op: 'var' | 'std', finish: (variance: Tensor) => Tensor) {
  return named(
    `masked.${op}`,
    ['input', 'dim', 'unbiased', 'correction', 'keepdim', 'dtype', 'mask'],
    (
      input: Tensor,
      dim: Dims = null,
      unbiased: boolean | null = null,
      correction: number | null = null,
      keepdim = false,
      dtype: DType | null = null,
      mask: Mask = null,
    ): Tensor => {
      const off = correctionOf(`masked.${op}`, unbiased, correction);
      const x = isFloating(input.dtype) ? input : cast(input, 'float32');
      const centered = sub(x, mean(x, dim, true, null, mask));
      const squares = sum(mul(centered, centered), dim, keepdim, null, mask);
      const degrees = sub(sum(onesLike(x), dim, keepdim, null, mask), off);
      return as(finish(div(squares, clampMin(degrees, 0))), dtype);
    },
  );
}

/** https://pytorch.org/docs/stable/generated/torch.masked.var.html */
export const var_ = varying('var', (variance) => variance);
/** https://pytorch.org/docs/stable/generated/torch.masked.std.html */
export const std = varying('std', sqrt);

/** log(exp(input) + exp(other)) of the kept elements of each. */
export const logaddexp = named(
  'masked.logaddexp',
  ['input', 'other', 'dtype', 'input_mask', 'other_mask'],
  (
    input: Tensor,
    other: Tensor,
    dtype: DType | null = null,
    input_mask: Mask = null,
    other_mask: Mask = null,
  ): Tensor => {
    const [a, b] = [
      kept('logaddexp', input, input_mask, -Infinity),
      kept('logaddexp', other, other_mask, -Infinity),
    ];
    return as(logaddexpOf(a, b), dtype ?? input.dtype);
  },
);
