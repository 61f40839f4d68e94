/**
 * Ops that move elements and compute nothing. Values do not alias: a result is a tensor of its own.
 */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import {
  checkShape,
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
import { named } from './named.ts';

// ---- shape ---------------------------------------------------------------------------------

const RESHAPE = defineOp<{ shape: Shape }>({
  name: 'reshape',
  kind: 'movement',
  vjp: ({ grads, inputs }) => [reshape(grads[0]!, inputs[0]!.shape)],
  infer: ([input], { shape }) => [{ dtype: input!.dtype, shape }],
  lower: () => ({ kernel: 'alias', attrs: {} }),
});

const reshaping = (op: string) =>
  named(op, ['input', '*shape'], (input: Tensor, shape: Shape): Tensor => {
    return apply(RESHAPE, [input], { shape: inferSizes(op, input.shape, shape) });
  });

/**
 * The same elements in another shape; one size may be -1 and is then inferred. Throws ShapeError
 * where the numbers of elements differ.
 * https://pytorch.org/docs/stable/generated/torch.reshape.html
 */
export const reshape = reshaping('reshape');
/**
 * `reshape`: results never share memory.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.view.html
 */
export const view = reshaping('view');

/** The same tensor under a new identity: changing the one in place leaves the other alone. */
export function same(x: Tensor): Tensor {
  return apply(RESHAPE, [x], { shape: x.shape });
}

/** `to` with its -1 replaced by the size that is left for it. */
export function inferSizes(op: string, from: Shape, to: Shape): Shape {
  const fail = () =>
    opError(ShapeError, op, `shape ${formatShape(to)} is invalid for ${formatShape(from)}`);
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

/**
 * Joins dimensions `start_dim` to `end_dim` into one.
 * https://pytorch.org/docs/stable/generated/torch.flatten.html
 */
export const flatten = named(
  'flatten',
  ['input', 'start_dim', 'end_dim'],
  (input: Tensor, start_dim = 0, end_dim = -1): Tensor => {
    const start = normalizeDim('flatten', start_dim, input.ndim);
    const end = normalizeDim('flatten', end_dim, input.ndim);
    if (start > end) {
      throw opError(
        ArgumentError,
        'flatten',
        `start_dim ${start_dim} comes after end_dim ${end_dim}`,
      );
    }
    const joined = numel(input.shape.slice(start, end + 1));
    return reshape(input, [...input.shape.slice(0, start), joined, ...input.shape.slice(end + 1)]);
  },
);

/**
 * Inserts a dimension of size 1 at `dim`.
 * https://pytorch.org/docs/stable/generated/torch.unsqueeze.html
 */
export const unsqueeze = named(
  'unsqueeze',
  ['input', 'dim'],
  (input: Tensor, dim: number): Tensor => {
    const at = normalizeDim('unsqueeze', dim, input.ndim + 1);
    return reshape(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  },
);

/**
 * Removes the dimensions of size 1 among `dim` (all of them where none are given).
 * https://pytorch.org/docs/stable/generated/torch.squeeze.html
 */
export const squeeze = named(
  'squeeze',
  ['input', 'dim'],
  (input: Tensor, dim: number | readonly number[] | null = null): Tensor => {
    const chosen = new Set(normalizeDims('squeeze', dim ?? undefined, input.ndim));
    return reshape(
      input,
      input.shape.filter((size, i) => size !== 1 || !chosen.has(i)),
    );
  },
);

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

/**
 * The dimensions in another order: dimension `i` of the result is `dims[i]` of the input.
 * https://pytorch.org/docs/stable/generated/torch.permute.html
 */
export const permute = named(
  'permute',
  ['input', '*dims'],
  (input: Tensor, dims: readonly number[]): Tensor => {
    const order = dims.map((dim) => normalizeDim('permute', dim, input.ndim));
    if (order.length !== input.ndim || new Set(order).size !== order.length) {
      throw opError(
        ArgumentError,
        'permute',
        `dims [${dims.join(', ')}] are no order of the ${input.ndim} dimensions of ${formatShape(input.shape)}`,
      );
    }
    if (order.every((dim, i) => dim === i)) return same(input);
    return apply(PERMUTE, [input], { dims: order });
  },
);

const exchange = <const A extends string, const B extends string>(
  op: string,
  first: A,
  second: B,
) =>
  named(op, ['input', first, second], (input: Tensor, dim0: number, dim1: number): Tensor => {
    const order = input.shape.map((_, i) => i);
    const a = normalizeDim(op, dim0, input.ndim);
    const b = normalizeDim(op, dim1, input.ndim);
    if (order.length > 0) [order[a], order[b]] = [order[b]!, order[a]!];
    return permute(input, order);
  });

/** Exchanges two dimensions. https://pytorch.org/docs/stable/generated/torch.transpose.html */
export const transpose = exchange('transpose', 'dim0', 'dim1');
/** `transpose`. https://pytorch.org/docs/stable/generated/torch.swapdims.html */
export const swapdims = exchange('swapdims', 'dim0', 'dim1');
/** `transpose` under NumPy's name. https://pytorch.org/docs/stable/generated/torch.swapaxes.html */
export const swapaxes = exchange('swapaxes', 'axis0', 'axis1');

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

const expanding = (op: string) =>
  named(op, ['input', '*size'], (input: Tensor, size: Shape): Tensor => {
    const lead = size.length - input.ndim;
    const target = size.map((n, i) => (n === -1 && i >= lead ? input.shape[i - lead]! : n));
    const fits =
      lead >= 0 &&
      target.every((n) => Number.isInteger(n) && n >= 0) &&
      input.shape.every((n, i) => n === 1 || n === target[i + lead]);
    if (!fits) {
      throw opError(
        ShapeError,
        op,
        `${formatShape(input.shape)} cannot be expanded to ${formatShape(size)}`,
      );
    }
    checkShape(op, target);
    return sameShape(target, input.shape) ? same(input) : apply(EXPAND, [input], { shape: target });
  });

/**
 * Repeats dimensions of size 1, and adds leading ones; -1 keeps a size. Throws ShapeError where
 * another size would change. https://pytorch.org/docs/stable/generated/torch.Tensor.expand.html
 */
export const expand = expanding('expand');
/** `expand`. https://pytorch.org/docs/stable/generated/torch.broadcast_to.html */
export const broadcastTo = expanding('broadcast_to');
