/** Kernels that only move elements: alias, strided copies and their transpose, concatenation. */

import { contiguousStrides, numel } from '../../base/shape.ts';
import type { KernelName } from '../kernels.ts';
import type { ValueType } from '../program.ts';
import { arity, check, checkShape, type KernelCall, type Run, sizeAlong } from './kernel.ts';
import { checkView, viewPlaces } from './views.ts';

/** In this engine an alias is a copy: nobody can tell, since values are never changed in place. */
export function alias(call: KernelCall<'alias'>): Run {
  arity(call, 1);
  const [input, output] = sameDtype(call);
  check(
    numel(input.shape) === numel(output.shape),
    `cannot give ${numel(input.shape)} elements a shape of ${numel(output.shape)}`,
  );
  return ([from], [to]) => to!.set(from!);
}

export function copyView(call: KernelCall<'copy_view'>): Run {
  arity(call, 1);
  const { strides, offset } = call.attrs;
  const [input, output] = sameDtype(call);
  checkView(output.shape, strides, offset, numel(input.shape));
  return ([from], [to]) => {
    const places = viewPlaces(output.shape, strides, offset);
    for (let i = 0; i < places.length; i++) to![i] = from![places[i]!]!;
  };
}

export function placeView(call: KernelCall<'place_view'>): Run {
  arity(call, 1);
  const { strides, offset, fill } = call.attrs;
  const [input, output] = sameDtype(call);
  checkView(input.shape, strides, offset, numel(output.shape));
  return ([from], [to]) => {
    const places = viewPlaces(input.shape, strides, offset);
    checkDistinct(places, to!.length);
    to!.fill(fill);
    for (let i = 0; i < places.length; i++) to![places[i]!] = from![i]!;
  };
}

function checkDistinct(places: Int32Array, length: number): void {
  const taken = new Uint8Array(length);
  for (const place of places) {
    check(taken[place] === 0, `element ${place} of the output is addressed twice`);
    taken[place] = 1;
  }
}

/** Each input is a strided block of the output, one after another along `dim`. */
export function cat(call: KernelCall<'cat'>): Run {
  const { dim } = call.attrs;
  const { inputs } = call;
  arity(call, Math.max(1, inputs.length));
  const [, output] = sameDtype(call);
  const joined = [...output.shape];
  joined[dim] = inputs.reduce((total, { shape }) => total + sizeAlong(shape, dim), 0);
  checkShape('the output', output.shape, joined);
  for (const { shape } of inputs) {
    const expected = [...output.shape];
    expected[dim] = sizeAlong(shape, dim);
    checkShape('every input', shape, expected);
  }
  const strides = contiguousStrides(output.shape);
  return (froms, [to]) => {
    let offset = 0;
    froms.forEach((from, k) => {
      const { shape } = inputs[k]!;
      const places = viewPlaces(shape, strides, offset);
      for (let i = 0; i < places.length; i++) to![places[i]!] = from[i]!;
      offset += shape[dim]! * strides[dim]!;
    });
  };
}

function sameDtype(call: KernelCall<KernelName>): [ValueType, ValueType] {
  const output = call.outputs[0]!;
  for (const { dtype } of call.inputs) {
    check(dtype === output.dtype, `cannot move ${dtype} into ${output.dtype}`);
  }
  return [call.inputs[0]!, output];
}
