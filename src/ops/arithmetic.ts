/** Arithmetic made of the pointwise rows: remainders, products that add, interpolation, bounds. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import { finfo } from '../base/finfo.ts';
import { broadcastShapes } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { scalarLike } from './constant.ts';
import { customFunction } from './custom-function.ts';
import { expand, same } from './movement.ts';
import { named, requireTensors } from './named.ts';
import {
  abs,
  add,
  atan2,
  cast,
  div,
  eq,
  exp,
  fmod,
  ge,
  gt,
  isinf,
  isnan,
  le,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  lt,
  maximum,
  mul,
  ne,
  neg,
  type Operand,
  pow,
  sign,
  sin,
  sqrt,
  sub,
  trunc,
  where,
} from './pointwise.ts';
import { floating, promote, requireOperands } from './pointwise-rows.ts';

/**
 * input - floor(input / other) * other: the remainder with the sign of `other`, as Python's `%`.
 * https://pytorch.org/docs/stable/generated/torch.remainder.html
 */
export const remainder = named(
  'remainder',
  ['input', 'other'],
  (input: Operand, other: Operand): Tensor => {
    requireOperands('remainder', input, other);
    const [a, b] = promote(input, other);
    const rest = fmod(a, b);
    const otherSign = logicalAnd(ne(rest, 0), ne(lt(rest, 0), lt(b, 0)));
    return where(otherSign, add(rest, b), rest);
  },
);

/**
 * The quotient rounded downwards.
 * https://pytorch.org/docs/stable/generated/torch.floor_divide.html
 */
export const floorDivide = named(
  'floor_divide',
  ['input', 'other'],
  (input: Operand, other: Operand): Tensor => div(input, other, 'floor'),
);

/** `other` - `alpha` * `input`. https://pytorch.org/docs/stable/generated/torch.rsub.html */
export const rsub = named(
  'rsub',
  ['input', 'other', 'alpha'],
  (input: Tensor, other: Operand, alpha = 1): Tensor => {
    requireTensors('rsub', { input });
    return sub(other, input, alpha);
  },
);

/** `input` to the power of `exponent`, computed in float64. */
export const floatPower = named(
  'float_power',
  ['input', 'exponent'],
  (input: Operand, exponent: Operand): Tensor => {
    const wide = (x: Operand) => (typeof x === 'number' ? x : cast(x, 'float64'));
    return pow(wide(input), wide(exponent));
  },
);

/** https://pytorch.org/docs/stable/generated/torch.square.html */
export const square = named('square', ['input'], (input: Tensor): Tensor => pow(input, 2));

/** What stands behind the point, with the sign of `input`. */
export const frac = named('frac', ['input'], (input: Tensor): Tensor => sub(input, trunc(input)));

/** Degrees as radians. */
export const deg2rad = named(
  'deg2rad',
  ['input'],
  (input: Tensor): Tensor => mul(input, Math.PI / 180),
);

/** Radians as degrees. */
export const rad2deg = named(
  'rad2deg',
  ['input'],
  (input: Tensor): Tensor => mul(input, 180 / Math.PI),
);

// ---- products that add -------------------------------------------------------------------------

/**
 * input + value * tensor1 * tensor2; all broadcast.
 * https://pytorch.org/docs/stable/generated/torch.addcmul.html
 */
export const addcmul = named(
  'addcmul',
  ['input', 'tensor1', 'tensor2', 'value'],
  (input: Tensor, tensor1: Tensor, tensor2: Tensor, value = 1): Tensor =>
    add(input, mul(tensor1, tensor2), Number(value)),
);

/**
 * input + value * tensor1 / tensor2; all broadcast.
 * https://pytorch.org/docs/stable/generated/torch.addcdiv.html
 */
export const addcdiv = named(
  'addcdiv',
  ['input', 'tensor1', 'tensor2', 'value'],
  (input: Tensor, tensor1: Tensor, tensor2: Tensor, value = 1): Tensor =>
    add(input, div(tensor1, tensor2), Number(value)),
);

/**
 * input + weight * (end - input), reckoned from the nearer end.
 * https://pytorch.org/docs/stable/generated/torch.lerp.html
 */
export const lerp = named(
  'lerp',
  ['input', 'end', 'weight'],
  (input: Tensor, end: Tensor, weight: Operand): Tensor => {
    const difference = sub(end, input);
    const fromStart = add(input, mul(difference, weight));
    const rest = typeof weight === 'number' ? 1 - weight : sub(1, weight);
    const fromEnd = sub(end, mul(difference, rest));
    if (typeof weight === 'number') return Math.abs(weight) < 0.5 ? fromStart : fromEnd;
    return where(lt(abs(weight), 0.5), fromStart, fromEnd);
  },
);

// ---- bounds ------------------------------------------------------------------------------------

type Bound = Operand | null;

/**
 * `input` limited to [`min`, `max`], numbers or tensors that broadcast; either may be left out. At
 * a bound the gradient passes. Where `min` exceeds `max` the result is `max`.
 * https://pytorch.org/docs/stable/generated/torch.clamp.html
 */
export const clamp = named(
  'clamp',
  ['input', 'min', 'max'],
  (input: Tensor, min: Bound = null, max: Bound = null): Tensor => {
    if (min === null && max === null) {
      throw opError(ArgumentError, 'clamp', 'needs min, max or both');
    }
    const raised = min === null ? input : where(lt(input, min), min, input);
    return max === null ? raised : where(gt(raised, max), max, raised);
  },
);

/** The larger of `input` and `min`. */
export const clampMin = named(
  'clamp_min',
  ['input', 'min'],
  (input: Tensor, min: Operand): Tensor => {
    requireTensors('clamp_min', { input });
    return clamp(input, min);
  },
);

/** The smaller of `input` and `max`. */
export const clampMax = named(
  'clamp_max',
  ['input', 'max'],
  (input: Tensor, max: Operand): Tensor => {
    requireTensors('clamp_max', { input });
    return clamp(input, null, max);
  },
);

/**
 * The larger one; of NaN and a number, the number.
 * https://pytorch.org/docs/stable/generated/torch.fmax.html
 */
export const fmax = named('fmax', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('fmax', { input, other });
  return where(logicalOr(ge(input, other), isnan(other)), input, other);
});

/** The smaller one; of NaN and a number, the number. */
export const fmin = named('fmin', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('fmin', { input, other });
  return where(logicalOr(le(input, other), isnan(other)), input, other);
});

/**
 * Numbers in the place of NaN and the infinities; these become by default the largest there are.
 * https://pytorch.org/docs/stable/generated/torch.nan_to_num.html
 */
export const nanToNum = named(
  'nan_to_num',
  ['input', 'nan', 'posinf', 'neginf'],
  (
    input: Tensor,
    nan: number | null = null,
    posinf: number | null = null,
    neginf: number | null = null,
  ): Tensor => {
    if (!isFloating(input.dtype)) return same(input);
    const { max, min } = finfo(input.dtype);
    const positives = where(eq(input, Infinity), posinf ?? max, input);
    const negatives = where(eq(input, -Infinity), neginf ?? min, positives);
    return where(isnan(input), nan ?? 0, negatives);
  },
);

// ---- of two numbers ----------------------------------------------------------------------------

/**
 * 0 where `input` is negative, 1 where it is positive, and `values` where it is 0.
 * https://pytorch.org/docs/stable/generated/torch.heaviside.html
 */
export const heaviside = named(
  'heaviside',
  ['input', 'values'],
  (input: Tensor, values: Tensor): Tensor => {
    requireTensors('heaviside', { input, values });
    if (input.dtype !== values.dtype) {
      const dtypes = `${input.dtype} and ${values.dtype}`;
      throw opError(ArgumentError, 'heaviside', `needs tensors of one dtype, got ${dtypes}`);
    }
    return where(eq(input, 0), values, cast(gt(input, 0), values.dtype));
  },
);

/**
 * sqrt(input^2 + other^2), without overflow.
 * https://pytorch.org/docs/stable/generated/torch.hypot.html
 */
export const hypot = named('hypot', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('hypot', { input, other });
  const larger = maximum(abs(input), abs(other)).detach();
  const scale = where(logicalOr(eq(larger, 0), isinf(larger)), 1, larger);
  const [a, b] = [div(input, scale), div(other, scale)];
  return mul(sqrt(add(mul(a, a), mul(b, b))), scale);
});

/** input * 2^other, as floating numbers. */
export const ldexp = named('ldexp', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('ldexp', { input, other });
  return mul(input, pow(2, floating(other)));
});

/** True where the sign is negative, that of zero included. */
export const signbit = named('signbit', ['input'], (input: Tensor): Tensor => {
  if (!isFloating(input.dtype)) return lt(input, 0);
  // Only atan2 tells the zeros apart without dividing by them.
  return logicalOr(lt(input, 0), lt(atan2(input, scalarLike(-1, input.dtype)), -3));
});

/**
 * The magnitude of `input` with the sign of `other`.
 * https://pytorch.org/docs/stable/generated/torch.copysign.html
 */
export const copysign = named(
  'copysign',
  ['input', 'other'],
  (input: Tensor, other: Operand): Tensor => {
    requireTensors('copysign', { input });
    const size = abs(floating(input));
    const negative = typeof other === 'number' ? other < 0 || Object.is(other, -0) : signbit(other);
    if (typeof negative === 'boolean') return negative ? neg(size) : size;
    return where(negative, neg(size), size);
  },
);

/**
 * input * log(other), and 0 where `input` is 0, unless `other` is NaN.
 * https://pytorch.org/docs/stable/generated/torch.xlogy.html
 */
export const xlogy = named(
  'xlogy',
  ['input', 'other'],
  (input: Operand, other: Operand): Tensor => {
    requireOperands('xlogy', input, other);
    const [x, y] = promote(input, other, true);
    const shape = broadcastShapes('xlogy', x.shape, y.shape);
    return timesLog(expand(x, shape), expand(y, shape));
  },
);

/**
 * x log(y), of tensors of one shape. Where nothing is passed back, nothing of an undefined
 * logarithm is.
 */
const timesLog = customFunction({
  name: 'xlogy',
  forward: (ctx, x: Tensor, y: Tensor) => {
    ctx.saveForBackward(x, y);
    const atZero = logicalAnd(eq(x, 0), logicalOr(le(y, 0), eq(y, Infinity)));
    return mul(x, log(where(atZero, 1, y)));
  },
  backward: (ctx, g) => {
    const [x, y] = ctx.savedTensors as [Tensor, Tensor];
    const atZero = logicalAnd(eq(x, 0), le(y, 0));
    return [where(atZero, 0, xlogy(g!, y)), div(mul(g!, x), y)];
  },
});

/**
 * log(exp(input) + exp(other)), without overflow.
 * https://pytorch.org/docs/stable/generated/torch.logaddexp.html
 */
export const logaddexp = named(
  'logaddexp',
  ['input', 'other'],
  (input: Tensor, other: Tensor): Tensor => {
    requireTensors('logaddexp', { input, other });
    const equalInfinities = logicalAnd(isinf(input), eq(input, other));
    const distance = abs(where(equalInfinities, 0, sub(input, other)));
    return add(maximum(input, other), log1p(exp(neg(distance))));
  },
);

/** log2(2^input + 2^other), without overflow. */
export const logaddexp2 = named(
  'logaddexp2',
  ['input', 'other'],
  (input: Tensor, other: Tensor): Tensor =>
    div(logaddexp(mul(input, Math.LN2), mul(other, Math.LN2)), Math.LN2),
);

/** sin(pi x) / (pi x), and 1 at 0. */
export const sinc = named('sinc', ['input'], (input: Tensor): Tensor => {
  const angle = mul(floating(input), Math.PI);
  const safe = where(eq(angle, 0), 1, angle);
  return where(eq(angle, 0), 1, div(sin(safe), safe));
});

/**
 * log(x / (1 - x)); with `eps`, of `input` limited to [eps, 1 - eps].
 * https://pytorch.org/docs/stable/special.html#torch.special.logit
 */
export const logit = named(
  'logit',
  ['input', 'eps'],
  (input: Tensor, eps: number | null = null): Tensor => {
    const x = eps === null ? input : clamp(floating(input), eps, 1 - eps);
    return log(div(x, sub(1, x)));
  },
);

/** -1, 0 or 1, as `sign`: PyTorch's name that also serves complex numbers. */
export const sgn = named('sgn', ['input'], (input: Tensor): Tensor => sign(input));
