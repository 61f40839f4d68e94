/** Rows of arrays on the host. */

import type { HostArray } from '../base/dtype.ts';

/** Rows of `width` elements, in the order of `indices`. */
export function gather<T extends HostArray>(from: T, width: number, indices: Int32Array): T {
  const rows = sameKind(from, indices.length * width);
  for (const [i, index] of indices.entries()) {
    setAt(rows, from.subarray(index * width, (index + 1) * width), i * width);
  }
  return rows;
}

/** The first `to` elements of each row of `width`. */
export function cutRows<T extends HostArray>(from: T, width: number, to: number): T {
  if (width === to) return from;
  const count = from.length / width;
  const rows = sameKind(from, count * to);
  for (let i = 0; i < count; i++) setAt(rows, from.subarray(i * width, i * width + to), i * to);
  return rows;
}

/** The arrays, all of one kind, one after the other. */
export function concatenated<T extends HostArray>(parts: readonly T[]): T {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = sameKind(parts[0]!, length);
  let at = 0;
  for (const part of parts) {
    setAt(whole, part, at);
    at += part.length;
  }
  return whole;
}

/** Row `i` of `from` becomes row `rows[i]` of `to`, each of `width` elements. */
export function scatter(to: HostArray, from: HostArray, width: number, rows: Int32Array): void {
  for (const [i, row] of rows.entries()) {
    setAt(to, from.subarray(i * width, (i + 1) * width), row * width);
  }
}

function sameKind<T extends HostArray>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}

function setAt(to: HostArray, values: HostArray, at: number): void {
  (to as { set(values: HostArray, at: number): void }).set(values, at);
}
