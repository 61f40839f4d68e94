/** Mathematical functions that JavaScript lacks. */

/**
 * The error function to about 1e-15, by its series without cancellation:
 * erf(x) = 2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!.
 * (Abramowitz and Stegun, 7.1.6.)
 */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x); // 1 - erf(6) is below half a unit in the last place
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** C's pow, which unlike JavaScript's gives 1 for pow(1, anything) and pow(-1, infinity). */
export function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

/** The normal distribution's cumulative function. */
function cumulative(x: number): number {
  return (1 + erf(x * Math.SQRT1_2)) / 2;
}

/** Hendrycks and Gimpel 2016. */
export function gelu(x: number): number {
  return x * cumulative(x);
}

export function geluDerivative(x: number): number {
  return cumulative(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBIC = 0.044715;

export function geluTanh(x: number): number {
  return (x / 2) * (1 + Math.tanh(TANH_SCALE * (x + TANH_CUBIC * x ** 3)));
}

export function geluTanhDerivative(x: number): number {
  const t = Math.tanh(TANH_SCALE * (x + TANH_CUBIC * x ** 3));
  const near = Math.abs(x) < 100 ? x : 0; // farther off, t is 1 and x may be infinite
  const slope = TANH_SCALE * (1 + 3 * TANH_CUBIC * near * near);
  return (1 + t) / 2 + (near / 2) * (1 - t * t) * slope;
}
