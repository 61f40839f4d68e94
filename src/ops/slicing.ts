/** Parts of a tensor, and tensors with something around them. */

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
import { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { defineOp } from './define.ts';
import { same, squeeze } from './movement.ts';
import { named } from './named.ts';
import { cast, where } from './pointwise.ts';

/**
 * Distinct elements of a dense tensor: element (i0, i1, ...) is `offset + sum(ik * strides[k])`.
 */
export interface View {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Of nothing there is nothing to address. */
const addressed = (shape: Shape, { offset, strides }: View): View =>
  numel(shape) === 0 ? { offset: 0, strides: strides.map(() => 0) } : { offset, strides };

const SLICE = defineOp<View & { sizes: Shape }>({
  name: 'slice',
  kind: 'movement',
  vjp: ({ grads, inputs, attrs }) => [place(grads[0]!, inputs[0]!.shape, attrs)],
  infer: ([input], { sizes }) => [{ dtype: input!.dtype, shape: sizes }],
  lower: ({ outputs, attrs }) => ({
    kernel: 'copy_view',
    attrs: addressed(outputs[0]!.shape, attrs),
  }),
});

const PLACE = defineOp<View & { shape: Shape; fill: number }>({
  name: 'place',
  kind: 'movement',
  vjp: ({ grads, inputs, attrs }) => [pick(grads[0]!, inputs[0]!.shape, attrs)],
  infer: ([input], { shape }) => [{ dtype: input!.dtype, shape }],
  lower: ({ inputs, attrs }) => ({
    kernel: 'place_view',
    attrs: { fill: attrs.fill, ...addressed(inputs[0]!.shape, attrs) },
  }),
});

/** The elements of `x` that `view` addresses, each at most once, as a tensor of shape `sizes`. */
export function pick(x: Tensor, sizes: Shape, { offset, strides }: View): Tensor {
  return apply(SLICE, [x], { offset, strides, sizes });
}

/** `x` put into a tensor of `shape` full of `fill`: the transpose of `pick`. */
export function place(x: Tensor, shape: Shape, { offset, strides }: View, fill = 0): Tensor {
  return apply(PLACE, [x], { offset, strides, shape, fill });
}

/** Bounds as Python's slices count them: the first index and how many there are. */
function sliceBounds(op: string, size: number, start: number, end: number, step: number) {
  if (!Number.isInteger(step) || step < 1) {
    throw opError(ArgumentError, op, `step must be a positive integer, got ${step}`);
  }
  if (!Number.isInteger(start) || (end !== Infinity && !Number.isInteger(end))) {
    throw opError(ArgumentError, op, `bounds must be integers, got ${start} and ${end}`);
  }
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + size : i, 0), size);
  const first = clamp(start);
  return { first, count: Math.max(0, Math.ceil((clamp(end) - first) / step)) };
}

/** `count` elements from `first` by `step` along `dim`, as (shape, view) of a tensor of `shape`. */
function alongDim(shape: Shape, dim: number, first: number, step: number, count: number) {
  const strides = contiguousStrides(shape);
  const view = {
    offset: first * strides[dim]!,
    strides: strides.map((stride, i) => (i === dim ? step * stride : stride)),
  };
  return { sizes: shape.map((size, i) => (i === dim ? count : size)), view };
}

/** Elements `start`, `start + step`, ... below `end` along `dim`, as Python's slices count. */
export const slice = named(
  'slice',
  ['input', 'dim', 'start', 'end', 'step'],
  (
    input: Tensor,
    dim = 0,
    start: number | null = null,
    end: number | null = null,
    step = 1,
  ): Tensor => {
    const at = dimOf('slice', input, dim);
    const size = input.shape[at]!;
    const { first, count } = sliceBounds('slice', size, start ?? 0, end ?? Infinity, step);
    if (count === size && step === 1) return same(input);
    return stepped(input, at, first, step, count);
  },
);

function dimOf(op: string, x: Tensor, dim: number): number {
  if (x.ndim > 0) return normalizeDim(op, dim, x.ndim);
  throw opError(ShapeError, op, `cannot ${op} a zero-dimensional tensor`);
}

function stepped(x: Tensor, dim: number, first: number, step: number, count: number): Tensor {
  const { sizes, view } = alongDim(x.shape, dim, first, step, count);
  return pick(x, sizes, view);
}

/**
 * The `length` elements from `start` along `dim`; `start` may be a zero-dimensional tensor, which
 * is then read. Throws ArgumentError where they are not there.
 * https://pytorch.org/docs/stable/generated/torch.narrow.html
 */
export const narrow = named(
  'narrow',
  ['input', 'dim', 'start', 'length'],
  (input: Tensor, dim: number, start: number | Tensor, length: number): Tensor => {
    const at = dimOf('narrow', input, dim);
    const size = input.shape[at]!;
    const given = start instanceof Tensor ? start.item() : start;
    const first = given < 0 ? given + size : given;
    if (!(first >= 0 && length >= 0 && first + length <= size)) {
      throw opError(
        ArgumentError,
        'narrow',
        `start ${given} and length ${length} exceed dimension ${dim} of size ${size}`,
      );
    }
    return slice(input, at, first, first + length);
  },
);

/**
 * Element `index` along `dim`, which is removed.
 * https://pytorch.org/docs/stable/generated/torch.select.html
 */
export const select = named(
  'select',
  ['input', 'dim', 'index'],
  (input: Tensor, dim: number, index: number): Tensor => {
    const at = dimOf('select', input, dim);
    return squeeze(stepped(input, at, indexAlong('select', input, at, index), 1, 1), at);
  },
);

function indexAlong(op: string, x: Tensor, dim: number, index: number): number {
  const size = x.shape[dim]!;
  const i = index < 0 ? index + size : index;
  if (Number.isInteger(i) && i >= 0 && i < size) return i;
  throw opError(
    ArgumentError,
    op,
    `index ${index} is out of range for dimension ${dim} of size ${size}`,
  );
}

/**
 * Reverses the order of the elements along `dims`.
 * https://pytorch.org/docs/stable/generated/torch.flip.html
 */
export const flip = named(
  'flip',
  ['input', '*dims'],
  (input: Tensor, dims: number | readonly number[]): Tensor => {
    const chosen = normalizeDims('flip', dims, input.ndim);
    if (chosen.length === 0) return same(input);
    const strides = contiguousStrides(input.shape);
    const last = (dim: number) => Math.max(input.shape[dim]! - 1, 0) * strides[dim]!;
    return pick(input, input.shape, {
      offset: chosen.reduce((sum, dim) => sum + last(dim), 0),
      strides: strides.map((stride, dim) => (chosen.includes(dim) ? -stride : stride)),
    });
  },
);

// ---- a part replaced ---------------------------------------------------------------------------

/** `input` with the elements that `view` addresses replaced by those of `src`. */
export function replaced(op: string, input: Tensor, src: Tensor, sizes: Shape, at: View): Tensor {
  if (!sameShape(src.shape, sizes)) {
    throw opError(
      ShapeError,
      op,
      `src has shape ${formatShape(src.shape)}, the part of ${formatShape(input.shape)} it replaces ` +
        `has ${formatShape(sizes)}`,
    );
  }
  const inside = place(full(sizes, 1, 'bool'), input.shape, at);
  return where(inside, place(cast(src, input.dtype), input.shape, at), input);
}

/**
 * `input` with element `index` along `dim` replaced by `src`.
 * https://pytorch.org/docs/stable/generated/torch.select_scatter.html
 */
export const selectScatter = named(
  'select_scatter',
  ['input', 'src', 'dim', 'index'],
  (input: Tensor, src: Tensor, dim: number, index: number): Tensor => {
    const at = dimOf('select_scatter', input, dim);
    const first = indexAlong('select_scatter', input, at, index);
    const { sizes, view } = alongDim(input.shape, at, first, 1, 1);
    const without = (list: readonly number[]) => list.filter((_, i) => i !== at);
    const part = { offset: view.offset, strides: without(view.strides) };
    return replaced('select_scatter', input, src, without(sizes), part);
  },
);

/**
 * `input` with the slice `start:end:step` along `dim` replaced by `src`.
 * https://pytorch.org/docs/stable/generated/torch.slice_scatter.html
 */
export const sliceScatter = named(
  'slice_scatter',
  ['input', 'src', 'dim', 'start', 'end', 'step'],
  (
    input: Tensor,
    src: Tensor,
    dim = 0,
    start: number | null = null,
    end: number | null = null,
    step = 1,
  ): Tensor => {
    const at = dimOf('slice_scatter', input, dim);
    const size = input.shape[at]!;
    const { first, count } = sliceBounds('slice_scatter', size, start ?? 0, end ?? Infinity, step);
    const { sizes, view } = alongDim(input.shape, at, first, step, count);
    return replaced('slice_scatter', input, src, sizes, view);
  },
);
