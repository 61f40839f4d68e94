/** Orthogonal polynomials by their recurrences: DLMF 18.9. */

type Next = (k: number, x: number, last: number, before: number) => number;

/** The degree as a whole number: -1 for NaN and for what no int64 holds, as PyTorch has it. */
const degree = (n: number): number => (n > -1 && n < 9.2e18 ? Math.trunc(n) : -1);

/** `first(x)` follows on 1, and `next` on every two. */
function polynomial(first: (x: number) => number, next: Next) {
  return (x: number, degrees: number): number => {
    const n = degree(degrees);
    if (n < 0) return 0;
    let [before, last] = [1, first(x)];
    if (n === 0) return before;
    for (let k = 1; k < n && !Number.isNaN(last); k++) {
      [before, last] = [last, next(k, x, last, before)];
    }
    return last;
  };
}

/**
 * Chebyshev's four kinds differ in their first degree; inside (-1, 1) high degrees are `inside`.
 */
function chebyshev(
  first: (x: number) => number,
  from: number,
  inside: (n: number, angle: number) => number,
) {
  const outside = polynomial(first, (_, x, last, before) => 2 * x * last - before);
  return (x: number, degrees: number): number => {
    const n = degree(degrees);
    return n > from && Math.abs(x) < 1 ? inside(n, Math.acos(x)) : outside(x, n);
  };
}

export const chebyshevT = chebyshev(
  (x) => x,
  6,
  (n, t) => Math.cos(n * t),
);
export const chebyshevU = chebyshev(
  (x) => 2 * x,
  8,
  (n, t) => Math.sin((n + 1) * t) / Math.sin(t),
);
export const chebyshevV = chebyshev(
  (x) => 2 * x - 1,
  8,
  (n, t) => Math.cos((n + 0.5) * t) / Math.cos(t / 2),
);
export const chebyshevW = chebyshev(
  (x) => 2 * x + 1,
  8,
  (n, t) => Math.sin((n + 0.5) * t) / Math.sin(t / 2),
);

/** Beyond this degree PyTorch gives NaN in float64. */
const MOST_HERMITE = 512;
const limited = (hermite: (x: number, n: number) => number) => (x: number, n: number) =>
  degree(n) > MOST_HERMITE ? Number.NaN : hermite(x, n);

export const hermiteH = limited(
  polynomial(
    (x) => 2 * x,
    (k, x, last, before) => 2 * x * last - 2 * k * before,
  ),
);
export const hermiteHe = limited(
  polynomial(
    (x) => x,
    (k, x, last, before) => x * last - k * before,
  ),
);
export const laguerreL = polynomial(
  (x) => 1 - x,
  (k, x, last, before) => ((2 * k + 1 - x) * last - k * before) / (k + 1),
);
export const legendreP = polynomial(
  (x) => x,
  (k, x, last, before) => ((2 * k + 1) * x * last - k * before) / (k + 1),
);
