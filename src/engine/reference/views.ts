/** Strided walks over dense buffers: the one loop behind views, broadcasting and reductions. */

import { contiguousStrides, formatShape, numel, type Shape } from '../../base/shape.ts';
import { check } from './kernel.ts';

/** `offset + sum(i_k * strides[k])` for every index of `shape`, in row-major order. */
export function viewPlaces(shape: Shape, strides: readonly number[], offset = 0): Int32Array {
  const places = new Int32Array(numel(shape));
  const index = new Array<number>(shape.length).fill(0);
  let place = offset;
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      place += strides[dim]!;
      index[dim]!++;
      if (index[dim]! < shape[dim]!) break;
      place -= strides[dim]! * shape[dim]!;
      index[dim] = 0;
    }
  }
  return places;
}

/** Throws unless every place of the view lies in a buffer of `length` elements. */
export function checkView(
  shape: Shape,
  strides: readonly number[],
  offset: number,
  length: number,
): void {
  check(
    strides.length === shape.length,
    `${strides.length} strides given for shape ${formatShape(shape)}`,
  );
  if (numel(shape) === 0) return;
  let first = offset;
  let last = offset;
  for (let dim = 0; dim < shape.length; dim++) {
    const reach = (shape[dim]! - 1) * strides[dim]!;
    if (reach < 0) first += reach;
    else last += reach;
  }
  check(
    first >= 0 && last < length,
    `the view reaches elements ${first} to ${last} of a buffer of ${length}`,
  );
}

/** Strides that read `shape` as if it had been broadcast to `target`: 0 along repeated sizes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const lead = target.length - shape.length;
  const own = contiguousStrides(shape);
  const fits = lead >= 0 && shape.every((size, dim) => size === 1 || size === target[lead + dim]);
  check(fits, `shape ${formatShape(shape)} cannot be broadcast to ${formatShape(target)}`);
  return target.map((size, dim) =>
    dim < lead || shape[dim - lead] !== size ? 0 : own[dim - lead]!,
  );
}

/** For every element of `shape`, the place of the element it is reduced into. */
export function reducedPlaces(shape: Shape, dims: readonly number[]): Int32Array {
  const kept = shape.map((size, dim) => (dims.includes(dim) ? 1 : size));
  return viewPlaces(shape, broadcastStrides(kept, shape));
}
