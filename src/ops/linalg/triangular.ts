/** Equations whose matrix is a triangle. */

import { opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { apply } from '../../core/apply.ts';
import type { Op } from '../../core/graph.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { KernelAttrs } from '../../engine/kernels.ts';
import { defineOp } from '../define.ts';
import { tril, triu } from '../diagonals.ts';
import { same } from '../movement.ts';
import { named } from '../named.ts';
import { neg } from '../pointwise.ts';
import { checkMatrices, mT, sizesOf, squareSize, times, withOneBatch } from './checks.ts';

type Attrs = KernelAttrs['triangular_solve'];

const TRIANGULAR_SOLVE: Op<Attrs> = defineOp<Attrs>({
  name: 'triangular_solve',
  kind: 'factorization',
  // Giles, An extended collection of matrix derivative results, 2008, 2.3.
  vjp({ inputs, outputs, grads, attrs }) {
    const { upper, transpose, unitriangular } = attrs;
    const [a, , x, g] = [...inputs, outputs[0]!, grads[0]!] as [Tensor, Tensor, Tensor, Tensor];
    const ofB = apply(TRIANGULAR_SOLVE, [a, g], { ...attrs, transpose: !transpose });
    const product = transpose ? times(x, mT(ofB)) : times(ofB, mT(x));
    const beside = unitriangular ? 1 : 0;
    return [neg(upper ? triu(product, beside) : tril(product, -beside)), ofB];
  },
  infer: ([, b]) => [b!],
  lower: ({ attrs }) => ({ kernel: 'triangular_solve', attrs }),
});

/**
 * x with a x = b, or aᵀ x = b: (..B, n, n), (..B, n, k) -> (..B, n, k). Leading sizes are equal.
 */
export function solveTriangle(
  a: Tensor,
  b: Tensor,
  { upper, transpose = false, unitriangular = false }: Pick<Attrs, 'upper'> & Partial<Attrs>,
): Tensor {
  return apply(TRIANGULAR_SOLVE, [a, b], { upper, transpose, unitriangular });
}

/** x with x a = b, or x aᵀ = b: (..B, n, n), (..B, k, n) -> (..B, k, n). */
export function solveTriangleFromRight(
  a: Tensor,
  b: Tensor,
  { transpose = false, ...attrs }: Pick<Attrs, 'upper'> & Partial<Attrs>,
): Tensor {
  return mT(solveTriangle(a, mT(b), { ...attrs, transpose: !transpose }));
}

/**
 * X with A X = B, or with `left` false X A = B, for triangular A: (*, n, n), (*, n, k) -> (*, n,
 * k). The leading sizes broadcast. The other triangle of A is not read, and a zero on its diagonal
 * gives infinity or NaN.
 * https://pytorch.org/docs/stable/generated/torch.linalg.solve_triangular.html
 *
 * @throws ShapeError, DTypeError
 */
export const solveTriangular = named(
  'linalg.solve_triangular',
  ['A', 'B', 'upper', 'left', 'unitriangular'],
  (A: Tensor, B: Tensor, upper: boolean, left = true, unitriangular = false): Tensor => {
    const op = 'linalg.solve_triangular';
    const [a, b] = equation(op, A, B, left);
    const solve = left ? solveTriangle : solveTriangleFromRight;
    return solve(a, b, { upper, unitriangular });
  },
);

/** Matrices A and B that fit A X = B (X A = B where not `left`), with common leading sizes. */
export function equation(op: string, A: Tensor, B: Tensor, left = true): [Tensor, Tensor] {
  checkMatrices(op, { A, B });
  const size = squareSize(op, 'A', A);
  const [rows, columns] = sizesOf(B);
  if ((left ? rows : columns) !== size) {
    const shapes = `A ${formatShape(A.shape)} and B ${formatShape(B.shape)}`;
    throw opError(ShapeError, op, `${shapes} do not fit ${left ? 'A X = B' : 'X A = B'}`);
  }
  return withOneBatch(op, A, B);
}

/**
 * [X, A]: X with A X = b, or Aᵀ X = b, for triangular A: (*, n, k), (*, n, n) -> (*, n, k).
 * https://pytorch.org/docs/stable/generated/torch.triangular_solve.html
 *
 * @throws ShapeError, DTypeError
 */
export const triangularSolve = named(
  'triangular_solve',
  ['b', 'A', 'upper', 'transpose', 'unitriangular'],
  (b: Tensor, A: Tensor, upper = true, transpose = false, unitriangular = false): Tensor[] => {
    const [matrix, right] = equation('triangular_solve', A, b);
    return [solveTriangle(matrix, right, { upper, transpose, unitriangular }), same(matrix)];
  },
);
