/**
 * Functions of the normal and the gamma distribution, and of entropies. Integers are computed in
 * float32. https://pytorch.org/docs/stable/special.html
 */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { square } from './arithmetic.ts';
import { named, requireTensors } from './named.ts';
import {
  eq,
  exp,
  le,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  lt,
  mul,
  neg,
  type Operand,
  sub,
  where,
} from './pointwise.ts';
import {
  binaryOfTensors,
  floating,
  floatUnary,
  promote,
  requireOperands,
} from './pointwise-rows.ts';
import { erfc, lgamma } from './transcendental.ts';

/** -x log(x): 0 at 0, minus infinity below. */
export const entr = named('special.entr', ['input'], (input: Tensor): Tensor => {
  requireTensors('special.entr', { input });
  const x = floating(input);
  const value = neg(mul(x, log(x)));
  return where(lt(x, 0), -Infinity, where(eq(x, 0), 0, value));
});

/** `input` * log(1 + `other`), and 0 where `input` is 0, unless `other` is NaN. */
export const xlog1py = named(
  'special.xlog1py',
  ['input', 'other'],
  (input: Operand, other: Operand): Tensor => {
    requireOperands('special.xlog1py', input, other);
    const [x, y] = promote(input, other, true);
    const atZero = logicalAnd(eq(x, 0), logicalOr(le(y, -1), eq(y, Infinity)));
    return mul(x, log1p(where(atZero, 0, y)));
  },
);

/** e^(x^2) erfc(x), which neither overflows nor vanishes for large x. */
export const erfcx = floatUnary('erfcx', (g, x, y) =>
  mul(g, sub(mul(mul(x, 2), y), 2 / Math.sqrt(Math.PI))),
);

/** The normal distribution's cumulative function. */
export const ndtr = named('special.ndtr', ['input'], (input: Tensor): Tensor => {
  requireTensors('special.ndtr', { input });
  return mul(erfc(mul(floating(input), -Math.SQRT1_2)), 0.5);
});

/** The inverse of ndtr: infinite at 0 and 1, NaN beyond. */
export const ndtri = floatUnary('ndtri', (g, _, y) =>
  mul(g, mul(exp(mul(square(y), 0.5)), Math.sqrt(2 * Math.PI))),
);

/** The logarithm of ndtr, with all its digits also where that is near 0 or 1. */
export const logNdtr = named('special.log_ndtr', ['input'], (input: Tensor): Tensor => {
  requireTensors('special.log_ndtr', { input });
  const x = mul(floating(input), Math.SQRT1_2);
  const isLow = lt(x, -Math.SQRT1_2);
  // Each formula sees only numbers that it is meant for, so that gradients are finite.
  const low = where(isLow, x, -1);
  const high = where(isLow, 0, x);
  const tail = sub(log(mul(erfcx(neg(low)), 0.5)), square(low));
  return where(isLow, tail, log1p(mul(erfc(high), -0.5)));
});

/** The gamma distribution's density at `x`. */
const density = (a: Tensor, x: Tensor): Tensor =>
  exp(sub(sub(mul(sub(a, 1), log(x)), x), lgamma(a)));

const FLOATING = { operands: 'floating' } as const;
// The derivative by the first argument has no closed form; `incomplete` refuses to be asked for it.
const gammaincOf = binaryOfTensors(
  'gammainc',
  (g, a, x) => [null, mul(g, density(a, x))],
  FLOATING,
);
const gammainccOf = binaryOfTensors(
  'gammaincc',
  (g, a, x) => [null, neg(mul(g, density(a, x)))],
  FLOATING,
);

function incomplete(name: string, compute: typeof gammaincOf) {
  return named(name, ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
    requireTensors(name, { input, other });
    if (input.requires_grad) {
      throw opError(ArgumentError, name, 'has no derivative by input; detach() it');
    }
    return compute(input, other);
  });
}

/**
 * The regularized lower incomplete gamma function of `other` with the parameter `input`: the gamma
 * distribution's cumulative function. Differentiable by `other`.
 *
 * @throws DTypeError for integers.
 */
export const gammainc = incomplete('gammainc', gammaincOf);
/** 1 - gammainc, with its own digits. */
export const gammaincc = incomplete('gammaincc', gammainccOf);
