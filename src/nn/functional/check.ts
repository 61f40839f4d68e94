/** What functions check of their tensors before they compute. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';

/** Throws ShapeError unless input and target have one shape. */
export function needsSameShape(op: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  throw opError(
    ShapeError,
    op,
    `input ${formatShape(input.shape)} and target ${formatShape(target.shape)} must have one shape`,
  );
}

/** Throws ArgumentError unless `p` is a probability. */
export function needsProbability(op: string, p: number): void {
  if (p >= 0 && p <= 1) return;
  throw opError(ArgumentError, op, `p must be between 0 and 1, got ${p}`);
}
