/** What the functions of linalg ask of their arguments, and the few words they are written in. */

import type { DType } from '../../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { broadcastShapes, formatShape, type Shape } from '../../base/shape.ts';
import { autocast } from '../../core/autocast.ts';
import type { Tensor } from '../../core/tensor.ts';
import { eye } from '../creation.ts';
import { matmul } from '../matmul.ts';
import { expand, transpose } from '../movement.ts';
import { requireTensors } from '../named.ts';

/**
 * Throws unless all arguments are tensors of at least two dimensions, float32 or float64, of one
 * dtype.
 */
export function checkMatrices(op: string, args: Readonly<Record<string, Tensor>>): void {
  requireTensors(op, args);
  const [[first, { dtype }]] = Object.entries(args) as [[string, Tensor]];
  for (const [name, tensor] of Object.entries(args)) {
    if (tensor.ndim < 2) {
      const message = `${name} must have at least 2 dimensions, got ${formatShape(tensor.shape)}`;
      throw opError(ShapeError, op, message);
    }
    checkPrecision(op, name, tensor);
    if (tensor.dtype === dtype) continue;
    throw opError(DTypeError, op, `${first} is ${dtype}, ${name} is ${tensor.dtype}`);
  }
}

/** Throws unless the tensor is float32 or float64, which LAPACK computes in. */
export function checkPrecision(op: string, name: string, { dtype }: { dtype: DType }): void {
  if (dtype === 'float32' || dtype === 'float64') return;
  const message = `not implemented for ${dtype}: ${name} must be float32 or float64`;
  throw opError(DTypeError, op, message);
}

/** As `checkMatrices` of one; they must also have as many rows as columns. Gives how many. */
export function checkSquare(op: string, name: string, x: Tensor): number {
  checkMatrices(op, { [name]: x });
  return squareSize(op, name, x);
}

export function squareSize(op: string, name: string, { shape }: { shape: Shape }): number {
  const [rows, columns] = shape.slice(-2) as [number, number];
  if (rows === columns) return rows;
  const message = `${name} must be square matrices, got ${formatShape(shape)}`;
  throw opError(ShapeError, op, message);
}

/** The leading dimensions of matrices. */
export const batchOf = ({ shape }: { shape: Shape }): number[] => shape.slice(0, -2);

/** Rows and columns of matrices. */
export const sizesOf = ({ shape }: { shape: Shape }) => shape.slice(-2) as [number, number];

/** Both with the leading dimensions that they broadcast to. */
export function withOneBatch(op: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const batch = broadcastShapes(op, batchOf(a), batchOf(b));
  const whole = (x: Tensor) => expand(x, [...batch, ...sizesOf(x)]);
  return [whole(a), whole(b)];
}

/** Transposed matrices. */
export const mT = (x: Tensor): Tensor => transpose(x, -2, -1);

/** A product in the dtype of its factors: `autocast` leaves linear algebra its digits. */
export const times = (a: Tensor, b: Tensor): Tensor =>
  autocast(() => matmul(a, b), { enabled: false });

/** Identities (..batch, n, n). */
export const identities = (batch: Shape, n: number, dtype: DType): Tensor =>
  expand(eye(n, { dtype }), [...batch, n, n]);
