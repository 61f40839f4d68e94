/** Facts about the floating dtypes. */

import { type DType, itemsize } from './dtype.ts';
import { DTypeError, opError } from './errors.ts';

/** What PyTorch's `torch.finfo` says of a floating dtype. */
export interface FloatInfo {
  readonly dtype: DType;
  readonly bits: number;
  /** The gap between 1 and the next number. */
  readonly eps: number;
  /** The largest number there is, and its negative. */
  readonly max: number;
  readonly min: number;
  /** The smallest positive number with all its digits; the same under an older name. */
  readonly smallest_normal: number;
  readonly tiny: number;
  /** The power of ten that the decimal digits reach. */
  readonly resolution: number;
}

/** Binary digits, and the largest exponent of two. */
const FORMATS: Partial<Record<DType, readonly [digits: number, exponent: number]>> = {
  float32: [24, 127],
  float64: [53, 1023],
  bfloat16: [8, 127],
  float16: [11, 15],
};

/**
 * The limits of a floating dtype. Throws DTypeError for any other.
 * https://pytorch.org/docs/stable/type_info.html#torch.torch.finfo
 */
export function finfo(dtype: DType = 'float32'): FloatInfo {
  const format = FORMATS[dtype];
  if (format === undefined) {
    throw opError(DTypeError, 'finfo', `needs a floating dtype, got ${dtype}`);
  }
  const [digits, exponent] = format;
  const eps = 2 ** (1 - digits);
  const max = (2 - eps) * 2 ** exponent;
  const smallest_normal = 2 ** (1 - exponent);
  const decimals = Math.floor((digits - 1) * Math.log10(2));
  return {
    dtype,
    bits: 8 * itemsize(dtype),
    eps,
    max,
    min: -max,
    smallest_normal,
    tiny: smallest_normal,
    resolution: Number(`1e-${decimals}`),
  };
}
