/** Reading and writing along one dimension at places given by index tensors. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { highest, lowest } from '../base/limits.ts';
import { formatShape, normalizeDim, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import type { ScatterFn } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';
import { full } from './constant.ts';
import { defineOp } from './define.ts';
import { expand, reshape, same } from './movement.ts';
import { named } from './named.ts';
import { add, cast, div, eq, gt, logicalAnd, mul, where } from './pointwise.ts';
import { slice } from './slicing.ts';

function checkIndex(op: string, index: ValueType): void {
  if (index.dtype === 'int64' || index.dtype === 'int32') return;
  throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
}

/** Has `index` the dimensions of `shape`, and no size larger outside `dim`? */
function indexFits(index: Shape, shape: Shape, dim: number): boolean {
  return index.length === shape.length && index.every((size, d) => d === dim || size <= shape[d]!);
}

const GATHER = defineOp<{ dim: number }>({
  name: 'gather',
  kind: 'indexing',
  vjp: ({ grads, inputs, attrs: { dim } }) => [
    scatterSum(inputs[0]!.shape, dim, inputs[1]!, grads[0]!),
    null,
  ],
  infer([input, index], { dim }) {
    checkIndex('gather', index!);
    if (!indexFits(index!.shape, input!.shape, dim)) {
      throw opError(
        ShapeError,
        'gather',
        `index ${formatShape(index!.shape)} does not fit input ${formatShape(input!.shape)}: ` +
          `same number of dimensions, no size larger outside dim ${dim}`,
      );
    }
    return [{ dtype: input!.dtype, shape: index!.shape }];
  },
  lower: ({ attrs }) => ({ kernel: 'gather', attrs }),
});

const SCATTER_SUM = defineOp<{ dim: number; shape: Shape }>({
  name: 'scatter_sum',
  kind: 'indexing',
  vjp: ({ grads, inputs, attrs: { dim } }) => [gather(grads[0]!, dim, inputs[1]!), null],
  infer([src], { shape }) {
    return [{ dtype: src!.dtype, shape }];
  },
  lower: ({ attrs: { dim } }) => ({ kernel: 'scatter_add', attrs: { dim } }),
});

/**
 * The index of an empty selection may have any dtype, as in PyTorch; an index of a number no dims.
 */
function indexOf(index: Tensor, isNumber: boolean): Tensor {
  const whole = index.numel() === 0 ? cast(index, 'int64') : index;
  return isNumber ? reshape(whole, [whole.numel()]) : whole;
}

/**
 * out[i][j][k] = input[i][index[i][j][k]][k] for dim 1. An index out of range makes the computation
 * fail. https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export const gather = named(
  'gather',
  ['input', 'dim', 'index', 'sparse_grad'],
  (input: Tensor, dim: number, index: Tensor, _sparse_grad = false): Tensor => {
    const at = normalizeDim('gather', dim, input.ndim);
    if (index.numel() === 0) return emptyGather(input, index);
    if (input.ndim === 0 && index.ndim <= 1) {
      return reshape(gather(reshape(input, [1]), 0, indexOf(index, true)), index.shape);
    }
    return apply(GATHER, [input, index], { dim: at });
  },
);

function emptyGather(input: Tensor, index: Tensor): Tensor {
  const nothing = slice(reshape(input, [input.numel()]), 0, 0, 0);
  return reshape(nothing, index.shape);
}

/** A tensor of `shape`, zero but for `src` added at `index` along `dim`: the gradient of gather. */
export function scatterSum(shape: Shape, dim: number, index: Tensor, src: Tensor): Tensor {
  return apply(SCATTER_SUM, [src, index], { dim, shape });
}

// ---- scattering --------------------------------------------------------------------------------

interface ScatterAttrs {
  readonly dim: number;
  readonly fn: ScatterFn;
}

const SCATTER = defineOp<ScatterAttrs>({
  name: 'scatter',
  kind: 'indexing',
  vjp({ grads, inputs, outputs, attrs: { dim, fn } }) {
    const [x, index, src] = inputs as [Tensor, Tensor, Tensor];
    const [before, from] = scatterGradient(fn, grads[0]!, { x, index, src, out: outputs[0]!, dim });
    return [before, null, from];
  },
  infer: ([input]) => [input!],
  lower: ({ attrs }) => ({ kernel: 'scatter', attrs }),
});

interface Scattered {
  readonly x: Tensor;
  readonly index: Tensor;
  readonly src: Tensor;
  readonly out: Tensor;
  readonly dim: number;
}

/**
 * The gradients of x and src. Equal extremes share it; a product loses its zeros, as `prod` does.
 */
function scatterGradient(fn: ScatterFn, g: Tensor, call: Scattered): [Tensor, Tensor] {
  const { x, index, src, out, dim } = call;
  const at = (t: Tensor) => gather(t, dim, index);
  if (fn === 'set') return [apply(SCATTER, [g, index, zeros(src)], { dim, fn }), at(g)];
  if (fn === 'add') return [g, at(g)];
  if (fn === 'mul') return productGradient(g, call);
  const isBefore = cast(eq(x, out), x.dtype);
  const isFrom = cast(eq(src, at(out)), x.dtype);
  const share = div(g, apply(SCATTER, [isBefore, index, isFrom], { dim, fn: 'add' }));
  return [mul(isBefore, share), mul(isFrom, at(share))];
}

function productGradient(g: Tensor, { x, index, src, out, dim }: Scattered): [Tensor, Tensor] {
  const at = (t: Tensor) => gather(t, dim, index);
  const product = (a: Tensor, b: Tensor) => apply(SCATTER, [a, index, b], { dim, fn: 'mul' });
  const solid = where(eq(x, 0), 1, x);
  const before = div(mul(g, product(solid, src)), solid);
  const isZero = eq(src, 0);
  const zerosThere = at(scatterSum(x.shape, dim, index, cast(isZero, x.dtype)));
  const isOnly = logicalAnd(isZero, eq(zerosThere, 1));
  const others = at(mul(g, product(x, where(isOnly, 1, src))));
  const usual = div(at(mul(g, out)), where(isZero, 1, src));
  return [before, where(isOnly, others, usual)];
}

const zeros = (t: Tensor) => full(t.shape, 0, t.dtype);

/** Checks a call of the scatter family; sources may be larger than the index, as in PyTorch. */
function scatterInto(
  op: string,
  fn: ScatterFn,
  input: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
): Tensor {
  const at = normalizeDim(op, dim, input.ndim);
  if (src.dtype !== input.dtype) {
    throw opError(DTypeError, op, `src must be ${input.dtype} as the input, got ${src.dtype}`);
  }
  if (index.numel() === 0) return same(input);
  if (input.dtype === 'bool' && fn !== 'set') {
    // As numbers, of which any but 0 is true.
    const [x, from] = [cast(input, 'int64'), cast(src, 'int64')];
    return cast(scatterInto(op, fn, x, dim, index, from), 'bool');
  }
  checkIndex(op, { dtype: index.dtype, shape: index.shape });
  const lift = (t: Tensor) => (t.ndim === 0 ? reshape(t, [1]) : t);
  const [x, places, from] = [lift(input), lift(index), lift(src)];
  const fitsSrc =
    from.ndim === places.ndim && places.shape.every((size, d) => size <= from.shape[d]!);
  if (!fitsSrc || !indexFits(places.shape, x.shape, at)) {
    throw opError(
      ShapeError,
      op,
      `index ${formatShape(index.shape)} must fit src ${formatShape(src.shape)} and, outside dim ` +
        `${at}, the input ${formatShape(input.shape)}`,
    );
  }
  const part = places.shape.reduce((t, size, d) => slice(t, d, 0, size), from);
  return reshape(apply(SCATTER, [x, places, part], { dim: at, fn }), input.shape);
}

/**
 * `input` with `src` added at the places `index` names along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
 */
export const scatterAdd = named(
  'scatter_add',
  ['input', 'dim', 'index', 'src'],
  (input: Tensor, dim: number, index: Tensor, src: Tensor): Tensor =>
    scatterInto('scatter_add', 'add', input, dim, index, src),
);

const SCATTER_FNS: Readonly<Record<string, ScatterFn>> = { add: 'add', multiply: 'mul' };

/**
 * `input` with `src`, a tensor or a number, in the places `index` names along `dim`: instead of
 * what was there, or with `reduce` `add` or `multiply` combined with it.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html
 */
export const scatter = named(
  'scatter',
  ['input', 'dim', 'index', 'src', 'reduce', 'value'],
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor | number | null = null,
    reduce: string | null = null,
    value: number | null = null,
  ): Tensor => {
    const given = src ?? value;
    if (given === null) throw opError(ArgumentError, 'scatter', 'needs src or value');
    const from = given instanceof Tensor ? given : full(index.shape, given, input.dtype);
    const fn = reduce === null ? 'set' : SCATTER_FNS[reduce];
    if (fn !== undefined) return scatterInto('scatter', fn, input, dim, index, from);
    throw opError(ArgumentError, 'scatter', `reduce must be add or multiply, got ${reduce}`);
  },
);

const REDUCE_FNS: Readonly<Record<string, ScatterFn>> = {
  sum: 'add',
  mean: 'add',
  prod: 'mul',
  amax: 'amax',
  amin: 'amin',
};
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/** What changes nothing when it is reduced with something else. */
function neutral(fn: ScatterFn, { dtype }: Tensor): number {
  if (fn === 'add') return 0;
  if (fn === 'mul') return 1;
  return fn === 'amax' ? lowest(dtype) : highest(dtype);
}

/**
 * The reduction of what `index` sends to each place along `dim`, with what was there before if
 * `include_self`. Places that get nothing keep what they had.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html
 */
export const scatterReduce = named(
  'scatter_reduce',
  ['input', 'dim', 'index', 'src', 'reduce', 'include_self'],
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: ScatterReduction,
    include_self = true,
  ): Tensor => reduceInto('scatter_reduce', { input, dim, index, src, reduce, include_self }),
);

interface ReduceCall {
  readonly input: Tensor;
  readonly dim: number;
  readonly index: Tensor;
  readonly src: Tensor;
  readonly reduce: ScatterReduction;
  readonly include_self: boolean;
}

/** scatter_reduce, and index_reduce with an expanded index. */
export function reduceInto(op: string, call: ReduceCall): Tensor {
  const { input, dim, index, src, reduce, include_self } = call;
  const fn = Object.hasOwn(REDUCE_FNS, reduce) ? REDUCE_FNS[reduce] : undefined;
  if (fn === undefined) {
    const known = Object.keys(REDUCE_FNS).join(', ');
    throw opError(ArgumentError, op, `reduce must be one of ${known}, got ${reduce}`);
  }
  if (index.numel() === 0) return scatterInto(op, fn, input, dim, index, src);
  const cleared = full(index.shape, neutral(fn, input), input.dtype);
  const start = include_self ? input : scatterInto(op, 'set', input, dim, index, cleared);
  const result = scatterInto(op, fn, start, dim, index, src);
  if (reduce !== 'mean') return result;
  const one = full([], 1, input.dtype);
  const count = scatterInto(
    op,
    'add',
    expand(full([], include_self ? 1 : 0, input.dtype), input.shape),
    dim,
    index,
    expand(one, src.shape),
  );
  const divisor = where(gt(count, 0), count, one);
  return isFloating(input.dtype) ? div(result, divisor) : floorDivide(result, divisor);
}

/** Whole numbers divided, rounded down, as PyTorch's mean of them. */
function floorDivide(a: Tensor, b: Tensor): Tensor {
  return cast(div(cast(a, 'float64'), cast(b, 'float64')).floor(), a.dtype);
}

/** `a` plus `alpha` times `b`, leaving out what changes nothing. */
export const addScaled = (a: Tensor, b: Tensor, alpha: number): Tensor =>
  add(a, alpha === 1 ? b : mul(b, alpha));
