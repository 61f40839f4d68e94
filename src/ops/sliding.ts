/** Windows that slide over a tensor, laid out side by side, and their sum put back. */

import { contiguousStrides, numel, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { add } from './pointwise.ts';
import { place, select } from './slicing.ts';

/** One entry in `kernel`, `stride` and `dilation` for each dimension that windows move along. */
export interface Sliding {
  /** The first of these dimensions; the others follow it. */
  readonly first: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Where the windows' own dimensions begin in the result. */
  readonly taps_at: number;
}

/** How many windows there are along each dimension; below 1 where none fits. */
export function windowCounts(sizes: Shape, { kernel, stride, dilation }: Omit<Sliding, 'first'>) {
  return sizes.map((size, i) => {
    const reach = dilation[i]! * (kernel[i]! - 1) + 1;
    return Math.floor((size - reach) / stride[i]!) + 1;
  });
}

const SLIDING_WINDOWS = defineOp<Sliding>({
  name: 'sliding_windows',
  kind: 'movement',
  vjp: ({ grads, inputs, attrs }) => [foldWindows(grads[0]!, inputs[0]!.shape, attrs)],
  infer([x], sliding) {
    const { first, kernel, taps_at } = sliding;
    const end = first + kernel.length;
    const counts = windowCounts(x!.shape.slice(first, end), sliding);
    const shape = [...x!.shape.slice(0, first), ...counts, ...x!.shape.slice(end)];
    return [{ dtype: x!.dtype, shape: inserted(shape, kernel, taps_at) }];
  },
  lower({ inputs, outputs, attrs: { first, kernel, stride, dilation, taps_at } }) {
    const strides = contiguousStrides(inputs[0]!.shape);
    const taps = kernel.map((_, i) => strides[first + i]! * dilation[i]!);
    const steps = strides.map((places, dim) => places * (stride[dim - first] ?? 1));
    const isEmpty = numel(outputs[0]!.shape) === 0;
    const all = inserted(steps, taps, taps_at);
    return {
      kernel: 'copy_view',
      attrs: { offset: 0, strides: isEmpty ? all.map(() => 0) : all },
    };
  },
});

function inserted(list: readonly number[], more: readonly number[], at: number): readonly number[] {
  return [...list.slice(0, at), ...more, ...list.slice(at)];
}

/**
 * x (..A, *sizes, ..B) -> the elements of every window: `sizes` become the numbers of windows, and
 * the windows' own sizes `kernel` stand at `taps_at`. Every window must fit.
 */
export function slidingWindows(x: Tensor, sliding: Sliding): Tensor {
  return apply(SLIDING_WINDOWS, [x], sliding);
}

/** The transpose of `slidingWindows`: each element added at its place in a tensor of `shape`. */
export function foldWindows(windows: Tensor, shape: Shape, sliding: Sliding): Tensor {
  const { first, kernel, taps_at } = sliding;
  return kernel.reduceRight((folded, _, i) => {
    // The tap dimensions that are left stand before or after the dimension to be summed into.
    const dim = first + i + (taps_at <= first ? i : 0);
    return foldAlong(folded, { dim, tap: taps_at + i, size: shape[first + i]! }, sliding, i);
  }, windows);
}

interface Fold {
  /** The dimension of windows, once that of their taps is gone. */
  readonly dim: number;
  readonly tap: number;
  readonly size: number;
}

function foldAlong(windows: Tensor, { dim, tap, size }: Fold, sliding: Sliding, i: number): Tensor {
  const taps = Array.from({ length: sliding.kernel[i]! }, (_, t) => {
    const part = select(windows, tap, t);
    const shape = part.shape.map((n, d) => (d === dim ? size : n));
    const strides = contiguousStrides(shape);
    return place(part, shape, {
      offset: t * sliding.dilation[i]! * strides[dim]!,
      strides: strides.map((places, d) => (d === dim ? sliding.stride[i]! * places : places)),
    });
  });
  return taps.reduce((sum, part) => add(sum, part));
}
