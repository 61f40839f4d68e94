/** Arguments that are one number or one a dimension, as windows have. */

import { needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';

/** One number for all dimensions of a window, or one each (one in a list stands for all). */
export type Sizes = number | readonly number[];

const COUNTS = ['', 'one integer', 'one or two integers', 'one or three integers'];

/** A number for each of `dims` dimensions. Throws unless they are integers of at least `least`. */
export function windowSizes(
  op: string,
  name: string,
  value: Sizes,
  dims: number,
  least: number,
): number[] {
  const given = typeof value === 'number' ? [value] : value;
  const isList = Array.isArray(given) && (given.length === dims || given.length === 1);
  if (!isList || given.some((n) => !Number.isInteger(n) || n < least)) {
    throw opError(
      ArgumentError,
      op,
      `${name} must be ${COUNTS[dims]} of at least ${least}, got ${JSON.stringify(value)}`,
    );
  }
  return given.length === dims ? [...given] : new Array<number>(dims).fill(given[0]!);
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

/** The names of the last `dims` dimensions. */
export function spatialAxes(dims: number): readonly string[] {
  return dims === 1 ? ['L'] : ['D', 'H', 'W'].slice(3 - dims);
}

/** `(N, C, H, W) or (C, H, W)`: what an op over `dims` dimensions takes. */
export function imageShapes(dims: number): string {
  const axes = spatialAxes(dims).join(', ');
  return `(N, C, ${axes}) or (C, ${axes})`;
}

/**
 * Throws unless `x` is floating, (N, C, ...) or (C, ...) over `dims` dimensions, none but N empty.
 */
export function checkImages(op: string, { dtype, shape }: Tensor, dims: number): void {
  needsFloating(op, { dtype });
  const batched = shape.length === dims + 2;
  if ((!batched && shape.length !== dims + 1) || shape.slice(-dims - 1).includes(0)) {
    throw opError(
      ShapeError,
      op,
      `input must be ${imageShapes(dims)}, none but N empty, got ${formatShape(shape)}`,
    );
  }
}

/** `compute` of a batch: an input without one gets one, and loses it again. */
export function inBatches(x: Tensor, dims: number, compute: (x: Tensor) => Tensor): Tensor {
  return x.ndim === dims + 1 ? compute(x.unsqueeze(0)).squeeze(0) : compute(x);
}
