/**
 * What a reference kernel is: a function that checks one call and gives back what runs it. The
 * checks are those of `kernels.ts`, so a Program that the planner got wrong fails at load.
 */

import { type DType, isFloating } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import { formatShape, type Shape, sameShape } from '../../base/shape.ts';
import type { KernelAttrs, KernelName } from '../kernels.ts';
import type { ValueType } from '../program.ts';

/** One call as it is known when its Program is loaded. */
export interface KernelCall<K extends KernelName> {
  readonly attrs: KernelAttrs[K];
  readonly inputs: readonly ValueType[];
  readonly outputs: readonly ValueType[];
}

/**
 * Computes one call. Outputs arrive filled with zeros; numbers are stored in them unconverted, and
 * the executor brings them to the output's dtype afterwards. Throws `EngineError` on bad data.
 */
export type Run = (inputs: readonly Float64Array[], outputs: readonly Float64Array[]) => void;

/** Throws `EngineError`, without saying where: the executor adds the kernel, shapes and label. */
export type KernelFunction<K extends KernelName> = (call: KernelCall<K>) => Run;

/** Throws an `EngineError` with `message` unless `condition` holds. */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new EngineError(message);
}

/** Throws unless the call has as many operands. */
export function arity(call: KernelCall<KernelName>, inputs: number, outputs = 1): void {
  check(
    call.inputs.length === inputs && call.outputs.length === outputs,
    `takes ${inputs} inputs and ${outputs} outputs, got ${call.inputs.length} and ${call.outputs.length}`,
  );
}

export function checkShape(what: string, actual: Shape, expected: Shape): void {
  check(
    sameShape(actual, expected),
    `${what} must have shape ${formatShape(expected)}, got ${formatShape(actual)}`,
  );
}

export function checkDtype(what: string, actual: DType, ...allowed: readonly DType[]): void {
  check(allowed.includes(actual), `${what} must be ${allowed.join(' or ')}, got ${actual}`);
}

/** Every operand floating and of one dtype. */
export function checkFloating(call: KernelCall<KernelName>): void {
  const dtype = call.inputs[0]!.dtype;
  check(isFloating(dtype), `needs a floating dtype, got ${dtype}`);
  for (const { dtype: other } of [...call.inputs, ...call.outputs]) {
    check(other === dtype, `operands must have one dtype, got ${dtype} and ${other}`);
  }
}

/** The size of `shape` along `dim`, which must be one of its dimensions. */
export function sizeAlong(shape: Shape, dim: number): number {
  const size = shape[dim];
  check(size !== undefined, `dim ${dim} is not a dimension of ${formatShape(shape)}`);
  return size;
}

/** `shape` without the dimensions `dims`. */
export function withoutDims(shape: Shape, dims: readonly number[]): number[] {
  return shape.filter((_, dim) => !dims.includes(dim));
}

/** A tensor seen as (outer, size, inner) around one dimension. */
export interface Split {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

export function splitAt(shape: Shape, dim: number): Split {
  const size = sizeAlong(shape, dim);
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < dim; i++) outer *= shape[i]!;
  for (let i = dim + 1; i < shape.length; i++) inner *= shape[i]!;
  return { outer, size, inner };
}
