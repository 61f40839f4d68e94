/**
 * Bessel functions of the orders 0 and 1, and Airy's Ai, in float64: integrals by the trapezoidal
 * rule where the native engine has series. (NIST Digital Library of Mathematical Functions.)
 */

type Order = 0 | 1;

const EULER = 0.5772156649015329;

/** The sum of `term(i)`, i = 1, 2, ..., until it is negligible beside what there is. */
function sumUntilSmall(first: number, term: (i: number) => number): number {
  let sum = first;
  for (let i = 1, next = 1; Math.abs(next) > 1e-18 * Math.abs(sum) && i < 1e5; i++) {
    next = term(i);
    sum += next;
  }
  return sum;
}

/** (x/2)^n sum_k (sign x^2/4)^k / (k! (n+k)!), for small x: 10.2.2 and 10.25.2. */
function ascending(n: number, x: number, sign: 1 | -1): number {
  let term = 1;
  for (let k = 1; k <= n; k++) term *= x / 2 / k;
  let k = 0;
  return sumUntilSmall(term, () => {
    k++;
    term *= (sign * x * x) / 4 / (k * (n + k));
    return term;
  });
}

/** J_n(x) = 1/pi times the integral of cos(n t - x sin t) over [0, pi]: 10.9.2. */
function besselJ(n: number, x: number): number {
  if (x < 1) return ascending(n, x, -1);
  const count = Math.ceil(x) + n + 60;
  let sum = (1 + (n % 2 === 0 ? 1 : -1)) / 2;
  for (let i = 1; i < count; i++) {
    const t = (Math.PI * i) / count;
    sum += Math.cos(n * t - x * Math.sin(t));
  }
  return sum / count;
}

/** Hankel's expansions of J and Y for large x: 10.17.3 and 10.17.4. */
function hankel(order: Order, x: number): { j: number; y: number } {
  const parts = [1, 0];
  let term = 1;
  for (let k = 1; k < 40 && Math.abs(term) > 1e-18; k++) {
    term *= (4 * order - (2 * k - 1) ** 2) / (8 * k * x);
    parts[k % 2]! += k % 4 < 2 ? term : -term;
  }
  const [p, q] = parts as [number, number];
  const [c, s] = [Math.cos(x), Math.sin(x)];
  const [cosine, sine] = order === 0 ? [c + s, s - c] : [s - c, -(s + c)];
  const size = 1 / Math.sqrt(Math.PI * x);
  return { j: size * (p * cosine - q * sine), y: size * (p * sine + q * cosine) };
}

const FAR = 30;

export const besselFirst =
  (order: Order) =>
  (x: number): number => {
    const size = Math.abs(x);
    const value = size < FAR ? besselJ(order, size) : hankel(order, size).j;
    return order === 1 && (x < 0 || Object.is(x, -0)) ? -value : value;
  };

/** Neumann's expansions of Y in the J: Abramowitz and Stegun 9.1.88. */
export const besselSecond =
  (order: Order) =>
  (x: number): number => {
    if (x === 0) return -Infinity;
    if (!(x > 0)) return Number.NaN;
    if (x >= FAR) return hankel(order, x).y;
    let sum = 0;
    for (let k = 1; k < x / 2 + 20; k++) {
      const weight = order === 0 ? 2 / k : (1 + 2 * k) / (k * (1 + k));
      sum += (k % 2 === 0 ? 1 : -1) * weight * besselJ(order + 2 * k, x);
    }
    const logarithm = Math.log(x) - Math.LN2 + EULER - order;
    const pole = order === 0 ? 0 : besselJ(0, x) / x;
    return (2 / Math.PI) * (logarithm * besselJ(order, x) - sum - pole);
  };

/**
 * e^-|x| I_order(x) = 1/pi times the integral of e^(x (cos t - 1)) cos(order t) over [0, pi]:
 * 10.32.3.
 */
export const scaledBesselI =
  (order: Order) =>
  (x: number): number => {
    const size = Math.abs(x);
    if (Number.isNaN(x)) return x;
    const sign = order === 1 && (x < 0 || Object.is(x, -0)) ? -1 : 1;
    if (size < 2) return sign * ascending(order, size, 1) * Math.exp(-size);
    // Of more than 1e6, the first terms of 10.40.1.
    const m = 4 * order;
    const first = 1 - (m - 1) / (8 * size) + ((m - 1) * (m - 9)) / (2 * (8 * size) ** 2);
    if (size > 1e6)
      return size === Infinity ? 0 * sign : (sign * first) / Math.sqrt(2 * Math.PI * size);
    const count = Math.ceil(60 + 10 * Math.sqrt(size));
    let sum = 0.5;
    for (let i = 1; i <= count; i++) {
      const t = (Math.PI * i) / count;
      const value = Math.exp(-2 * size * Math.sin(t / 2) ** 2) * Math.cos(order * t);
      sum += i === count ? value / 2 : value;
    }
    return (sign * sum) / count;
  };

export const besselI =
  (order: Order) =>
  (x: number): number =>
    Math.exp(Math.abs(x)) * scaledBesselI(order)(x);

/** e^x K_order(x), the integral of e^(x - x cosh t) cosh(order t) over t > 0: 10.32.9. */
export const scaledBesselK =
  (order: Order) =>
  (x: number): number => {
    if (x === 0) return Infinity;
    if (!(x > 0)) return Number.NaN;
    if (x === Infinity) return 0;
    const step = Math.min(0.15, 0.6 / Math.sqrt(x));
    return (
      step *
      sumUntilSmall(0.5, (i) => {
        const t = i * step;
        return (
          Math.exp(order * t - 2 * x * Math.sinh(t / 2) ** 2) * ((1 + Math.exp(-2 * order * t)) / 2)
        );
      })
    );
  };

export const besselK =
  (order: Order) =>
  (x: number): number =>
    Math.exp(-x) * scaledBesselK(order)(x);

/**
 * Ai(x) = 1/(2 pi i) times the integral of e^(t^3/3 - x t) along a line c + i s: 9.5.4. Beyond -40
 * by the expansion 9.7.9.
 */
export function airyAi(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  if (x > 110) return 0; // below the smallest number
  if (x < -40) return airyOscillating(x);
  // For large x through the saddle at sqrt(x); below 0 close to the axis, or e^(-x c) would cancel.
  const c = x > 1 ? Math.sqrt(x) : Math.min(1, 1 / Math.max(-x, 1));
  const step = x > 1 ? 0.02 : 0.004;
  const reach = Math.sqrt(40 / c);
  let sum = 0.5;
  for (let s = step; s < reach; s += step) {
    sum += Math.exp(-c * s * s) * Math.cos(c * c * s - s ** 3 / 3 - x * s);
  }
  return (Math.exp(c ** 3 / 3 - x * c) * sum * step) / Math.PI;
}

function airyOscillating(x: number): number {
  const zeta = (2 / 3) * -x * Math.sqrt(-x);
  const parts = [1, 0];
  let term = 1;
  for (let k = 1; k < 30 && Math.abs(term) > 1e-18; k++) {
    term *= ((6 * k - 5) * (6 * k - 3) * (6 * k - 1)) / ((2 * k - 1) * 216 * k * zeta);
    parts[k % 2]! += k % 4 < 2 ? term : -term;
  }
  const [c, s] = [Math.cos(zeta), Math.sin(zeta)];
  return ((c + s) * parts[0]! + (s - c) * parts[1]!) / Math.sqrt(2 * Math.PI * Math.sqrt(-x));
}
