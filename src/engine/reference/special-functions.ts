/**
 * Special functions in float64, by formulas of their own: continued fractions and recurrences where
 * the native engine has series. (Abramowitz and Stegun, "Handbook of Mathematical Functions".)
 */

import { erf, power } from './special.ts';

/** 1 - erf(x). */
export function erfc(x: number): number {
  if (x < 2) return 1 - erf(x);
  return x > 27 ? 0 : Math.exp(-x * x) * erfcx(x); // beyond, below the smallest number
}

/** e^(x^2) erfc(x). Beyond 2 by the continued fraction 7.1.14, which keeps all digits. */
export function erfcx(x: number): number {
  if (x < 0) return 2 * Math.exp(x * x) - erfcx(-x);
  if (x < 2) return Math.exp(x * x) * (1 - erf(x));
  let fraction = x;
  for (let n = 200; n > 0; n--) fraction = x + n / 2 / fraction;
  return 1 / Math.sqrt(Math.PI) / fraction;
}

/** The inverse of the normal distribution's cumulative function, by bisection. */
export function ndtri(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : Number.NaN;
  if (Math.abs(p - 0.5) < 0.25) return Math.SQRT2 * erfinv(2 * p - 1);
  const tail = Math.min(p, 1 - p);
  let low = 0;
  let high = 40;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (erfc(middle * Math.SQRT1_2) / 2 > tail) low = middle;
    else high = middle;
  }
  return p < 0.5 ? -low : low;
}

/** The inverse of erf, by bisection. */
export function erfinv(x: number): number {
  if (!(Math.abs(x) < 1)) return Math.abs(x) === 1 ? x * Infinity : Number.NaN;
  if (x < 0) return -erfinv(-x);
  if (x < 1e-8) return (x * Math.sqrt(Math.PI)) / 2; // the next term is x^3
  let low = 0;
  let high = 6;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    const isBelow = x < 0.5 ? erf(middle) < x : erfc(middle) > 1 - x;
    if (isBelow) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** 1/12, 1/360, ...: B_2k / (2k (2k - 1)), of Stirling's series 6.1.40. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** What log Gamma(x) is more than (x - 1/2) log(x) - x + log(2 pi) / 2, from about 15 on. */
export const stirling = (x: number): number =>
  STIRLING.reduce((sum, c, k) => sum + c / x ** (2 * k + 1), 0);

const EULER = 0.5772156649015329;

/** Riemann's zeta function of 2, 3, ..., each computed once. */
const riemann: number[] = [];

/** log Gamma(1 + z) for |z| <= 1/2, without loss of digits at 0: 6.1.33. */
export function lgammaNearOne(z: number): number {
  let sum = -EULER * z;
  for (let k = 60; k >= 2; k--) {
    riemann[k] ??= zeta(k, 1);
    sum += (riemann[k]! * (-z) ** k) / k;
  }
  return sum;
}

/**
 * log |Gamma(x)|, by the series at its zeros 1 and 2; else Stirling's series from 15 on, the
 * recurrence below, the reflection 6.1.17 for negatives.
 */
export function lgamma(x: number): number {
  if (Math.abs(x) === Infinity) return Infinity;
  if (x <= 0 && x === Math.floor(x)) return Infinity;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 2)))) - lgamma(1 - x);
  if (x < 1.5) return lgammaNearOne(x - 1);
  if (x < 2.5) return Math.log1p(x - 2) + lgammaNearOne(x - 2);
  let shift = 0;
  let at = x;
  for (; at < 15; at++) shift += Math.log(at);
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + stirling(at) - shift;
}

/** The derivative of lgamma, that of the same series. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x === Infinity) return x;
  if (x < 0 && (x === Math.floor(x) || x === -Infinity)) return Number.NaN;
  if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  let shift = 0;
  let at = x;
  for (; at < 15; at++) shift += 1 / at;
  const series = STIRLING.reduce((sum, c, k) => sum + (c * (2 * k + 1)) / at ** (2 * k + 2), 0);
  return Math.log(at) - 0.5 / at - series - shift;
}

/**
 * Hurwitz's zeta function: 2000 terms of the sum, and Euler and Maclaurin's formula for the rest.
 */
export function zeta(s: number, q: number): number {
  if (Number.isNaN(q) || !(s >= 1)) return Number.NaN;
  if (s === 1 || (q <= 0 && q === Math.floor(q))) return Infinity;
  if (q <= 0 && s !== Math.floor(s)) return Number.NaN;
  if (q === Infinity) return 0;
  const terms = 2000;
  let sum = 0;
  // The small ones first; but before them those below 0, which may cancel.
  const first = Math.min(terms, Math.max(0, Math.floor(-2 * q) + 1));
  for (let k = 0; k < first; k++) sum += power(q + k, -s);
  let small = 0;
  for (let k = terms - 1; k >= first; k--) small += power(q + k, -s);
  sum += small;
  const rest = q + terms;
  if (rest ** -s === 0) return sum;
  return sum + rest ** (1 - s) / (s - 1) + rest ** -s / 2 + (s * rest ** (-s - 1)) / 12;
}
