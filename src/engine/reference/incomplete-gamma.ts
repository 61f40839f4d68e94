/**
 * The regularized incomplete gamma functions in float64: the series of P (DLMF 8.11.4) below the
 * parameter, the continued fraction of Q (8.9.2) above it, with as many terms as they take.
 */

import { erfc, lgamma, lgammaNearOne, stirling } from './special-functions.ts';

/** m - log(1 + m), by its series near 0. */
function minusLog1p(m: number): number {
  if (Math.abs(m) > 0.1) return m - Math.log1p(m);
  let sum = 0;
  for (let k = 30; k >= 2; k--) sum = (k % 2 === 0 ? 1 : -1) / k + m * sum;
  return m * m * sum;
}

/** x^a e^-x / Gamma(a + 1). */
function density(a: number, x: number): number {
  if (a < 15) return Math.exp(a * Math.log(x) - x - lgamma(a + 1));
  return Math.exp(-a * minusLog1p((x - a) / a) - stirling(a)) / Math.sqrt(2 * Math.PI * a);
}

function lower(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * density(a, x);
}

function upper(a: number, x: number): number {
  // From the end: enough terms for the slowest case, x = a.
  const terms = Math.ceil(300 + 10 * Math.sqrt(a));
  let fraction = 0;
  for (let n = terms; n > 0; n--) fraction = (n * (a - n)) / (x + 2 * n + 1 - a + fraction);
  return (a * density(a, x)) / (x + 1 - a + fraction);
}

/** Q for small a and x, which is a small difference there: 1 - P by the series 8.7.1. */
function small(a: number, x: number): number {
  let term = 1;
  let sum = 0;
  for (let n = 1; n < 40; n++) {
    term *= -x / n;
    sum += term / (a + n);
  }
  const logarithm = a * Math.log(x) - lgammaNearOne(a);
  return -Math.expm1(logarithm) - Math.exp(logarithm) * a * sum;
}

/** Beyond this parameter the series takes too many terms, and Temme's expansion only one. */
const LARGE = 1e7;

/**
 * The first term of 8.12.3 and 8.12.4, where eta^2 / 2 = m - log(1 + m): P if `sign` is -1, Q if 1.
 */
function uniform(a: number, x: number, sign: 1 | -1): number {
  const m = (x - a) / a;
  const half = minusLog1p(m);
  const eta = Math.sign(m) * Math.sqrt(2 * half);
  const first = Math.abs(eta) < 1e-3 ? -1 / 3 + eta / 12 : 1 / m - 1 / eta;
  const rest = (Math.exp(-a * half) / Math.sqrt(2 * Math.PI * a)) * first;
  return erfc(sign * eta * Math.sqrt(a / 2)) / 2 + sign * rest;
}

/** The value at the ends of the range, where there is one. */
function atEnds(a: number, x: number): number | undefined {
  if (a < 0 || x < 0) return Number.NaN;
  if (a === 0) return x > 0 ? 1 : Number.NaN;
  if (x === 0) return 0;
  if (a === Infinity) return x === Infinity ? Number.NaN : 0;
  if (x === Infinity) return 1;
  return Number.isNaN(a) || Number.isNaN(x) ? Number.NaN : undefined;
}

export function gammainc(a: number, x: number): number {
  const end = atEnds(a, x);
  if (end !== undefined) return end;
  if (a > LARGE) return uniform(a, x, -1);
  return x < a + 1 ? lower(a, x) : 1 - upper(a, x);
}

export function gammaincc(a: number, x: number): number {
  const end = atEnds(a, x);
  if (end !== undefined) return 1 - end;
  if (a > LARGE) return uniform(a, x, 1);
  if (a < 0.5 && x < 1.1) return small(a, x);
  return x < a + 1 ? 1 - lower(a, x) : upper(a, x);
}
