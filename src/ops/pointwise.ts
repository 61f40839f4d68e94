/**
 * Pointwise ops. Inputs broadcast by PyTorch's rule; numbers and tensors of different dtypes are
 * promoted before the node is made, so a row sees operands of one dtype.
 */

import type { DType } from '../base/dtype.ts';
import { isFloating, needsFloating, promoteTypes, promoteWithNumber } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
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
/** What operands a row takes; `number` is everything but bool. */
type Operands = 'any' | 'number' | 'floating';

function pointwiseRow(
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
      if (operands === 'floating') needsFloating(name, { dtype });
      if (operands === 'number' && dtype === 'bool') {
        throw opError(DTypeError, name, 'is not defined for bool tensors; use the logical ops');
      }
      const shape = broadcastShapes(name, ...inputs.map((input) => input.shape));
      return [{ dtype: result === 'bool' ? 'bool' : dtype, shape }];
    },
    lower: () => ({ kernel: 'pointwise', fn: name }),
  });
}

// ---- one operand -------------------------------------------------------------------------------

type UnaryVjp = (g: Tensor, x: Tensor, y: Tensor) => Tensor | null;

function unary(
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
export function floatUnary(name: PointwiseFn, derivative: UnaryVjp) {
  const compute = unary(name, derivative, 'same', 'floating');
  return named(
    name,
    ['input'],
    (input: Tensor): Tensor => compute(isFloating(input.dtype) ? input : cast(input, 'float32')),
  );
}

const zero: UnaryVjp = (g) => mul(g, 0);

export const neg = unary('neg', (g) => neg(g), 'same', 'number');
export const abs = unary('abs', (g, x) => mul(g, sign(x)));
/** max(x, 0). NaN stays NaN, and the gradient at 0 is 0, as in PyTorch. */
export const relu = unary('relu', (g, _, y) => where(le(y, 0), 0, g), 'same', 'number', true);
export const sign = unary('sign', zero);
export const floor = unary('floor', zero);
export const ceil = unary('ceil', zero);
/** Rounds half to even. */
export const round = unary('round', zero);
export const trunc = unary('trunc', zero);
export const isnan = unary('isnan', 'nondiff', 'bool');
export const isinf = unary('isinf', 'nondiff', 'bool');
export const logicalNot = unary('logical_not', 'nondiff', 'bool');

export const exp = floatUnary('exp', (g, _, y) => mul(g, y));
export const expm1 = floatUnary('expm1', (g, _, y) => mul(g, add(y, 1)));
export const log = floatUnary('log', (g, x) => div(g, x));
export const log1p = floatUnary('log1p', (g, x) => div(g, add(x, 1)));
export const sqrt = floatUnary('sqrt', (g, _, y) => div(g, mul(y, 2)));
export const rsqrt = floatUnary('rsqrt', (g, _, y) => mul(g, mul(mul(y, mul(y, y)), -0.5)));
export const reciprocal = floatUnary('reciprocal', (g, _, y) => neg(mul(g, mul(y, y))));
export const sin = floatUnary('sin', (g, x) => mul(g, cos(x)));
export const cos = floatUnary('cos', (g, x) => neg(mul(g, sin(x))));
export const tanh = floatUnary('tanh', (g, _, y) => mul(g, sub(1, mul(y, y))));
export const sigmoid = floatUnary('sigmoid', (g, _, y) => mul(g, mul(y, sub(1, y))));
export const erf = floatUnary('erf', (g, x) =>
  mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))),
);

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

// ---- two operands ------------------------------------------------------------------------------

type BinaryVjp = (
  g: Tensor,
  a: Tensor,
  b: Tensor,
  y: Tensor,
) => readonly [Tensor | null, Tensor | null];

/** Both operands in the dtype PyTorch would compute them in. Zero-dimensional tensors count less. */
function promote(a: Operand, b: Operand, floating: boolean): [Tensor, Tensor] {
  const dtype = resultType(a, b);
  const target = floating && !isFloating(dtype) ? 'float32' : dtype;
  const convert = (x: Operand) => (typeof x === 'number' ? scalarLike(x, target) : cast(x, target));
  return [convert(a), convert(b)];
}

function resultType(a: Operand, b: Operand): DType {
  if (typeof a === 'number') {
    return typeof b === 'number'
      ? promoteWithNumber(promoteWithNumber('int64', a), b)
      : promoteWithNumber(b.dtype, a);
  }
  if (typeof b === 'number') return promoteWithNumber(a.dtype, b);
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

/** Throws unless one is a tensor and the other one, too, or a number. */
function requireOperands(op: string, input: Operand, other: Operand): void {
  const isNumber = typeof input === 'number' || typeof input === 'boolean';
  requireTensors(op, isNumber ? { other } : { input });
}

interface BinaryOptions {
  readonly result?: Result;
  readonly operands?: Operands;
  /** Integers are computed in float32 (true division). */
  readonly floating?: boolean;
}

function binary(
  name: PointwiseFn,
  derivative: BinaryVjp | 'nondiff',
  { result = 'same', operands = 'any', floating = false }: BinaryOptions = {},
) {
  const vjp: Vjp<NoAttrs> | 'nondiff' =
    derivative === 'nondiff'
      ? derivative
      : ({ grads, inputs, outputs }) => derivative(grads[0]!, inputs[0]!, inputs[1]!, outputs[0]!);
  const row = pointwiseRow(name, result, vjp, operands);
  return named(name, ['input', 'other'], (input: Operand, other: Operand): Tensor => {
    if (!(input instanceof Tensor)) requireOperands(name, input, other);
    return apply(row, promote(input, other, floating), {});
  });
}

/** As `binary`, computing integers in float32. */
export function floatBinary(name: PointwiseFn, derivative: BinaryVjp) {
  return binary(name, derivative, { floating: true });
}

/** Splits a gradient evenly where the two operands are equal, as PyTorch does. */
function extremeVjp(wins: (a: Tensor, b: Tensor) => Tensor): BinaryVjp {
  return (g, a, b) => {
    const tie = eq(a, b);
    const half = mul(g, 0.5);
    return [where(tie, half, where(wins(a, b), g, 0)), where(tie, half, where(wins(b, a), g, 0))];
  };
}

const addNumbers = binary('add', (g) => [g, g]);
const subNumbers = binary('sub', (g) => [g, neg(g)], { operands: 'number' });

/** `other` times `alpha`, which must be a whole number where the result is one. */
function scaled(op: string, input: Operand, other: Operand, alpha: number): Operand {
  if (alpha === 1) return other;
  if (!Number.isInteger(alpha) && !isFloating(resultType(input, other))) {
    throw opError(ArgumentError, op, `alpha must be a whole number for integers, got ${alpha}`);
  }
  return typeof other === 'number' ? other * alpha : mul(other, alpha);
}

/**
 * input + alpha * other; of two bool tensors the logical or, as in PyTorch.
 * https://pytorch.org/docs/stable/generated/torch.add.html
 */
export const add = named(
  'add',
  ['input', 'other', 'alpha'],
  (input: Operand, other: Operand, alpha = 1): Tensor => {
    const bools = [input, other].every((x) => typeof x !== 'number' && x.dtype === 'bool');
    if (bools) return logicalOr(input, other);
    return addNumbers(input, scaled('add', input, other, alpha));
  },
);

/**
 * input - alpha * other; not defined for bool tensors.
 * https://pytorch.org/docs/stable/generated/torch.sub.html
 */
export const sub = named(
  'sub',
  ['input', 'other', 'alpha'],
  (input: Operand, other: Operand, alpha = 1): Tensor =>
    subNumbers(input, scaled('sub', input, other, alpha)),
);
export const mul = binary('mul', (g, a, b) => [mul(g, b), mul(g, a)]);
const divVjp: BinaryVjp = (g, _, b, y) => [div(g, b), neg(mul(g, div(y, b)))];
const trueQuotient = binary('div', divVjp, { floating: true });

/** How a quotient is made whole: towards zero, or downwards. */
export type RoundingMode = 'trunc' | 'floor';

/**
 * input / other. Integers give float32, unless `rounding_mode` makes the quotient whole; then it
 * passes no gradient, and by zero it is 0.
 * https://pytorch.org/docs/stable/generated/torch.div.html
 */
export const div = named(
  'div',
  ['input', 'other', 'rounding_mode'],
  (input: Operand, other: Operand, rounding_mode: RoundingMode | null = null): Tensor => {
    if (rounding_mode === null) return trueQuotient(input, other);
    if (rounding_mode !== 'trunc' && rounding_mode !== 'floor') {
      const given = JSON.stringify(rounding_mode);
      throw opError(ArgumentError, 'div', `rounding_mode must be trunc or floor, got ${given}`);
    }
    const [a, b] = promote(input, other, resultType(input, other) === 'bool');
    const whole = isFloating(a.dtype)
      ? trunc(trueQuotient(a, b))
      : apply(WHOLE_QUOTIENT, [a, b], {});
    if (rounding_mode === 'trunc') return whole;
    const rest = fmod(a, b);
    const below = logicalAnd(ne(rest, 0), ne(lt(rest, 0), lt(b, 0)));
    return isFloating(a.dtype) ? floorOf(a, b, rest, below) : sub(whole, cast(below, a.dtype));
  },
);

/** Of integers, towards zero. */
const WHOLE_QUOTIENT = pointwiseRow('div', 'same', 'nondiff', 'number', false, 'div_trunc');

/** As Python's `//`: exact where the quotient of floating numbers rounds up to a whole one. */
function floorOf(a: Tensor, b: Tensor, rest: Tensor, below: Tensor): Tensor {
  const quotient = sub(trueQuotient(sub(a, rest), b), cast(below, a.dtype));
  const near = floor(quotient);
  const whole = where(gt(sub(quotient, near), 0.5), add(near, 1), near);
  return where(eq(b, 0), trueQuotient(a, b), whole).detach();
}
export const pow = binary('pow', (g, a, b, y) => [
  mul(g, where(eq(b, 0), 0, mul(b, pow(a, sub(b, 1))))),
  mul(g, where(eq(y, 0), 0, mul(y, log(where(gt(a, 0), a, 1))))),
]);
export const atan2 = binary(
  'atan2',
  (g, a, b) => {
    const scale = div(g, add(mul(a, a), mul(b, b)));
    return [mul(scale, b), neg(mul(scale, a))];
  },
  { floating: true },
);
export const maximum = binary(
  'maximum',
  extremeVjp((a, b) => gt(a, b)),
);
export const minimum = binary(
  'minimum',
  extremeVjp((a, b) => lt(a, b)),
);
/** The remainder with the dividend's sign. */
export const fmod = binary('fmod', (g, a, b) => [g, neg(mul(g, trunc(div(a, b))))]);
export const eq = binary('eq', 'nondiff', { result: 'bool' });
export const ne = binary('ne', 'nondiff', { result: 'bool' });
export const lt = binary('lt', 'nondiff', { result: 'bool' });
export const le = binary('le', 'nondiff', { result: 'bool' });
export const gt = binary('gt', 'nondiff', { result: 'bool' });
export const ge = binary('ge', 'nondiff', { result: 'bool' });
export const logicalAnd = binary('logical_and', 'nondiff', { result: 'bool' });
export const logicalOr = binary('logical_or', 'nondiff', { result: 'bool' });
export const logicalXor = binary('logical_xor', 'nondiff', { result: 'bool' });

// ---- selection ---------------------------------------------------------------------------------

const WHERE = pointwiseRow('where', 'same', ({ grads, inputs }) => {
  const condition = inputs[0]!;
  return [null, where(condition, grads[0]!, 0), where(condition, 0, grads[0]!)];
});

/** `a` where `condition` is true, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== 'bool') {
    throw opError(DTypeError, 'where', `condition must be a bool tensor, got ${condition.dtype}`);
  }
  return apply(WHERE, [condition, ...promote(a, b, false)], {});
}
