/** Cholesky's factor of positive definite matrices, and what is solved with it. */

import { applyAll } from '../../core/apply.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { KernelAttrs } from '../../engine/kernels.ts';
import { customFunction } from '../custom-function.ts';
import { defineOp } from '../define.ts';
import { tril } from '../diagonals.ts';
import { named } from '../named.ts';
import { add, mul, neg } from '../pointwise.ts';
import { batchOf, checkSquare, identities, mT, times } from './checks.ts';
import { equation, solveTriangle, solveTriangleFromRight } from './triangular.ts';

const CHOLESKY = defineOp<KernelAttrs['cholesky']>({
  name: 'cholesky',
  kind: 'factorization',
  // Murray, Differentiation of the Cholesky decomposition, 2016, equation 10.
  vjp({ outputs, grads }) {
    if (!grads[0]) return [null];
    const l = outputs[0]!;
    const inner = tril(times(mT(l), grads[0]));
    const symmetric = mul(add(inner, mT(tril(inner, -1))), 0.5);
    const left = solveTriangle(l, symmetric, { upper: false, transpose: true });
    return [solveTriangleFromRight(l, left, { upper: false })];
  },
  infer: ([a]) => [a!, { dtype: 'int32', shape: batchOf(a!) }],
  lower: ({ attrs }) => ({ kernel: 'cholesky', attrs }),
});

function factor(op: string, A: Tensor, upper: boolean, fails: boolean): [Tensor, Tensor] {
  checkSquare(op, 'A', A);
  const attrs = { fails_as: fails ? op : '' };
  const [l, info] = applyAll(CHOLESKY, [upper ? mT(A) : A], attrs) as [Tensor, Tensor];
  return [upper ? mT(l) : l, info];
}

/**
 * L with A = L Lᵀ, lower triangular, or with `upper` U with A = Uᵀ U: (*, n, n) -> (*, n, n). One
 * triangle of A is read. A matrix that is not positive definite makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read
 */
export const cholesky = named(
  'linalg.cholesky',
  ['A', 'upper'],
  (A: Tensor, upper = false): Tensor => factor('linalg.cholesky', A, upper, true)[0],
);

/** `linalg.cholesky`. https://pytorch.org/docs/stable/generated/torch.cholesky.html */
export const torchCholesky = named(
  'cholesky',
  ['input', 'upper'],
  (input: Tensor, upper = false): Tensor => factor('cholesky', input, upper, true)[0],
);

/**
 * [L, info]: as `linalg.cholesky`, but a matrix that is not positive definite only makes `info`,
 * int32 (*), the order of its first leading minor that is not positive, unless `check_errors` is
 * set.
 * https://pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html
 */
export const choleskyEx = named(
  'linalg.cholesky_ex',
  ['A', 'upper', 'check_errors'],
  (A: Tensor, upper = false, check_errors = false): [Tensor, Tensor] =>
    factor('linalg.cholesky_ex', A, upper, check_errors),
);

/**
 * X with L Lᵀ X = B, or Uᵀ U X = B; the gradient is that of the equation, in all of L, as
 * PyTorch's.
 */
const solveImplicitly = customFunction({
  name: 'cholesky_solve',
  forward(ctx, L: Tensor, B: Tensor, upper: boolean) {
    const first = solveTriangle(L, B, { upper, transpose: upper });
    const X = solveTriangle(L, first, { upper, transpose: !upper });
    ctx.saveForBackward(L, X);
    ctx.upper = upper;
    return X;
  },
  backward(ctx, g) {
    const [[L, X], upper] = [ctx.savedTensors as [Tensor, Tensor], ctx.upper as boolean];
    const ofB = solve(L, g, upper);
    const product = times(ofB, mT(X));
    const symmetric = add(product, mT(product));
    return [neg(upper ? times(L, symmetric) : times(symmetric, L)), ofB, null];
  },
});

function solve(L: Tensor, B: Tensor, upper: boolean): Tensor {
  return solveImplicitly(L, B, upper) as Tensor;
}

/**
 * X with A X = B, from Cholesky's factor L of A: (*, n, k), (*, n, n) -> (*, n, k). The leading
 * sizes broadcast. https://pytorch.org/docs/stable/generated/torch.cholesky_solve.html
 */
export const choleskySolve = named(
  'cholesky_solve',
  ['B', 'L', 'upper'],
  (B: Tensor, L: Tensor, upper = false): Tensor => {
    const [factors, right] = equation('cholesky_solve', L, B);
    return solve(factors, right, upper);
  },
);

/**
 * The inverse of A from Cholesky's factor L of it: (*, n, n) -> (*, n, n).
 * https://pytorch.org/docs/stable/generated/torch.cholesky_inverse.html
 */
export const choleskyInverse = named(
  'cholesky_inverse',
  ['L', 'upper'],
  (L: Tensor, upper = false): Tensor => {
    const size = checkSquare('cholesky_inverse', 'L', L);
    return solve(L, identities(batchOf(L), size, L.dtype), upper);
  },
);
