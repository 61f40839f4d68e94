/** Reductions over dimensions. `dim` may be one dimension, several, or left out for all. */

import type { DType } from '../base/dtype.ts';
import { isFloating, needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import { formatShape, normalizeDim, normalizeDims, numel, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Reduction } from '../engine/kernels.ts';
import { defineOp } from './define.ts';
import { inFullWidth } from './full-width.ts';
import { expand, reshape, same } from './movement.ts';
import { named } from './named.ts';
import { cast, div, eq, exp, log, mul, sqrt, sub, where } from './pointwise.ts';

export type Dims = number | readonly number[];

interface ReduceAttrs {
  readonly dims: readonly number[];
}

function reductionRow(name: string, fn: Reduction, vjp: Vjp<ReduceAttrs>) {
  return defineOp<ReduceAttrs>({
    name,
    kind: 'reduction',
    vjp,
    infer: ([input], { dims }) => [
      { dtype: input!.dtype, shape: input!.shape.filter((_, i) => !dims.includes(i)) },
    ],
    lower: ({ attrs: { dims } }) => ({ kernel: 'reduce', attrs: { fn, dims } }),
  });
}

/** `shape` with size 1 in the reduced dimensions. */
function keptShape(shape: Shape, dims: readonly number[]): number[] {
  return shape.map((size, i) => (dims.includes(i) ? 1 : size));
}

/** A reduced tensor seen from the unreduced one: broadcast along `dims`. */
function spread(reduced: Tensor, shape: Shape, dims: readonly number[]): Tensor {
  return expand(reshape(reduced, keptShape(shape, dims)), shape);
}

const SUM = reductionRow('sum', 'sum', ({ grads, inputs, attrs }) => [
  spread(grads[0]!, inputs[0]!.shape, attrs.dims),
]);

/**
 * Exact also where factors are zero: the product of the others is taken without them. That product
 * is not differentiable by the zero itself, so second derivatives are exact without zeros only.
 */
const PROD = reductionRow('prod', 'prod', ({ grads, inputs, outputs, attrs: { dims } }) => {
  const x = inputs[0]!;
  const over = (t: Tensor) => spread(t, x.shape, dims);
  const isZero = eq(x, 0);
  const zeros = over(apply(SUM, [cast(isZero, x.dtype)], { dims }));
  const others = over(apply(PROD, [where(isZero, 1, x)], { dims }));
  const quotient = div(over(outputs[0]!), where(isZero, 1, x));
  const atZero = where(eq(zeros, 1), where(isZero, others, 0), 0);
  return [mul(over(grads[0]!), where(eq(zeros, 0), quotient, atZero))];
});

/** Equal extremes share the gradient, as in PyTorch's `amax`. */
const extremeVjp: Vjp<ReduceAttrs> = ({ grads, inputs, outputs, attrs: { dims } }) => {
  const x = inputs[0]!;
  const mask = cast(eq(x, spread(outputs[0]!, x.shape, dims)), x.dtype);
  const share = div(grads[0]!, apply(SUM, [mask], { dims }));
  return [mul(mask, spread(share, x.shape, dims))];
};

const AMAX = reductionRow('amax', 'amax', extremeVjp);
const AMIN = reductionRow('amin', 'amin', extremeVjp);

type Row = typeof SUM;

function reduce(row: Row, x: Tensor, dim: Dims | undefined, keepdim: boolean): Tensor {
  const dims = normalizeDims(row.name, dim, x.ndim);
  const reduced = dims.length === 0 ? same(x) : apply(row, [x], { dims });
  return keepdim ? reshape(reduced, keptShape(x.shape, dims)) : reduced;
}

/** Dimensions to reduce; `null` and an empty list stand for all. */
type ReducedDims = Dims | null;

function chosen(dim: ReducedDims): Dims | undefined {
  return dim === null || (typeof dim === 'object' && dim.length === 0) ? undefined : dim;
}

/** What sums and products are taken in: `dtype`, or int64 for integers and booleans. */
function accumulated(x: Tensor, dtype: DType | null): Tensor {
  return cast(x, dtype ?? (isFloating(x.dtype) ? x.dtype : 'int64'));
}

/**
 * The sum of the elements over `dim`, as `dtype`; integers and booleans are summed as int64.
 * https://pytorch.org/docs/stable/generated/torch.sum.html
 */
export const sum = named(
  'sum',
  ['input', 'dim', 'keepdim', 'dtype'],
  (input: Tensor, dim: ReducedDims = null, keepdim = false, dtype: DType | null = null): Tensor =>
    reduce(SUM, accumulated(input, dtype), chosen(dim), keepdim),
);

/**
 * The product of the elements, of all or along `dim`; of integers and booleans as int64.
 * https://pytorch.org/docs/stable/generated/torch.prod.html
 */
export const prod = named(
  'prod',
  ['input', 'dim', 'keepdim', 'dtype'],
  (input: Tensor, dim: ReducedDims = null, keepdim = false, dtype: DType | null = null): Tensor =>
    reduce(PROD, accumulated(input, dtype), chosen(dim), keepdim),
);

/**
 * The largest element; equal ones share the gradient. Throws where there is nothing to choose from.
 * https://pytorch.org/docs/stable/generated/torch.amax.html
 */
export const amax = named(
  'amax',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: ReducedDims = null, keepdim = false): Tensor =>
    reduce(AMAX, checkNotEmpty('amax', input, chosen(dim)), chosen(dim), keepdim),
);

/**
 * The smallest element; equal ones share the gradient. Throws where there is nothing to choose
 * from.
 * https://pytorch.org/docs/stable/generated/torch.amin.html
 */
export const amin = named(
  'amin',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: ReducedDims = null, keepdim = false): Tensor =>
    reduce(AMIN, checkNotEmpty('amin', input, chosen(dim)), chosen(dim), keepdim),
);

function checkNotEmpty(op: string, x: Tensor, dim: Dims | undefined): Tensor {
  if (normalizeDims(op, dim, x.ndim).some((d) => x.shape[d] === 0)) {
    throw opError(
      ArgumentError,
      op,
      `an empty dimension of ${formatShape(x.shape)} has no extreme element`,
    );
  }
  return x;
}

/**
 * The mean of the elements; floating point only, unless `dtype` is. Of nothing it is NaN.
 * https://pytorch.org/docs/stable/generated/torch.mean.html
 */
export const mean = named(
  'mean',
  ['input', 'dim', 'keepdim', 'dtype'],
  (input: Tensor, dim: ReducedDims = null, keepdim = false, dtype: DType | null = null): Tensor => {
    const x = cast(input, dtype ?? input.dtype);
    needsFloating('mean', x);
    const elements = count('mean', x, dim);
    return inFullWidth(x, (wide) => div(sum(wide, dim, keepdim), elements));
  },
);

/** What is taken off the number of elements: `correction`, or 1 unless `unbiased` is false. */
export function correctionOf(
  op: string,
  unbiased: boolean | null,
  correction: number | null,
): number {
  if (unbiased !== null && correction !== null) {
    throw opError(ArgumentError, op, 'takes unbiased or correction, not both');
  }
  return correction ?? (unbiased === false ? 0 : 1);
}

/** `var(x, false)` is PyTorch's short form of `var(x, { unbiased: false })`. */
type SpreadDims = ReducedDims | boolean;

/** A function of the variance over `dim`; `finish` also gets the mean, as a function. */
function ofVariance<Result extends Tensor | readonly Tensor[]>(
  op: string,
  finish: (variance: Tensor, mean: () => Tensor) => Result,
) {
  return named(
    op,
    ['input', 'dim', 'unbiased', 'keepdim', 'correction'],
    (
      input: Tensor,
      dim: SpreadDims = null,
      unbiased: boolean | null = null,
      keepdim = false,
      correction: number | null = null,
    ): Result => {
      const [dims, given] = typeof dim === 'boolean' ? [null, dim] : [dim, unbiased];
      const offset = correctionOf(op, given, correction);
      return inFullWidth(input, (x) =>
        finish(varianceOf(op, x, dims, offset, keepdim), () => mean(x, dims, keepdim)),
      );
    },
  );
}

function varianceOf(op: string, x: Tensor, dim: ReducedDims, correction: number, keepdim: boolean) {
  needsFloating(op, x);
  const centered = sub(x, mean(x, dim, true));
  const degrees = Math.max(0, count(op, x, dim) - correction);
  return div(sum(mul(centered, centered), dim, keepdim), degrees);
}

/** The square root. Where it is zero, so is the gradient, as in PyTorch. */
function rootOf(squared: Tensor): Tensor {
  const isZero = eq(squared, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, squared)));
}

/**
 * The variance over `dim`: the sum of squared distances from the mean, divided by the number of
 * elements less `correction`. Floating point only.
 * https://pytorch.org/docs/stable/generated/torch.var.html
 */
export const variance = ofVariance('var', (squared) => squared);

/**
 * The square root of the variance.
 * https://pytorch.org/docs/stable/generated/torch.std.html
 */
export const std = ofVariance('std', rootOf);

/**
 * The variance and the mean.
 * https://pytorch.org/docs/stable/generated/torch.var_mean.html
 */
export const varMean = ofVariance(
  'var_mean',
  (squared, average): [variance: Tensor, mean: Tensor] => [squared, average()],
);

/**
 * The standard deviation and the mean.
 * https://pytorch.org/docs/stable/generated/torch.std_mean.html
 */
export const stdMean = ofVariance(
  'std_mean',
  (squared, average): [deviation: Tensor, mean: Tensor] => [rootOf(squared), average()],
);

/**
 * log(sum(exp(x))) over `dim`, without overflow. Integers are taken as float32; of nothing it is
 * -Infinity.
 * https://pytorch.org/docs/stable/generated/torch.logsumexp.html
 */
export const logsumexp = named(
  'logsumexp',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: Dims, keepdim = false): Tensor => {
    const x = isFloating(input.dtype) ? input : cast(input, 'float32');
    const dims = normalizeDims('logsumexp', chosen(dim), x.ndim);
    if (dims.some((d) => x.shape[d] === 0)) return log(sum(exp(x), dims, keepdim));
    const peak = amax(x, dims, true).detach();
    const shift = where(peak.isinf(), 0, peak);
    const result = log(sum(exp(sub(x, shift)), dims, true)).add(shift);
    return keepdim
      ? result
      : reshape(
          result,
          x.shape.filter((_, i) => !dims.includes(i)),
        );
  },
);

function count(op: string, x: Tensor, dim: ReducedDims): number {
  return numel(normalizeDims(op, chosen(dim), x.ndim).map((d) => x.shape[d]!));
}

/** Undoes broadcasting: sums `x` over the dimensions in which `shape` was expanded. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const added = x.ndim - shape.length;
  const dims = x.shape.flatMap((size, i) =>
    i < added || (shape[i - added] === 1 && size !== 1) ? [i] : [],
  );
  return reshape(dims.length === 0 ? x : apply(SUM, [x], { dims }), shape);
}

// ---- positions ---------------------------------------------------------------------------------

function argRow(fn: 'argmax' | 'argmin') {
  return defineOp<{ dim: number }>({
    name: fn,
    kind: 'reduction',
    vjp: 'nondiff',
    infer: ([input], { dim }) => [
      { dtype: 'int64', shape: input!.shape.filter((_, i) => i !== dim) },
    ],
    lower: ({ attrs: { dim } }) => ({ kernel: 'arg_reduce', attrs: { fn, dim } }),
  });
}

const ARGMAX = argRow('argmax');
const ARGMIN = argRow('argmin');

function position(row: typeof ARGMAX, x: Tensor, dim: number | undefined, keepdim: boolean) {
  checkNotEmpty(row.name, x, dim);
  if (dim === undefined) {
    const found = apply(row, [reshape(x, [-1])], { dim: 0 });
    return keepdim
      ? reshape(found, keptShape(x.shape, normalizeDims(row.name, dim, x.ndim)))
      : found;
  }
  const at = normalizeDim(row.name, dim, x.ndim);
  const source = x.ndim === 0 ? reshape(x, [1]) : x;
  const found = apply(row, [source], { dim: at });
  return keepdim ? reshape(found, keptShape(x.shape, [at])) : found;
}

/**
 * The int64 index of the first largest element along `dim` (of the flat tensor by default).
 * https://pytorch.org/docs/stable/generated/torch.argmax.html
 */
export const argmax = named(
  'argmax',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: number | null = null, keepdim = false): Tensor =>
    position(ARGMAX, input, dim ?? undefined, keepdim),
);

/**
 * The int64 index of the first smallest element along `dim` (of the flat tensor by default).
 * https://pytorch.org/docs/stable/generated/torch.argmin.html
 */
export const argmin = named(
  'argmin',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: number | null = null, keepdim = false): Tensor =>
    position(ARGMIN, input, dim ?? undefined, keepdim),
);
