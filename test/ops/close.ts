/** Comparison of flat lists of numbers, special values included. */

import { expect } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';

export interface Limits {
  readonly rtol: number;
  readonly atol: number;
}

/** What results may differ by where dtypes of 16 bits take part; `undefined` where none does. */
export function halfWidthLimit(dtypes: readonly DType[]): number | undefined {
  if (dtypes.includes('bfloat16')) return 3e-2;
  return dtypes.includes('float16') ? 4e-3 : undefined;
}

/**
 * Fails unless |actual - expected| <= atol + rtol * |expected|; NaN and infinities must be equal.
 */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  { rtol, atol }: Limits,
): void {
  expect(actual).toHaveLength(expected.length);
  const wrong = expected.flatMap((value, i) => {
    const found = actual[i]!;
    const fine = Number.isFinite(value)
      ? Math.abs(found - value) <= atol + rtol * Math.abs(value)
      : Object.is(found, value);
    return fine ? [] : [`[${i}] is ${found} instead of ${value}`];
  });
  expect(wrong).toEqual([]);
}
