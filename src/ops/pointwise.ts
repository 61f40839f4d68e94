/**
 * Pointwise ops. Inputs broadcast by PyTorch's rule; numbers and tensors of different dtypes are
 * promoted before the node is made, so a row sees operands of one dtype.
 */

import { isFloating, needsFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { apply } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import {
  type BinaryVjp,
  binary,
  binaryOfTensors,
  binaryWithNumber,
  cast,
  floatUnary,
  type Operand,
  pointwiseRow,
  promote,
  resultType,
  type UnaryVjp,
  unary,
} from './pointwise-rows.ts';

export { cast, type Operand };

// ---- one operand -------------------------------------------------------------------------------

const zero: UnaryVjp = (g) => mul(g, 0);

export const neg = unary('neg', (g) => neg(g), 'same', 'number');
export const abs = unary('abs', (g, x) => mul(g, sign(x)));
/** max(x, 0). NaN stays NaN, and the gradient at 0 is 0, as in PyTorch. */
export const relu = unary('relu', (g, _, y) => where(le(y, 0), 0, g), 'same', 'number', true);
export const sign = unary('sign', zero);
export const floor = unary('floor', zero);
export const ceil = unary('ceil', zero);
const roundToWhole = unary('round', zero);

/**
 * To `decimals` places behind the point (in front of it where negative), half to even.
 * https://pytorch.org/docs/stable/generated/torch.round.html
 *
 * @throws DTypeError for integers with `decimals` other than 0.
 */
export const round = named(
  'round',
  ['input', 'decimals'],
  (input: Tensor, decimals = 0): Tensor => {
    if (decimals === 0) return roundToWhole(input);
    needsFloating('round', input);
    const scale = 10 ** Math.abs(decimals);
    return decimals > 0
      ? div(roundToWhole(mul(input, scale)), scale)
      : mul(roundToWhole(div(input, scale)), scale);
  },
);
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

// ---- two operands ------------------------------------------------------------------------------

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

const isBool = (x: Operand): x is Tensor => x instanceof Tensor && x.dtype === 'bool';

/**
 * input + alpha * other; of two bool tensors the logical or, as in PyTorch.
 * https://pytorch.org/docs/stable/generated/torch.add.html
 */
export const add = named(
  'add',
  ['input', 'other', 'alpha'],
  (input: Operand, other: Operand, alpha = 1): Tensor => {
    if (isBool(input) && isBool(other)) return logicalOr(input, other);
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
export const atan2 = binaryOfTensors(
  'atan2',
  (g, a, b) => {
    const scale = div(g, add(mul(a, a), mul(b, b)));
    return [mul(scale, b), neg(mul(scale, a))];
  },
  { floating: true },
);
export const maximum = binaryOfTensors(
  'maximum',
  extremeVjp((a, b) => gt(a, b)),
);
export const minimum = binaryOfTensors(
  'minimum',
  extremeVjp((a, b) => lt(a, b)),
);
/** The remainder with the dividend's sign. */
export const fmod = binaryWithNumber('fmod', (g, a, b) => [g, neg(mul(g, trunc(div(a, b))))]);
export const eq = binaryWithNumber('eq', 'nondiff', { result: 'bool' });
export const ne = binaryWithNumber('ne', 'nondiff', { result: 'bool' });
export const lt = binaryWithNumber('lt', 'nondiff', { result: 'bool' });
export const le = binaryWithNumber('le', 'nondiff', { result: 'bool' });
export const gt = binaryWithNumber('gt', 'nondiff', { result: 'bool' });
export const ge = binaryWithNumber('ge', 'nondiff', { result: 'bool' });
export const logicalAnd = binaryOfTensors('logical_and', 'nondiff', { result: 'bool' });
export const logicalOr = binaryOfTensors('logical_or', 'nondiff', { result: 'bool' });
export const logicalXor = binaryOfTensors('logical_xor', 'nondiff', { result: 'bool' });

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
  return apply(WHERE, [condition, ...promote(a, b)], {});
}
