/** What a float is made of: its exponent, its mantissa and its neighbours. */

import { decodeWords, encodeWords, type HalfWidth, roundTo } from '../../base/half-width.ts';

const bytes = new DataView(new ArrayBuffer(8));

/** The exponent e for which |x| / 2^e is in [1/2, 1); 0 for 0, NaN and infinities. */
export function exponent(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return 0;
  let size = Math.abs(x);
  let e = 0;
  for (; size >= 1; e++) size /= 2;
  for (; size < 0.5; e--) size *= 2;
  return e;
}

/** x / 2^exponent(x), by halves because 2^-exponent may itself be too large. */
export function mantissa(x: number): number {
  const half = Math.trunc(exponent(x) / 2);
  return x * 2 ** -half * 2 ** (half - exponent(x));
}

/** The float64 next to `x` in the direction of `to`. */
export function nextAfter(x: number, to: number): number {
  if (Number.isNaN(x) || Number.isNaN(to)) return Number.NaN;
  if (x === to) return to;
  if (x === 0) return to > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE;
  bytes.setFloat64(0, x);
  // Sign and magnitude: the next integer is the next number away from zero.
  const away = x < to === x > 0 ? 1n : -1n;
  bytes.setBigInt64(0, bytes.getBigInt64(0) + away);
  return bytes.getFloat64(0);
}

/** The same among the numbers that `dtype` holds. */
export function nextAmong(dtype: HalfWidth, x: number, to: number): number {
  if (Number.isNaN(x) || Number.isNaN(to)) return Number.NaN;
  const [from, target] = roundTo(dtype, [x, to]);
  if (from === target) return target!;
  const [bits] = encodeWords(dtype, Float32Array.of(from!));
  const next =
    from === 0 ? (to > 0 ? 1 : 0x8001) : bits! + (from! < target! === from! > 0 ? 1 : -1);
  return decodeWords(dtype, Uint16Array.of(next))[0]!;
}
