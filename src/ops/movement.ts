/** Ops that move elements and compute nothing. Values do not alias: a result is a tensor of its own. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
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

// ---- parts -------------------------------------------------------------------------------------

/** Places `start + i * step` for `i` below `size`, one entry a dimension. */
interface Region {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

function address(shape: Shape, { starts, steps }: Region) {
  const strides = contiguousStrides(shape);
  return {
    offset: starts.reduce((sum, start, i) => sum + start * strides[i]!, 0),
    strides: steps.map((step, i) => step * strides[i]!),
  };
}

const SLICE = defineOp<Region & { sizes: Shape }>({
  name: 'slice',
  kind: 'movement',
  vjp: ({ grads, inputs, attrs: { starts, steps } }) => [
    place(grads[0]!, inputs[0]!.shape, { starts, steps }),
  ],
  infer: ([input], { sizes }) => [{ dtype: input!.dtype, shape: sizes }],
  lower: ({ inputs, outputs, attrs }) => ({
    kernel: 'copy_view',
    attrs:
      numel(outputs[0]!.shape) === 0
        ? { offset: 0, strides: attrs.steps.map(() => 0) }
        : address(inputs[0]!.shape, attrs),
  }),
});

const PLACE = defineOp<Region & { shape: Shape; fill: number }>({
  name: 'place',
  kind: 'movement',
  vjp: ({ grads, inputs, attrs: { starts, steps } }) => [
    apply(SLICE, [grads[0]!], { starts, steps, sizes: inputs[0]!.shape }),
  ],
  infer: ([input], { shape }) => [{ dtype: input!.dtype, shape }],
  lower: ({ inputs, attrs }) => ({
    kernel: 'place_view',
    attrs: {
      fill: attrs.fill,
      ...(numel(inputs[0]!.shape) === 0
        ? { offset: 0, strides: attrs.steps.map(() => 0) }
        : address(attrs.shape, attrs)),
    },
  }),
});

/** `x` put into a tensor of `shape` full of `fill`: the transpose of a slice. */
function place(x: Tensor, shape: Shape, region: Region, fill = 0): Tensor {
  return apply(PLACE, [x], { ...region, shape, fill });
}

/** Elements `start`, `start + step`, ... below `end` along `dim`, as Python's slices count. */
export function slice(x: Tensor, dim: number, start = 0, end = Infinity, step = 1): Tensor {
  const at = normalizeDim('slice', dim, x.ndim);
  if (x.ndim === 0) throw opError(ShapeError, 'slice', 'cannot slice a zero-dimensional tensor');
  if (!Number.isInteger(step) || step < 1) {
    throw opError(ArgumentError, 'slice', `step must be a positive integer, got ${step}`);
  }
  if (!Number.isInteger(start) || (end !== Infinity && !Number.isInteger(end))) {
    throw opError(ArgumentError, 'slice', `bounds must be integers, got ${start} and ${end}`);
  }
  const size = x.shape[at]!;
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + size : i, 0), size);
  const first = clamp(start);
  const count = Math.max(0, Math.ceil((clamp(end) - first) / step));
  if (count === size && step === 1) return same(x);
  return region(x, at, first, step, count);
}

/** The `length` elements from `start` along `dim`. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const at = normalizeDim('narrow', dim, x.ndim);
  const size = x.shape[at] ?? 0;
  if (start < 0 || length < 0 || start + length > size) {
    throw opError(
      ArgumentError,
      'narrow',
      `start ${start} and length ${length} exceed dimension ${dim} of size ${size}`,
    );
  }
  return slice(x, at, start, start + length);
}

/** Element `index` along `dim`, which is removed. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const at = normalizeDim('select', dim, x.ndim);
  const size = x.shape[at] ?? 0;
  const i = index < 0 ? index + size : index;
  if (!Number.isInteger(i) || i < 0 || i >= size) {
    throw opError(
      ArgumentError,
      'select',
      `index ${index} is out of range for dimension ${dim} of size ${size}`,
    );
  }
  return squeeze(region(x, at, i, 1, 1), at);
}

/** Reverses the order of the elements along `dims`. */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  return normalizeDims('flip', dims, x.ndim).reduce(
    (y, dim) => region(y, dim, Math.max(y.shape[dim]! - 1, 0), -1, y.shape[dim]!),
    x,
  );
}

function region(x: Tensor, dim: number, start: number, step: number, count: number): Tensor {
  return apply(SLICE, [x], {
    starts: x.shape.map((_, i) => (i === dim ? start : 0)),
    steps: x.shape.map((_, i) => (i === dim ? step : 1)),
    sizes: x.shape.map((size, i) => (i === dim ? count : size)),
  });
}

/**
 * Adds `value` around `x`: `padding` holds (before, after) pairs from the last dimension backwards.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export function pad(x: Tensor, padding: readonly number[], value = 0): Tensor {
  const pairs = padding.length / 2;
  if (!Number.isInteger(pairs) || pairs > x.ndim || padding.some((n) => n < 0)) {
    throw opError(
      ArgumentError,
      'pad',
      `padding [${padding.join(', ')}] must be non-negative pairs for at most ${x.ndim} dimensions`,
    );
  }
  const before = x.shape.map((_, i) => padding[2 * (x.ndim - 1 - i)] ?? 0);
  const after = x.shape.map((_, i) => padding[2 * (x.ndim - 1 - i) + 1] ?? 0);
  const shape = x.shape.map((size, i) => before[i]! + size + after[i]!);
  return place(x, shape, { starts: before, steps: x.shape.map(() => 1) }, value);
}

// ---- joining -----------------------------------------------------------------------------------

const CAT = defineOp<{ dim: number }>({
  name: 'cat',
  kind: 'movement',
  vjp({ grads, inputs, attrs: { dim } }) {
    let start = 0;
    return inputs.map((input) => {
      const length = input.shape[dim]!;
      start += length;
      return narrow(grads[0]!, dim, start - length, length);
    });
  },
  infer(inputs, { dim }) {
    const first = inputs[0]!;
    for (const [i, { dtype, shape }] of inputs.entries()) {
      const fits =
        shape.length === first.shape.length &&
        shape.every((size, d) => d === dim || size === first.shape[d]);
      if (!fits) {
        throw opError(
          ShapeError,
          'cat',
          `tensor ${i} has shape ${formatShape(shape)}, tensor 0 ${formatShape(first.shape)}; ` +
            `they may differ only in dimension ${dim}`,
        );
      }
      if (dtype !== first.dtype) {
        throw opError(DTypeError, 'cat', `tensor ${i} is ${dtype}, tensor 0 is ${first.dtype}`);
      }
    }
    const joined = inputs.reduce((sum, { shape }) => sum + shape[dim]!, 0);
    return [{ dtype: first.dtype, shape: first.shape.map((n, d) => (d === dim ? joined : n)) }];
  },
  lower: ({ attrs }) => ({ kernel: 'cat', attrs }),
});

/** Joins tensors along `dim`; all other sizes are equal. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) throw opError(ArgumentError, 'cat', 'needs at least one tensor');
  if (first.ndim === 0) throw opError(ShapeError, 'cat', 'zero-dimensional tensors: use stack');
  return apply(CAT, tensors, { dim: normalizeDim('cat', dim, first.ndim) });
}

/** Joins tensors of one shape along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return cat(
    tensors.map((tensor) => unsqueeze(tensor, dim)),
    dim,
  );
}

/** Parts of at most `size` elements along `dim`, or of the given sizes. */
export function split(x: Tensor, size: number | readonly number[], dim = 0): Tensor[] {
  const at = normalizeDim('split', dim, x.ndim);
  const total = x.shape[at] ?? 0;
  const sizes = typeof size === 'number' ? equalParts(total, size) : size;
  if (sizes.reduce((sum, n) => sum + n, 0) !== total) {
    throw opError(ArgumentError, 'split', `sizes [${sizes.join(', ')}] do not add up to ${total}`);
  }
  let start = 0;
  return sizes.map((length) => {
    start += length;
    return narrow(x, at, start - length, length);
  });
}

function equalParts(total: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1) {
    throw opError(ArgumentError, 'split', `size must be a positive integer, got ${size}`);
  }
  const count = Math.max(1, Math.ceil(total / size));
  return Array.from({ length: count }, (_, i) => Math.min(size, total - i * size));
}
