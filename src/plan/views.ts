/**
 * Strided views of values: where `copy_view` and `alias` find their elements, and what two of them
 * do together.
 */

import { contiguousStrides, numel, type Shape } from '../base/shape.ts';

/** Element (i0, i1, ...) of `shape` is element offset + sum(ik * strides[k]) of what is viewed. */
export interface View {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly shape: Shape;
}

/** The elements of `shape` in their own order. */
export function denseView(shape: Shape): View {
  return { offset: 0, strides: contiguousStrides(shape), shape };
}

/** Are the elements all of a value's `count`, in their own order? */
export function isDense({ offset, strides, shape }: View, count: number): boolean {
  const own = denseView(shape).strides;
  const inOrder = strides.every((stride, dim) => shape[dim] === 1 || stride === own[dim]);
  return offset === 0 && numel(shape) === count && inOrder;
}

/**
 * `outer`, a view of the value that `inner` gives, as a view of what `inner` views; `undefined`
 * where that is no view. A stride of `outer` goes so far along each dimension of `inner`; the view
 * is one if no index then runs over the end of a dimension.
 */
export function composeViews(inner: View, outer: View): View | undefined {
  if (numel(outer.shape) === 0 || outer.strides.some((stride) => stride < 0)) return undefined;
  const { shape, strides, offset } = merged(inner);
  const steps = denseView(shape).strides;
  const along = (distance: number): number[] => {
    let rest = distance;
    return steps.map((step) => {
      const count = Math.floor(rest / step);
      rest -= count * step;
      return count;
    });
  };
  const start = along(outer.offset);
  const moves = outer.strides.map((stride, k) => along(outer.shape[k] === 1 ? 0 : stride));
  const fits = shape.every((size, dim) => {
    const farthest = moves.map((move, k) => move[dim]! * (outer.shape[k]! - 1));
    return farthest.reduce((sum, far) => sum + far, start[dim]!) < size;
  });
  if (!fits) return undefined;
  const place = (counts: readonly number[]) =>
    counts.reduce((sum, count, dim) => sum + count * strides[dim]!, 0);
  return { offset: offset + place(start), strides: moves.map(place), shape: outer.shape };
}

/** The same elements with as few dimensions as can be. */
function merged({ offset, strides, shape }: View): View {
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((size, dim) => {
    if (size === 1) return;
    const step = strides[dim]!;
    if (steps.length > 0 && steps.at(-1) === step * size) {
      sizes[sizes.length - 1]! *= size;
      steps[steps.length - 1] = step;
    } else {
      sizes.push(size);
      steps.push(step);
    }
  });
  return sizes.length === 0
    ? { offset, strides: [0], shape: [1] }
    : { offset, strides: steps, shape: sizes };
}
