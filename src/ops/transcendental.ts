/**
 * Trigonometric, hyperbolic and gamma functions; integers are computed in float32, as in PyTorch.
 */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { square } from './arithmetic.ts';
import { named, requireTensors } from './named.ts';
import { add, div, exp, mul, neg, rsqrt, sub } from './pointwise.ts';
import { binary, floatUnary } from './pointwise-rows.ts';

const onePlusSquare = (x: Tensor) => add(square(x), 1);
const oneMinusSquare = (x: Tensor) => sub(1, square(x));

export const tan = floatUnary('tan', (g, _, y) => mul(g, onePlusSquare(y)));
/** NaN outside [-1, 1]. */
export const asin = floatUnary('asin', (g, x) => mul(g, rsqrt(oneMinusSquare(x))));
/** NaN outside [-1, 1]. */
export const acos = floatUnary('acos', (g, x) => neg(mul(g, rsqrt(oneMinusSquare(x)))));
export const atan = floatUnary('atan', (g, x) => div(g, onePlusSquare(x)));
export const sinh = floatUnary('sinh', (g, x) => mul(g, cosh(x)));
export const cosh: typeof sinh = floatUnary('cosh', (g, x) => mul(g, sinh(x)));
export const asinh = floatUnary('asinh', (g, x) => mul(g, rsqrt(onePlusSquare(x))));
/** NaN below 1. */
export const acosh = floatUnary('acosh', (g, x) => mul(g, rsqrt(sub(square(x), 1))));
/** Infinite at -1 and 1, NaN beyond. */
export const atanh = floatUnary('atanh', (g, x) => div(g, oneMinusSquare(x)));
/** 2^x. */
export const exp2 = floatUnary('exp2', (g, _, y) => mul(g, mul(y, Math.LN2)));
export const log2 = floatUnary('log2', (g, x) => div(g, mul(x, Math.LN2)));
export const log10 = floatUnary('log10', (g, x) => div(g, mul(x, Math.LN10)));
/** 1 - erf(x), without loss of digits. */
export const erfc = floatUnary('erfc', (g, x) =>
  mul(g, mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
);
/** The inverse of erf: infinite at -1 and 1, NaN beyond. */
export const erfinv = floatUnary('erfinv', (g, _, y) =>
  mul(g, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
);
/** log |Gamma(x)|. */
export const lgamma = floatUnary('lgamma', (g, x) => mul(g, digamma(x)));
/** The derivative of lgamma. */
export const digamma: typeof lgamma = floatUnary('digamma', (g, x) => mul(g, zetaOf(2, x)));

// The derivative by the first argument has no closed form; `zeta` refuses to be asked for it.
const zetaOf: ReturnType<typeof binary> = binary(
  'zeta',
  (g, s, q) => [null, mul(g, neg(mul(s, zetaOf(add(s, 1), q))))],
  { floating: true },
);

/**
 * Hurwitz's zeta function: the sum over k >= 0 of (other + k)^-input. Differentiable by `other`.
 * https://pytorch.org/docs/stable/special.html#torch.special.zeta
 */
export const zeta = named(
  'special.zeta',
  ['input', 'other'],
  (input: Tensor | number, other: Tensor | number): Tensor => {
    if (typeof input !== 'number' && input.requires_grad) {
      throw opError(ArgumentError, 'special.zeta', 'has no derivative by input; detach() it');
    }
    return zetaOf(input, other);
  },
);

/**
 * The derivative of digamma of order `n`.
 * https://pytorch.org/docs/stable/special.html#torch.special.polygamma
 */
export const polygamma = named('polygamma', ['n', 'input'], (n: number, input: Tensor): Tensor => {
  requireTensors('polygamma', { input });
  if (!Number.isInteger(n) || n < 0) {
    throw opError(ArgumentError, 'polygamma', `n must be a whole number of at least 0, got ${n}`);
  }
  if (n === 0) return digamma(input);
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return mul(zetaOf(n + 1, input), n % 2 === 0 ? -factorial : factorial);
});

/** The sum of lgamma(x - k / 2) for k below p, and p (p - 1) / 4 log(pi). */
export const mvlgamma = named('mvlgamma', ['input', 'p'], (input: Tensor, p: number): Tensor => {
  requireTensors('mvlgamma', { input });
  if (!Number.isInteger(p) || p < 1) {
    throw opError(ArgumentError, 'mvlgamma', `p must be a positive whole number, got ${p}`);
  }
  let total = add(lgamma(input), (p * (p - 1) * Math.log(Math.PI)) / 4);
  for (let k = 1; k < p; k++) total = add(total, lgamma(sub(input, k / 2)));
  return total;
});
