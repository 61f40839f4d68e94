/**
 * How the reference engine holds numbers: every element is a float64. Floating dtypes are never
 * rounded inside the engine, so that finite differences can use steps of 1e-6; integers are exact
 * up to 2^53 and wrap as their dtype does; bool is 0 or 1.
 */

import { type DType, type HostArray, hostArray } from '../../base/dtype.ts';
import { isHalfWidth, roundTo } from '../../base/half-width.ts';

const TWO_63 = 2 ** 63;

/** Truncates towards zero and wraps to 64 bits; NaN and infinities become 0. */
export function toInt64(value: number): number {
  if (!Number.isFinite(value)) return 0;
  const whole = Math.trunc(value);
  if (whole >= -TWO_63 && whole < TWO_63) return whole;
  return Number(BigInt.asIntN(64, BigInt(whole)));
}

/** Wraps an integer to 32 bits. */
export function toInt32(value: number): number {
  return value | 0;
}

/** Wraps an integer to 8 bits without a sign. */
export function toUint8(value: number): number {
  return value & 255;
}

export function toBool(value: number): number {
  return value !== 0 ? 1 : 0;
}

const CONVERT: Record<DType, ((value: number) => number) | undefined> = {
  float32: undefined,
  float64: undefined,
  bfloat16: undefined,
  float16: undefined,
  int64: toInt64,
  int32: toInt32,
  uint8: toUint8,
  bool: toBool,
};

/** Brings numbers into the range of `dtype`, in place. */
export function convertTo(dtype: DType, values: Float64Array): void {
  const convert = CONVERT[dtype];
  if (convert === undefined) return;
  for (let i = 0; i < values.length; i++) values[i] = convert(values[i]!);
}

/** Host data as numbers; those of int64 are exact up to 2^53. */
export function fromHost(data: HostArray): Float64Array {
  return data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
}

/** The contents as a user reads them: rounded to `dtype`. */
export function toHost(dtype: DType, values: Float64Array): HostArray {
  const out = hostArray(dtype, values.length);
  if (out instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) out[i] = BigInt(values[i]!);
  } else if (isHalfWidth(dtype)) {
    return roundTo(dtype, values);
  } else {
    out.set(values);
  }
  return out;
}
