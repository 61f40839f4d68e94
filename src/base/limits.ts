/** The ends of what each dtype holds. */

import { type DType, isFloating } from './dtype.ts';

/**
 * [lowest, highest] of those that hold no infinity; of int64 the nearest that a number of
 * JavaScript holds.
 */
const INTEGERS: Partial<Record<DType, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1024],
};

/** What no element of `dtype` is below; the largest of nothing. */
export function lowest(dtype: DType): number {
  return isFloating(dtype) ? -Infinity : INTEGERS[dtype]![0];
}

/** What no element of `dtype` is above; the smallest of nothing. */
export function highest(dtype: DType): number {
  return isFloating(dtype) ? Infinity : INTEGERS[dtype]![1];
}
