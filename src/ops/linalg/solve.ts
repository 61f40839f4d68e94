/** Equations and inverses, solved by LU and differentiated as equations. */

import { sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { customFunction } from '../custom-function.ts';
import { expand, squeeze, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { neg } from '../pointwise.ts';
import { batchOf, checkSquare, identities, mT, times } from './checks.ts';
import { type Factors, factorsOf, substitute } from './lu.ts';
import { equation } from './triangular.ts';

/**
 * x with A x = b, or Aᵀ x = b, given A's factors, through which nothing is differentiated: the
 * gradient of b is the solution with the transposed matrix, and that of A follows from it. Giles,
 * An extended collection of matrix derivative results, 2008, 2.3.
 */
const solveImplicitly = customFunction({
  name: 'linalg.solve',
  forward(ctx, A: Tensor, b: Tensor, lu: Tensor, order: Tensor, adjoint: boolean) {
    const x = substitute({ lu, order }, b, adjoint);
    ctx.saveForBackward(A, x, lu, order);
    ctx.adjoint = adjoint;
    return x;
  },
  backward(ctx, g) {
    const [A, x, lu, order] = ctx.savedTensors as [Tensor, Tensor, Tensor, Tensor];
    const adjoint = ctx.adjoint as boolean;
    const ofB = solveImplicitly(A, g, lu, order, !adjoint) as Tensor;
    const product = adjoint ? times(x, mT(ofB)) : times(ofB, mT(x));
    return [neg(product), ofB, null, null, null];
  },
});

/** x with A x = b (Aᵀ x = b where `adjoint`) by A's factors. All have the same leading sizes. */
export function solveWith(A: Tensor, factors: Factors, b: Tensor, adjoint = false): Tensor {
  return solveImplicitly(A, b, factors.lu, factors.order, adjoint) as Tensor;
}

/** The solution, and `info` of A's factors in A's own leading sizes. */
function solution(op: string, A: Tensor, B: Tensor, left: boolean, fails: boolean) {
  requireTensors(op, { A, B });
  const isVector = left && isStackOfVectors(A, B);
  const column = isVector ? unsqueeze(B, -1) : B;
  const [a, b] = equation(op, A, column, left);
  const { lu, order, info } = factorsOf(A, fails ? op : '');
  const whole = { lu: expand(lu, a.shape), order: expand(order, a.shape.slice(0, -1)) };
  const x = left ? solveWith(a, whole, b) : mT(solveWith(a, whole, mT(b), true));
  return [isVector ? squeeze(x, -1) : x, info] as [Tensor, Tensor];
}

/** PyTorch's rule: one vector, or one for each matrix. */
function isStackOfVectors(A: Tensor, B: Tensor): boolean {
  return B.ndim === 1 || (B.ndim === A.ndim - 1 && sameShape(B.shape, A.shape.slice(0, -1)));
}

/**
 * X with A X = B, or X A = B where not `left`: (*, n, n) and (*, n, k), (*, n) or (n) -> B's shape.
 * The leading sizes broadcast. A singular matrix makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.linalg.solve.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read
 */
export const solve = named(
  'linalg.solve',
  ['A', 'B', 'left'],
  (A: Tensor, B: Tensor, left = true): Tensor => solution('linalg.solve', A, B, left, true)[0],
);

/**
 * [X, info]: as `linalg.solve`, but a singular matrix only makes `info`, int32 (*), the first place
 * (from 1) where its factor U has a zero on its diagonal, unless `check_errors` is set.
 * https://pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html
 */
export const solveEx = named(
  'linalg.solve_ex',
  ['A', 'B', 'left', 'check_errors'],
  (A: Tensor, B: Tensor, left = true, check_errors = false): [Tensor, Tensor] =>
    solution('linalg.solve_ex', A, B, left, check_errors),
);

/**
 * The inverses of square matrices and `info`; singular ones make the computation fail if it
 * `fails`.
 */
export function inverseOf(op: string, A: Tensor, fails: boolean): [Tensor, Tensor] {
  const size = checkSquare(op, 'A', A);
  const { info, ...factors } = factorsOf(A, fails ? op : '');
  return [solveWith(A, factors, identities(batchOf(A), size, A.dtype)), info];
}

/**
 * The inverse: (*, n, n) -> (*, n, n). A singular matrix makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.linalg.inv.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read
 */
export const inv = named(
  'linalg.inv',
  ['A'],
  (A: Tensor): Tensor => inverseOf('linalg.inv', A, true)[0],
);

/** `linalg.inv`. https://pytorch.org/docs/stable/generated/torch.inverse.html */
export const inverse = named(
  'inverse',
  ['input'],
  (input: Tensor): Tensor => inverseOf('inverse', input, true)[0],
);

/**
 * [inverse, info]: as `linalg.inv`, with `info` as `linalg.solve_ex`.
 * https://pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html
 */
export const invEx = named(
  'linalg.inv_ex',
  ['A', 'check_errors'],
  (A: Tensor, check_errors = false): [Tensor, Tensor] =>
    inverseOf('linalg.inv_ex', A, check_errors),
);
