/** The distribution of values in buckets that grow by a tenth, as TensorFlow and PyTorch do. */

import type { HostArray } from '../../base/dtype.ts';
import type { Histogram } from './events.ts';

let limits: Float64Array | undefined;

/** Ends of buckets: ..., -1.1e-12, -1e-12, 0, 1e-12, 1.1e-12, ... up to 1e20. */
function defaultLimits(): Float64Array {
  if (limits === undefined) {
    const positive: number[] = [];
    for (let value = 1e-12; value < 1e20; value *= 1.1) positive.push(value);
    const negative = positive.map((value) => -value).reverse();
    limits = Float64Array.from([...negative, 0, ...positive]);
  }
  return limits;
}

/** The finite values among `values`, counted; nothing where there is none. */
export function histogramOf(values: HostArray): Histogram | undefined {
  const ends = defaultLimits();
  const counts = new Float64Array(ends.length);
  let [min, max, sum, sum_squares, num] = [Number.POSITIVE_INFINITY, -Infinity, 0, 0, 0];
  for (const element of values) {
    const value = Number(element);
    if (!Number.isFinite(value)) continue;
    counts[bucketOf(value, ends)]!++;
    num++;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sum_squares += value * value;
  }
  if (num === 0) return undefined;
  // The empty bucket below the first full one says where that begins.
  const first = Math.max(0, counts.findIndex((n) => n > 0) - 1);
  const end = counts.findLastIndex((n) => n > 0) + 1;
  return {
    min,
    max,
    num,
    sum,
    sum_squares,
    bucket_limit: [...ends.subarray(first, end)],
    bucket: [...counts.subarray(first, end)],
  };
}

/** The first end that is greater than `value`; the outermost buckets take what lies beyond. */
function bucketOf(value: number, ends: Float64Array): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
