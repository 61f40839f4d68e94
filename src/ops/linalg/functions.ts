/** Functions of square matrices: powers and the exponential. */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { apply } from '../../core/apply.ts';
import type { Op } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import { zerosLike } from '../creation.ts';
import { defineOp } from '../define.ts';
import { cat } from '../joining.ts';
import { same } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { cast } from '../pointwise.ts';
import { narrow } from '../slicing.ts';
import { batchOf, identities, mT, squareSize, times } from './checks.ts';
import { inverseOf } from './solve.ts';

const MATRIX_EXP: Op<object> = defineOp<object>({
  name: 'matrix_exp',
  kind: 'factorization',
  // Al-Mohy and Higham, Computing the Frechet derivative of the matrix exponential, 2009, (1.3):
  // the derivative in direction g is the upper right block of the exponential of [[a, g], [0, a]].
  vjp({ inputs, grads }) {
    const [at, g] = [mT(inputs[0]!), grads[0]!];
    const blocks = cat([cat([at, g], -1), cat([zerosLike(at), at], -1)], -2);
    const size = at.shape.at(-1)!;
    return [narrow(narrow(apply(MATRIX_EXP, [blocks], {}), -2, 0, size), -1, size, size)];
  },
  infer: ([a]) => [a!],
  lower: () => ({ kernel: 'matrix_exp', attrs: {} }),
});

const exponential = (op: string, argument: string) =>
  named(op, [argument], (A: Tensor): Tensor => {
    checkFloatingSquare(op, argument, A);
    if (A.dtype !== 'bfloat16') return apply(MATRIX_EXP, [A], {});
    return cast(apply(MATRIX_EXP, [cast(A, 'float32')], {}), 'bfloat16');
  });

function checkFloatingSquare(op: string, name: string, A: Tensor): number {
  requireTensors(op, { [name]: A });
  if (A.ndim < 2) {
    const message = `${name} must have at least 2 dimensions, got ${formatShape(A.shape)}`;
    throw opError(ShapeError, op, message);
  }
  if (!isFloating(A.dtype)) {
    throw opError(DTypeError, op, `${name} must be floating, got ${A.dtype}`);
  }
  return squareSize(op, name, A);
}

/**
 * The sum of Aᵏ / k! over k >= 0: (*, n, n) -> (*, n, n). Of NaN or infinity NaN.
 * https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
 *
 * @throws ShapeError, DTypeError
 */
export const matrixExp = exponential('linalg.matrix_exp', 'A');
/** `linalg.matrix_exp`. https://pytorch.org/docs/stable/generated/torch.matrix_exp.html */
export const torchMatrixExp = exponential('matrix_exp', 'A');

const power = (op: string, argument: string) =>
  named(op, [argument, 'n'], (A: Tensor, n: number): Tensor => {
    const size = checkFloatingSquare(op, argument, A);
    if (!Number.isInteger(n)) throw opError(ArgumentError, op, `n must be an integer, got ${n}`);
    if (n === 0) return identities(batchOf(A), size, A.dtype);
    return n > 0 ? multiplied(A, n) : multiplied(inverseOf(op, A, true)[0], -n);
  });

/** By repeated squaring. */
function multiplied(A: Tensor, n: number): Tensor {
  let square = same(A);
  let result: Tensor | undefined;
  for (let left = n; ; square = times(square, square)) {
    if (left % 2 === 1) result = result === undefined ? square : times(square, result);
    left = Math.floor(left / 2);
    if (left === 0) return result!;
  }
}

/**
 * The product of n factors A, or for negative n of its inverse: (*, n, n) -> (*, n, n).
 * https://pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the inverse of a singular one is
 *   read
 */
export const matrixPower = power('linalg.matrix_power', 'A');
/** `linalg.matrix_power`. https://pytorch.org/docs/stable/generated/torch.matrix_power.html */
export const torchMatrixPower = power('matrix_power', 'input');
