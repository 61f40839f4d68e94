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
