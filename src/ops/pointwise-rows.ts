/**
 * How a pointwise row is made: its shape rule, what operands it takes, promotion before the node.
 */

import type { DType } from '../base/dtype.ts';
import { isFloating, needsFloating, promoteTypes, promoteWithNumber } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import { broadcastShapes } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Op, Vjp } from '../core/graph.ts';
import { Tensor } from '../core/tensor.ts';
import type { PointwiseFn } from '../engine/kernels.ts';
import { scalarLike } from './constant.ts';
import { defineOp, type NoAttrs } from './define.ts';
import { named, requireTensors } from './named.ts';

/** A tensor or a plain number; numbers are constants of the graph. */
export type Operand = Tensor | number;

type Result = 'same' | 'bool';
/** What operands a row takes: `number` is everything but bool, `whole` everything but floating. */
type Operands = 'any' | 'number' | 'floating' | 'whole' | 'integer';

/** Throws DTypeError, naming `op`, for floating operands. */
export function needsWhole(op: string, { dtype }: { readonly dtype: DType }): void {
  if (isFloating(dtype)) throw opError(DTypeError, op, `is defined for integers, got ${dtype}`);
}

function checkOperands(name: string, operands: Operands, dtype: DType): void {
  if (operands === 'floating') needsFloating(name, { dtype });
  if (operands === 'whole' || operands === 'integer') needsWhole(name, { dtype });
  if ((operands === 'number' || operands === 'integer') && dtype === 'bool') {
    throw opError(DTypeError, name, 'is not defined for bool tensors; use the logical ops');
  }
}

export function pointwiseRow(
  name: PointwiseFn,
  result: Result,
  vjp: Vjp<NoAttrs> | 'nondiff',
  operands: Operands = 'any',
  monotone = false,
  row: string = name,
): Op<NoAttrs> {
  return defineOp<NoAttrs>({
    name: row,
    kind: 'pointwise',
    monotone,
    vjp,
    infer(inputs) {
      const { dtype } = inputs[inputs.length - 1]!;
      checkOperands(name, operands, dtype);
      const shape = broadcastShapes(name, ...inputs.map((input) => input.shape));
      return [{ dtype: result === 'bool' ? 'bool' : dtype, shape }];
    },
    lower: () => ({ kernel: 'pointwise', fn: name }),
  });
}

// ---- one operand -------------------------------------------------------------------------------

export type UnaryVjp = (g: Tensor, x: Tensor, y: Tensor) => Tensor | null;

export function unary(
  name: PointwiseFn,
  derivative: UnaryVjp | 'nondiff',
  result: Result = 'same',
  operands: Operands = 'any',
  monotone = false,
) {
  const vjp: Vjp<NoAttrs> | 'nondiff' =
    derivative === 'nondiff'
      ? derivative
      : ({ grads, inputs, outputs }) => [derivative(grads[0]!, inputs[0]!, outputs[0]!)];
  const row = pointwiseRow(name, result, vjp, operands, monotone);
  return named(name, ['input'], (input: Tensor): Tensor => apply(row, [input], {}));
}

/** As `unary`, computing integers in float32 as PyTorch does. */
export function floatUnary(name: PointwiseFn, derivative: UnaryVjp | 'nondiff') {
  const compute = unary(name, derivative, 'same', 'floating');
  return named(name, ['input'], (input: Tensor): Tensor => compute(floating(input)));
}

// ---- conversion --------------------------------------------------------------------------------

const CAST = defineOp<{ dtype: DType }>({
  name: 'cast',
  kind: 'pointwise',
  vjp: ({ grads, inputs }) => [
    isFloating(inputs[0]!.dtype) ? cast(grads[0]!, inputs[0]!.dtype) : null,
  ],
  infer: ([input], { dtype }) => [{ dtype, shape: input!.shape }],
  lower: () => ({ kernel: 'pointwise', fn: 'cast' }),
});

/** `x` with elements of `dtype`: floats truncate to integers, anything non-zero is true. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply(CAST, [x], { dtype });
}

/** A tensor that is computed in floating numbers: integers become float32. */
export const floating = (x: Tensor): Tensor => (isFloating(x.dtype) ? x : cast(x, 'float32'));

// ---- two operands ------------------------------------------------------------------------------

export type BinaryVjp = (
  g: Tensor,
  a: Tensor,
  b: Tensor,
  y: Tensor,
) => readonly [Tensor | null, Tensor | null];

/** The dtype PyTorch would compute both operands in. Zero-dimensional tensors count less. */
export function resultType(a: Operand, b: Operand): DType {
  if (typeof a !== 'object') {
    return typeof b !== 'object'
      ? promoteWithNumber(promoteWithNumber('int64', a), b)
      : promoteWithNumber(b.dtype, a);
  }
  if (typeof b !== 'object') return promoteWithNumber(a.dtype, b);
  const [wide, narrow] = a.ndim === 0 && b.ndim > 0 ? [b, a] : [a, b];
  if (narrow.ndim === 0 && wide.ndim > 0) return promoteDimensioned(wide.dtype, narrow.dtype);
  return promoteTypes(a.dtype, b.dtype);
}

/** A zero-dimensional tensor changes the dtype only by its category, as a number does. */
function promoteDimensioned(dimensioned: DType, scalar: DType): DType {
  const promoted = promoteTypes(dimensioned, scalar);
  const sameCategory = isFloating(dimensioned) === isFloating(scalar) && dimensioned !== 'bool';
  return sameCategory || (isFloating(dimensioned) && !isFloating(scalar)) ? dimensioned : promoted;
}

/** Both operands in their common dtype, or in float32 where `floating` and they are not. */
export function promote(a: Operand, b: Operand, floating = false): [Tensor, Tensor] {
  const dtype = resultType(a, b);
  const target = floating && !isFloating(dtype) ? 'float32' : dtype;
  const convert = (x: Operand) => (typeof x === 'number' ? scalarLike(x, target) : cast(x, target));
  return [convert(a), convert(b)];
}

/** Throws unless one is a tensor and the other one, too, or a number. */
export function requireOperands(op: string, input: Operand, other: Operand): void {
  const isNumber = typeof input === 'number' || typeof input === 'boolean';
  requireTensors(op, isNumber ? { other } : { input });
}

interface BinaryOptions {
  readonly result?: Result;
  readonly operands?: Operands;
  /** Integers are computed in float32 (true division). */
  readonly floating?: boolean;
}

/** A row of two operands, called with promoted ones. */
function binaryOf(
  name: PointwiseFn,
  derivative: BinaryVjp | 'nondiff',
  { result = 'same', operands = 'any', floating = false }: BinaryOptions,
) {
  const vjp: Vjp<NoAttrs> | 'nondiff' =
    derivative === 'nondiff'
      ? derivative
      : ({ grads, inputs, outputs }) => derivative(grads[0]!, inputs[0]!, inputs[1]!, outputs[0]!);
  const row = pointwiseRow(name, result, vjp, operands);
  return (input: Operand, other: Operand) => apply(row, promote(input, other, floating), {});
}

/** Two operands, of which either may be a number. */
export function binary(
  name: PointwiseFn,
  derivative: BinaryVjp | 'nondiff',
  options: BinaryOptions = {},
) {
  const compute = binaryOf(name, derivative, options);
  return named(name, ['input', 'other'], (input: Operand, other: Operand): Tensor => {
    if (!(input instanceof Tensor)) requireOperands(name, input, other);
    return compute(input, other);
  });
}

/** As `binary`, where PyTorch takes a number only as the second operand. */
export function binaryWithNumber(
  name: PointwiseFn,
  derivative: BinaryVjp | 'nondiff',
  options: BinaryOptions = {},
) {
  const compute = binaryOf(name, derivative, options);
  return named(name, ['input', 'other'], (input: Tensor, other: Operand): Tensor => {
    if (!(input instanceof Tensor)) requireTensors(name, { input });
    return compute(input, other);
  });
}

/** As `binary`, where PyTorch takes no numbers. */
export function binaryOfTensors(
  name: PointwiseFn,
  derivative: BinaryVjp | 'nondiff',
  options: BinaryOptions = {},
) {
  const compute = binaryOf(name, derivative, options);
  return named(name, ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
    requireTensors(name, { input, other });
    return compute(input, other);
  });
}
