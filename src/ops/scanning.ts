/** What all elements up to each one give along a dimension. */

import { type DType, isFloating, needsFloating } from '../base/dtype.ts';

import { normalizeDim } from '../base/shape.ts';
import { apply, applyAll } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import type { ScanFn } from '../engine/kernels.ts';
import { defineOp } from './define.ts';
import { scatterSum } from './indexing.ts';
import { reshape } from './movement.ts';
import { named } from './named.ts';
import {
  abs,
  add,
  cast,
  div,
  eq,
  exp,
  gt,
  log,
  logicalAnd,
  lt,
  mul,
  sub,
  where,
} from './pointwise.ts';
import { flip } from './slicing.ts';

type ScanVjp = (g: Tensor, x: Tensor, y: Tensor, dim: number) => Tensor;

function scanRow(name: string, fn: ScanFn, derivative: ScanVjp) {
  return defineOp<{ dim: number }>({
    name,
    kind: 'indexing',
    vjp: ({ grads, inputs, outputs, attrs: { dim } }) => [
      derivative(grads[0]!, inputs[0]!, outputs[0]!, dim),
    ],
    infer: ([input]) => [input!],
    lower: ({ attrs: { dim } }) => ({ kernel: 'scan', attrs: { fn, dim } }),
  });
}

/** The sums of each element and all behind it. */
function sumsFrom(x: Tensor, dim: number): Tensor {
  return flip(apply(CUMSUM, [flip(x, dim)], { dim }), dim);
}

const CUMSUM = scanRow('cumsum', 'sum', (g, _x, _y, dim) => sumsFrom(g, dim));

/**
 * d/dx_k of sum(g_i y_i) is sum over i >= k of g_i y_i / x_k. Behind the first zero all y are 0; at
 * it the products are taken without it. That is not differentiable by the zero itself, as for
 * `prod`.
 */
const CUMPROD = scanRow('cumprod', 'prod', (g, x, y, dim) => {
  const isZero = eq(x, 0);
  const zeros = apply(CUMSUM, [cast(isZero, x.dtype)], { dim });
  const isFirst = logicalAnd(isZero, eq(zeros, 1));
  const without = apply(CUMPROD, [where(isFirst, 1, x)], { dim });
  const usual = div(sumsFrom(mul(g, y), dim), where(isZero, 1, x));
  return where(isFirst, sumsFrom(mul(g, without), dim), usual);
});

/** sum over i >= k of g_i exp(x_k - y_i), in logarithms so that nothing overflows. */
const LOGCUMSUMEXP = scanRow('logcumsumexp', 'logsumexp', (g, x, y, dim) => {
  const part = (isPart: Tensor) => {
    const size = where(isPart, sub(log(abs(where(isPart, g, 1))), y), -Infinity);
    const sums = flip(apply(LOGCUMSUMEXP, [flip(size, dim)], { dim }), dim);
    return exp(add(sums, x));
  };
  return sub(part(gt(g, 0)), part(lt(g, 0)));
});

/** A number is a vector of one. */
function alongDim(op: string, x: Tensor, dim: number, run: (x: Tensor, dim: number) => Tensor) {
  const at = normalizeDim(op, dim, x.ndim);
  return x.ndim === 0 ? reshape(run(reshape(x, [1]), at), []) : run(x, at);
}

const cumulative = (op: string, row: typeof CUMSUM) =>
  named(op, ['input', 'dim', 'dtype'], (input: Tensor, dim: number, dtype: DType | null = null) => {
    const natural = isFloating(input.dtype) ? input.dtype : 'int64';
    return alongDim(op, cast(input, dtype ?? natural), dim, (x, at) =>
      apply(row, [x], { dim: at }),
    );
  });

/**
 * The sums of all elements up to each along `dim`; of integers int64.
 * https://pytorch.org/docs/stable/generated/torch.cumsum.html
 */
export const cumsum = cumulative('cumsum', CUMSUM);
/**
 * The products of all elements up to each along `dim`; of integers int64.
 * https://pytorch.org/docs/stable/generated/torch.cumprod.html
 */
export const cumprod = cumulative('cumprod', CUMPROD);

/**
 * log of the cumulative sum of exp along `dim`, without overflow.
 * https://pytorch.org/docs/stable/generated/torch.logcumsumexp.html
 */
export const logcumsumexp = named(
  'logcumsumexp',
  ['input', 'dim'],
  (input: Tensor, dim: number) => {
    needsFloating('logcumsumexp', input);
    return alongDim('logcumsumexp', input, dim, (x, at) => apply(LOGCUMSUMEXP, [x], { dim: at }));
  },
);

// ---- extremes ----------------------------------------------------------------------------------

function extremeRow(name: string, fn: 'amax' | 'amin') {
  return defineOp<{ dim: number }>({
    name,
    kind: 'indexing',
    vjp: ({ grads, inputs, outputs, attrs: { dim } }) => [
      grads[0] ? scatterSum(inputs[0]!.shape, dim, outputs[1]!, grads[0]) : null,
    ],
    infer: ([input]) => [input!, { dtype: 'int64', shape: input!.shape }],
    lower: ({ attrs: { dim } }) => ({ kernel: 'scan_extreme', attrs: { fn, dim } }),
  });
}

const cumulativeExtreme = (op: string, row: ReturnType<typeof extremeRow>) =>
  named(op, ['input', 'dim'], (input: Tensor, dim: number): [Tensor, Tensor] => {
    const at = normalizeDim(op, dim, input.ndim);
    const x = input.ndim === 0 ? reshape(input, [1]) : input;
    const [values, indices] = applyAll(row, [x], { dim: at }) as [Tensor, Tensor];
    return [reshape(values, input.shape), reshape(indices, input.shape)];
  });

/**
 * The largest of all elements up to each along `dim`, and where it stands.
 * https://pytorch.org/docs/stable/generated/torch.cummax.html
 */
export const cummax = cumulativeExtreme('cummax', extremeRow('cummax', 'amax'));
/**
 * The smallest of all elements up to each along `dim`, and where it stands.
 * https://pytorch.org/docs/stable/generated/torch.cummin.html
 */
export const cummin = cumulativeExtreme('cummin', extremeRow('cummin', 'amin'));
