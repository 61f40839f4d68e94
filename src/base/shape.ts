/** Arithmetic on shapes. Shapes are row-major; sizes are non-negative integers below 2^53. */

import { ArgumentError, opError, ShapeError } from './errors.ts';

export type Shape = readonly number[];

/** The number of elements. */
export function numel(shape: Shape): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** `(2, 3)`, `(4,)`, `()`: a shape as PyTorch's users write it. */
export function formatShape(shape: Shape): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Row-major strides, in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** Throws unless every size is a non-negative integer and their product can be counted exactly. */
export function checkShape(op: string, shape: Shape): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw opError(
        ShapeError,
        op,
        `sizes must be non-negative integers, got ${formatShape(shape)}`,
      );
    }
  }
  if (!Number.isSafeInteger(numel(shape))) {
    throw opError(ShapeError, op, `shape ${formatShape(shape)} has too many elements`);
  }
}

/** The common shape of operands by PyTorch's broadcasting rule. */
export function broadcastShapes(op: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const size = shape[i]!;
      const current = out[offset + i]!;
      if (size === current || size === 1) continue;
      if (current === 1) out[offset + i] = size;
      else {
        const all = shapes.map(formatShape).join(', ');
        throw opError(
          ShapeError,
          op,
          `shapes ${all} cannot be broadcast: dimension ${offset + i} has sizes ${current} and ${size}`,
        );
      }
    }
  }
  return out;
}

/** A dimension in `[0, rank)`, counting negative ones from the end. */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const limit = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -limit || dim >= limit) {
    throw opError(
      ArgumentError,
      op,
      `dim ${dim} is out of range for a tensor of ${rank} dimensions (expected ${-limit} to ${limit - 1})`,
    );
  }
  return dim < 0 ? dim + limit : dim;
}

/** Distinct dimensions in ascending order; `undefined` means all of them. */
export function normalizeDims(
  op: string,
  dims: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = typeof dims === 'number' ? [dims] : dims;
  const out = list.map((dim) => normalizeDim(op, dim, rank));
  if (new Set(out).size !== out.length) {
    throw opError(ArgumentError, op, `dim [${list.join(', ')}] names a dimension twice`);
  }
  return (rank === 0 ? [] : out).sort((a, b) => a - b);
}
