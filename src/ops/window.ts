/** Arguments that are one number or one a dimension, as windows have. */

import { ArgumentError, opError } from '../base/errors.ts';

/** One number for both dimensions, or (height, width). */
export type Pair = number | readonly [number, number] | readonly number[];

/** Both numbers. Throws unless they are integers of at least `least`. */
export function pair(op: string, name: string, value: Pair, least: number): [number, number] {
  const list = typeof value === 'number' ? [value, value] : value;
  if (list.length !== 2 || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw opError(
      ArgumentError,
      op,
      `${name} must be one or two integers of at least ${least}, got ${JSON.stringify(value)}`,
    );
  }
  return [list[0]!, list[1]!];
}

/** One dimension that windows of `reach` places move over. */
export interface Pooling {
  readonly size: number;
  readonly reach: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceil_mode: boolean;
}

/** How many windows there are; below 1 when the first does not fit. */
export function pooledSize({ size, reach, stride, padding, ceil_mode }: Pooling): number {
  const span = (size + 2 * padding - reach) / stride;
  const count = (ceil_mode ? Math.ceil(span) : Math.floor(span)) + 1;
  // The last window must begin inside the input or its left padding.
  return ceil_mode && (count - 1) * stride >= size + padding ? count - 1 : count;
}
