/**
 * Bessel functions of the orders 0 and 1, and Airy's. Integers are computed in float32. As in
 * PyTorch, only those that end in i0, i0e, i1 and i1e have gradients.
 * https://pytorch.org/docs/stable/special.html
 */

import type { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import {
  add,
  div,
  eq,
  isinf,
  logicalOr,
  mul,
  reciprocal,
  sign,
  sin,
  sub,
  where,
} from './pointwise.ts';
import { floating, floatUnary } from './pointwise-rows.ts';

/** f(x) where x is not 0, else `atZero`: f never sees a 0. */
function exceptAtZero(x: Tensor, atZero: number, f: (x: Tensor) => Tensor): Tensor {
  const isZero = eq(x, 0);
  return where(isZero, atZero, f(where(isZero, 1, x)));
}

/** The modified Bessel function of the first kind of order 0. */
export const i0 = floatUnary('i0', (g, x) => mul(g, i1(x)));
/** The same times e^-|x|. */
export const i0e = floatUnary('i0e', (g, x, y) => mul(g, sub(i1e(x), mul(sign(x), y))));
/** The modified Bessel function of the first kind of order 1. */
export const i1: typeof i0 = floatUnary('i1', (g, x, y) =>
  mul(
    g,
    exceptAtZero(x, 0.5, (at) => sub(i0(at), div(y, at))),
  ),
);
/** The same times e^-|x|. */
export const i1e: typeof i0 = floatUnary('i1e', (g, x, y) =>
  mul(
    g,
    exceptAtZero(x, 0.5, (at) => sub(i0e(at), mul(y, add(sign(at), reciprocal(at))))),
  ),
);

export const modifiedBesselI0 = named('special.modified_bessel_i0', ['input'], (input: Tensor) =>
  i0(input),
);
export const modifiedBesselI1 = named('special.modified_bessel_i1', ['input'], (input: Tensor) =>
  i1(input),
);
/** The modified Bessel functions of the second kind: infinite at 0, NaN below. */
export const modifiedBesselK0 = floatUnary('modified_bessel_k0', 'nondiff');
export const modifiedBesselK1 = floatUnary('modified_bessel_k1', 'nondiff');
/** The same times e^x. */
export const scaledModifiedBesselK0 = floatUnary('scaled_modified_bessel_k0', 'nondiff');
export const scaledModifiedBesselK1 = floatUnary('scaled_modified_bessel_k1', 'nondiff');

/** The Bessel functions of the first kind. */
export const besselJ0 = floatUnary('bessel_j0', 'nondiff');
export const besselJ1 = floatUnary('bessel_j1', 'nondiff');
/** The Bessel functions of the second kind: minus infinity at 0, NaN below. */
export const besselY0 = floatUnary('bessel_y0', 'nondiff');
export const besselY1 = floatUnary('bessel_y1', 'nondiff');

/** Airy's function Ai. */
export const airyAi = floatUnary('airy_ai', 'nondiff');

/** The spherical Bessel function of order 0, sin(x) / x: 1 at 0 and 0 at infinity. */
export const sphericalBesselJ0 = named(
  'special.spherical_bessel_j0',
  ['input'],
  (input: Tensor): Tensor => {
    const x = floating(input);
    const isZero = eq(x, 0);
    const inside = where(logicalOr(isZero, isinf(x)), 1, x);
    return where(isZero, 1, where(isinf(x), 0, div(sin(inside), inside)));
  },
);
