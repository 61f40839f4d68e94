/** Reductions over dimensions. `dim` may be one dimension, several, or left out for all. */

import type { DType } from '../base/dtype.ts';
import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { formatShape, normalizeDim, normalizeDims, numel, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Reduction } from '../engine/kernels.ts';
import { defineOp } from './define.ts';
import { expand, reshape, same } from './movement.ts';
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

/** The sum of the elements. Integers and booleans are summed as int64. */
export function sum(x: Tensor, dim?: Dims, keepdim = false): Tensor {
  return reduce(SUM, isFloating(x.dtype) ? x : cast(x, 'int64'), dim, keepdim);
}

/** The product of the elements. */
export function prod(x: Tensor, dim?: Dims, keepdim = false): Tensor {
  return reduce(PROD, isFloating(x.dtype) ? x : cast(x, 'int64'), dim, keepdim);
}

/** The largest element; equal ones share the gradient. */
export function amax(x: Tensor, dim?: Dims, keepdim = false): Tensor {
  return reduce(AMAX, checkNotEmpty('amax', x, dim), dim, keepdim);
}

/** The smallest element; equal ones share the gradient. */
export function amin(x: Tensor, dim?: Dims, keepdim = false): Tensor {
  return reduce(AMIN, checkNotEmpty('amin', x, dim), dim, keepdim);
}

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

/** The mean of the elements; floating point only. */
export function mean(x: Tensor, dim?: Dims, keepdim = false): Tensor {
  checkFloating('mean', x.dtype);
  return div(sum(x, dim, keepdim), count(x, dim));
}

/** The variance; `correction` 1 gives the unbiased estimate. */
export function variance(
  x: Tensor,
  dim?: Dims,
  { correction = 1, keepdim = false }: { correction?: number; keepdim?: boolean } = {},
): Tensor {
  checkFloating('var', x.dtype);
  const centered = sub(x, mean(x, dim, true));
  const degrees = Math.max(0, count(x, dim) - correction);
  return div(sum(mul(centered, centered), dim, keepdim), degrees);
}

/** The square root of the variance. Where that is zero, so is the gradient, as in PyTorch. */
export function std(
  x: Tensor,
  dim?: Dims,
  options?: { correction?: number; keepdim?: boolean },
): Tensor {
  const squared = variance(x, dim, options);
  const isZero = eq(squared, 0);
  return where(isZero, 0, sqrt(where(isZero, 1, squared)));
}

/** log(sum(exp(x))), without overflow. */
export function logsumexp(x: Tensor, dim: Dims, keepdim = false): Tensor {
  checkFloating('logsumexp', x.dtype);
  const peak = amax(x, dim, true).detach();
  const shift = where(peak.isinf(), 0, peak);
  const result = log(sum(exp(sub(x, shift)), dim, true)).add(shift);
  const dims = normalizeDims('logsumexp', dim, x.ndim);
  return keepdim
    ? result
    : reshape(
        result,
        x.shape.filter((_, i) => !dims.includes(i)),
      );
}

function count(x: Tensor, dim: Dims | undefined): number {
  return numel(normalizeDims('mean', dim, x.ndim).map((d) => x.shape[d]!));
}

function checkFloating(op: string, dtype: DType): void {
  if (isFloating(dtype)) return;
  throw opError(DTypeError, op, `needs a floating point tensor, got ${dtype}`);
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

/** The int64 index of the first largest element along `dim` (of the flat tensor by default). */
export function argmax(x: Tensor, dim?: number, keepdim = false): Tensor {
  return position(ARGMAX, x, dim, keepdim);
}

/** The int64 index of the first smallest element along `dim` (of the flat tensor by default). */
export function argmin(x: Tensor, dim?: number, keepdim = false): Tensor {
  return position(ARGMIN, x, dim, keepdim);
}
