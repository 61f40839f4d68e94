/** Parts of a tensor, and tensors with something around them. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import {
  contiguousStrides,
  normalizeDim,
  normalizeDims,
  numel,
  type Shape,
} from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { same, squeeze } from './movement.ts';

/** Places `start + i * step` for `i` below `size`, one entry a dimension. */
export interface Region {
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
export function place(x: Tensor, shape: Shape, region: Region, fill = 0): Tensor {
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
