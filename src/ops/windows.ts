/** Window functions, computed in float64. https://pytorch.org/docs/stable/signal.html */

import type { DType } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor } from './host-data.ts';
import { named } from './named.ts';

/** The value at place `k` of a symmetric window of `size` places, at least two. */
type Shape = (k: number, size: number) => number;

/**
 * `length` places of a symmetric window, or of a periodic one: one place of the next period longer.
 */
function windowOf(
  op: string,
  length: number,
  symmetric: boolean,
  dtype: DType | null,
  requires_grad: boolean,
  at: Shape,
): Tensor {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw opError(ArgumentError, op, `length must be a non-negative integer, got ${length}`);
  }
  if (dtype !== null && dtype !== 'float32' && dtype !== 'float64') {
    throw opError(DTypeError, op, `needs float32 or float64, got ${dtype}`);
  }
  const size = symmetric ? length : length + 1;
  const values = Float64Array.from({ length }, (_, k) => (length === 1 ? 1 : at(k, size)));
  return tensor(values, { dtype: dtype ?? 'float32', requires_grad });
}

const cosines =
  (a: readonly number[]): Shape =>
  (k, size) =>
    a.reduce(
      (sum, x, i) => sum + (i % 2 ? -x : x) * Math.cos((2 * Math.PI * i * k) / (size - 1)),
      0,
    );

const triangle: Shape = (k, size) => 1 - Math.abs((2 * k) / (size - 1) - 1);

/** The modified Bessel function of order 0, by its power series. */
function besselI0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const kaiserShape =
  (beta: number): Shape =>
  (k, size) => {
    const x = (2 * k) / (size - 1) - 1;
    return besselI0(beta * Math.sqrt(Math.max(0, 1 - x * x))) / besselI0(beta);
  };

// ---- torch.signal.windows
// ------------------------------------------------------------------------

const plain = (op: string, at: Shape) =>
  named(
    op,
    ['M', 'sym', 'dtype', 'requires_grad'],
    (M: number, sym = true, dtype: DType | null = null, requires_grad = false): Tensor =>
      windowOf(op, M, sym, dtype, requires_grad, at),
  );

const shaped = <const Name extends string, T>(
  op: string,
  name: Name,
  standard: T,
  shapeOf: (value: T) => Shape,
) =>
  named(
    op,
    ['M', name, 'sym', 'dtype', 'requires_grad'],
    (
      M: number,
      value: T = standard,
      sym = true,
      dtype: DType | null = null,
      requires_grad = false,
    ) => windowOf(op, M, sym, dtype, requires_grad, shapeOf(value)),
  );

function positive(op: string, name: string, value: number): void {
  if (!(value > 0)) throw opError(ArgumentError, op, `${name} must be positive, got ${value}`);
}

function coefficients(a: readonly number[]): Shape {
  if (Array.isArray(a) && a.length > 0) return cosines(a);
  throw opError(ArgumentError, 'general_cosine', 'a must be a list of at least one coefficient');
}

export const bartlett = plain('bartlett', triangle);
export const blackman = plain('blackman', cosines([0.42, 0.5, 0.08]));
export const cosine = plain('cosine', (k, size) => Math.sin((Math.PI * (k + 0.5)) / size));
export const hamming = plain('hamming', cosines([0.54, 0.46]));
export const hann = plain('hann', cosines([0.5, 0.5]));
export const nuttall = plain('nuttall', cosines([0.3635819, 0.4891775, 0.1365995, 0.0106411]));
export const generalHamming = shaped('general_hamming', 'alpha', 0.54 as number, (alpha: number) =>
  cosines([alpha, 1 - alpha]),
);
export const generalCosine = shaped('general_cosine', 'a', [] as readonly number[], coefficients);
export const gaussian = shaped('gaussian', 'std', 1 as number, (std: number) => {
  positive('gaussian', 'std', std);
  return (k, size) => Math.exp(-(((k - (size - 1) / 2) / std) ** 2) / 2);
});
export const kaiser = shaped('kaiser', 'beta', 12 as number, (beta: number) => {
  if (beta >= 0) return kaiserShape(beta);
  throw opError(ArgumentError, 'kaiser', `beta must not be negative, got ${beta}`);
});

export const exponential = named(
  'exponential',
  ['M', 'center', 'tau', 'sym', 'dtype', 'requires_grad'],
  (
    M: number,
    center: number | null = null,
    tau = 1,
    sym = true,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    positive('exponential', 'tau', tau);
    if (sym && center !== null) {
      throw opError(
        ArgumentError,
        'exponential',
        'a symmetric window has its center in the middle',
      );
    }
    const at: Shape = (k, size) => Math.exp(-Math.abs(k - (center ?? (size - 1) / 2)) / tau);
    return windowOf('exponential', M, sym, dtype, requires_grad, at);
  },
);
