/** gather, scatter and scatter_add: elements chosen along one dimension by a tensor of indices. */

import { contiguousStrides, formatShape, type Shape } from '../../base/shape.ts';
import type { ScatterFn } from '../kernels.ts';
import {
  arity,
  check,
  checkDtype,
  checkShape,
  type KernelCall,
  type Run,
  sizeAlong,
} from './kernel.ts';
import { viewPlaces } from './views.ts';

/** x, index -> out */
export function gather(call: KernelCall<'gather'>): Run {
  arity(call, 2);
  const [x, index] = call.inputs.map((input) => input.shape) as [Shape, Shape];
  checkDtype('index', call.inputs[1]!.dtype, 'int32', 'int64');
  checkDtype('the output', call.outputs[0]!.dtype, call.inputs[0]!.dtype);
  checkShape('the output', call.outputs[0]!.shape, index);
  checkFits(index, x, call.attrs.dim);
  return ([from, chosen], [out]) => {
    const places = addressedPlaces(x, index, call.attrs.dim, chosen!);
    for (let i = 0; i < places.length; i++) out![i] = from![places[i]!]!;
  };
}

/** src, index -> out */
export function scatterAdd(call: KernelCall<'scatter_add'>): Run {
  arity(call, 2);
  const [src, index] = call.inputs.map((input) => input.shape) as [Shape, Shape];
  const out = call.outputs[0]!.shape;
  checkDtype('index', call.inputs[1]!.dtype, 'int32', 'int64');
  checkDtype('the output', call.outputs[0]!.dtype, call.inputs[0]!.dtype);
  checkShape('index', index, src);
  checkFits(index, out, call.attrs.dim);
  return ([from, chosen], [to]) => {
    const places = addressedPlaces(out, index, call.attrs.dim, chosen!);
    for (let i = 0; i < places.length; i++) to![places[i]!]! += from![i]!;
  };
}

const COMBINE: Record<ScatterFn, (a: number, b: number) => number> = {
  set: (_, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  // Math.max and Math.min are NaN where either is.
  amax: Math.max,
  amin: Math.min,
};

/** x, index, src -> out */
export function scatter(call: KernelCall<'scatter'>): Run {
  arity(call, 3);
  const [x, index, src] = call.inputs.map((input) => input.shape) as [Shape, Shape, Shape];
  checkDtype('index', call.inputs[1]!.dtype, 'int32', 'int64');
  checkDtype('src', call.inputs[2]!.dtype, call.inputs[0]!.dtype);
  checkDtype('the output', call.outputs[0]!.dtype, call.inputs[0]!.dtype);
  checkShape('the output', call.outputs[0]!.shape, x);
  checkShape('src', src, index);
  checkFits(index, x, call.attrs.dim);
  const combine = COMBINE[call.attrs.fn];
  check(combine !== undefined, `unknown function ${call.attrs.fn}`);
  return ([before, chosen, from], [to]) => {
    to!.set(before!);
    const places = addressedPlaces(x, index, call.attrs.dim, chosen!);
    for (let i = 0; i < places.length; i++) to![places[i]!] = combine(to![places[i]!]!, from![i]!);
  };
}

/** The flat place in a tensor of `shape` that each index addresses. Throws on one out of range. */
function addressedPlaces(
  shape: Shape,
  index: Shape,
  dim: number,
  chosen: Float64Array,
): Int32Array {
  const size = shape[dim]!;
  const strides = contiguousStrides(shape);
  const along = strides[dim]!;
  // Walk the index with the target's strides, but stand still along `dim`: the index says where.
  strides[dim] = 0;
  const places = viewPlaces(index, strides);
  for (let i = 0; i < places.length; i++) {
    const place = chosen[i]!;
    check(
      place >= 0 && place < size,
      `index ${place} at element ${i} is out of range for size ${size} along dim ${dim}`,
    );
    places[i]! += place * along;
  }
  return places;
}

function checkFits(index: Shape, shape: Shape, dim: number): void {
  sizeAlong(shape, dim);
  check(
    index.length === shape.length && index.every((size, i) => i === dim || size <= shape[i]!),
    `index ${formatShape(index)} does not fit ${formatShape(shape)} outside dim ${dim}`,
  );
}
