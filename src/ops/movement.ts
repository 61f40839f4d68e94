/** Ops that move elements and compute nothing. Values do not alias: a result is a tensor of its own. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import {
  contiguousStrides,
  formatShape,
  normalizeDim,
  normalizeDims,
  numel,
  type Shape,
  sameShape,
} from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';

// ---- shape ---------------------------------------------------------------------------------

const RESHAPE = defineOp<{ shape: Shape }>({
  name: 'reshape',
  kind: 'movement',
  vjp: ({ grads, inputs }) => [reshape(grads[0]!, inputs[0]!.shape)],
  infer: ([input], { shape }) => [{ dtype: input!.dtype, shape }],
  lower: () => ({ kernel: 'alias', attrs: {} }),
});

/** The same elements in another shape; one size may be -1 and is then inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return apply(RESHAPE, [x], { shape: inferSizes(x.shape, shape) });
}

/** The same tensor under a new identity: changing the one in place leaves the other alone. */
export function same(x: Tensor): Tensor {
  return apply(RESHAPE, [x], { shape: x.shape });
}

function inferSizes(from: Shape, to: Shape): Shape {
  const fail = () =>
    opError(ShapeError, 'reshape', `shape ${formatShape(to)} is invalid for ${formatShape(from)}`);
  const unknown = to.filter((size) => size === -1).length;
  if (unknown > 1 || to.some((size) => !Number.isInteger(size) || size < -1)) throw fail();
  const known = numel(to.filter((size) => size !== -1));
  const total = numel(from);
  if (unknown === 0) {
    if (known !== total) throw fail();
    return [...to];
  }
  if (known === 0 || total % known !== 0) throw fail();
  return to.map((size) => (size === -1 ? total / known : size));
}

/** Joins dimensions `start_dim` to `end_dim` into one. */
export function flatten(x: Tensor, start_dim = 0, end_dim = -1): Tensor {
  const start = normalizeDim('flatten', start_dim, x.ndim);
  const end = normalizeDim('flatten', end_dim, x.ndim);
  if (start > end) {
    throw opError(
      ArgumentError,
      'flatten',
      `start_dim ${start_dim} comes after end_dim ${end_dim}`,
    );
  }
  const joined = numel(x.shape.slice(start, end + 1));
  return reshape(x, [...x.shape.slice(0, start), joined, ...x.shape.slice(end + 1)]);
}

/** Inserts a dimension of size 1 at `dim`. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const at = normalizeDim('unsqueeze', dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes the dimensions of size 1 among `dims` (all of them where none are given). */
export function squeeze(x: Tensor, dims?: number | readonly number[]): Tensor {
  const chosen = new Set(normalizeDims('squeeze', dims, x.ndim));
  return reshape(
    x,
    x.shape.filter((size, i) => size !== 1 || !chosen.has(i)),
  );
}

// ---- order ---------------------------------------------------------------------------------

const PERMUTE = defineOp<{ dims: readonly number[] }>({
  name: 'permute',
  kind: 'movement',
  vjp: ({ grads, attrs }) => [permute(grads[0]!, inverse(attrs.dims))],
  infer: ([input], { dims }) => [{ dtype: input!.dtype, shape: dims.map((d) => input!.shape[d]!) }],
  lower({ inputs, attrs }) {
    const strides = contiguousStrides(inputs[0]!.shape);
    return {
      kernel: 'copy_view',
      attrs: { offset: 0, strides: attrs.dims.map((dim) => strides[dim]!) },
    };
  },
});

function inverse(dims: readonly number[]): number[] {
  const out = new Array<number>(dims.length);
  for (const [i, dim] of dims.entries()) out[dim] = i;
  return out;
}

/** The dimensions in another order: dimension `i` of the result is `dims[i]` of `x`. */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const order = dims.map((dim) => normalizeDim('permute', dim, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== order.length) {
    throw opError(
      ArgumentError,
      'permute',
      `dims [${dims.join(', ')}] are no order of the ${x.ndim} dimensions of ${formatShape(x.shape)}`,
    );
  }
  if (order.every((dim, i) => dim === i)) return same(x);
  return apply(PERMUTE, [x], { dims: order });
}

/** Exchanges two dimensions. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const order = x.shape.map((_, i) => i);
  const a = normalizeDim('transpose', dim0, x.ndim);
  const b = normalizeDim('transpose', dim1, x.ndim);
  if (order.length > 0) [order[a], order[b]] = [order[b]!, order[a]!];
  return permute(x, order);
}

// ---- repetition --------------------------------------------------------------------------------

const EXPAND = defineOp<{ shape: Shape }>({
  name: 'expand',
  kind: 'movement',
  broadcasts: true,
  // Autograd sums the gradient back to the input's shape, as for every broadcast.
  vjp: ({ grads }) => [grads[0]!],
  infer: ([input], { shape }) => [{ dtype: input!.dtype, shape }],
  lower({ inputs, attrs }) {
    const { shape } = inputs[0]!;
    const strides = contiguousStrides(shape).map((stride, i) => (shape[i] === 1 ? 0 : stride));
    const added = new Array<number>(attrs.shape.length - shape.length).fill(0);
    return { kernel: 'copy_view', attrs: { offset: 0, strides: [...added, ...strides] } };
  },
});

/** Repeats dimensions of size 1, and adds leading ones; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.ndim;
  const target = shape.map((size, i) => (size === -1 && i >= lead ? x.shape[i - lead]! : size));
  const fits =
    lead >= 0 &&
    target.every((size) => Number.isInteger(size) && size >= 0) &&
    x.shape.every((size, i) => size === 1 || size === target[i + lead]);
  if (!fits) {
    throw opError(
      ShapeError,
      'expand',
      `${formatShape(x.shape)} cannot be expanded to ${formatShape(shape)}`,
    );
  }
  return sameShape(target, x.shape) ? same(x) : apply(EXPAND, [x], { shape: target });
}
