/** Singular values and vectors. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { apply, applyAll } from '../../core/apply.ts';
import type { Tensor } from '../../core/tensor.ts';
import { eye, zeros } from '../creation.ts';
import { defineOp } from '../define.ts';
import { diagEmbed } from '../diagonals.ts';
import { unsqueeze } from '../movement.ts';
import { named } from '../named.ts';
import { add, div, mul, sub } from '../pointwise.ts';
import { narrow } from '../slicing.ts';
import { batchOf, checkMatrices, mT, sizesOf, times } from './checks.ts';

const SVD = defineOp<{ full_matrices: boolean }>({
  name: 'svd',
  kind: 'factorization',
  vjp({ outputs, grads }) {
    const [u, s, vh] = outputs as [Tensor, Tensor, Tensor];
    const k = s.shape.at(-1)!;
    const thin = (x: Tensor | null | undefined, dim: number) => x && narrow(x, dim, 0, k);
    return [
      gradient(
        { u: thin(u, -1)!, s, vh: thin(vh, -2)! },
        { u: thin(grads[0], -1), s: grads[1], vh: thin(grads[2], -2) },
      ),
    ];
  },
  infer([a], { full_matrices }) {
    const [batch, [rows, columns], { dtype }] = [batchOf(a!), sizesOf(a!), a!];
    const k = Math.min(rows, columns);
    const [left, right] = full_matrices ? [rows, columns] : [k, k];
    return [
      { dtype, shape: [...batch, rows, left] },
      { dtype, shape: [...batch, k] },
      { dtype, shape: [...batch, right, columns] },
    ];
  },
  lower: ({ attrs }) => ({ kernel: 'svd', attrs: { ...attrs, vectors: true } }),
});

interface Decomposition<T> {
  readonly u: T;
  readonly s: T;
  readonly vh: T;
}

/**
 * Of the reduced decomposition: Giles, An extended collection of matrix derivative results, 2008,
 * 3.3; Townsend, Differentiating the singular value decomposition, 2016. Infinite or NaN where
 * vectors have a gradient and values are equal, or zero.
 */
function gradient(
  { u, s, vh }: Decomposition<Tensor>,
  g: Decomposition<Tensor | null | undefined>,
): Tensor | null {
  if (!g.u && !g.vh) return g.s ? times(mul(u, unsqueeze(g.s, -2)), vh) : null;
  const [row, column] = [unsqueeze(s, -2), unsqueeze(s, -1)];
  const apart = add(
    mul(sub(row, column), add(row, column)),
    eye(s.shape.at(-1)!, { dtype: s.dtype }),
  );
  const rotated = (x: Tensor) => div(sub(x, mT(x)), apart);
  const ofU = g.u ? times(mT(u), g.u) : undefined;
  const ofV = g.vh ? times(vh, mT(g.vh)) : undefined;
  const parts = [
    ...(ofU ? [mul(rotated(ofU), row)] : []),
    ...(ofV ? [mul(column, rotated(ofV))] : []),
    ...(g.s ? [diagEmbed(g.s)] : []),
  ];
  const inner = parts.reduce((sum, part) => add(sum, part));
  const [rows, columns] = [u.shape.at(-2)!, vh.shape.at(-1)!];
  const k = s.shape.at(-1)!;
  let left = times(u, inner);
  // What a gradient has outside the span of the vectors.
  if (ofU && rows > k) left = add(left, div(sub(g.u!, times(u, ofU)), row));
  const whole = times(left, vh);
  if (!ofV || columns === k) return whole;
  return add(whole, times(u, div(sub(g.vh!, times(mT(ofV), vh)), column)));
}

const SVDVALS = defineOp<object>({
  name: 'svdvals',
  kind: 'factorization',
  vjp({ inputs, grads }) {
    const [u, , vh] = decompose(inputs[0]!);
    return [times(mul(u, unsqueeze(grads[0]!, -2)), vh)];
  },
  infer([a]) {
    return [{ dtype: a!.dtype, shape: [...batchOf(a!), Math.min(...sizesOf(a!))] }];
  },
  lower: () => ({ kernel: 'svd', attrs: { full_matrices: false, vectors: false } }),
});

/** [U, S, Vh] of matrices that were checked. */
export function decompose(A: Tensor, full_matrices = false): [Tensor, Tensor, Tensor] {
  return applyAll(SVD, [A], { full_matrices }) as [Tensor, Tensor, Tensor];
}

/** The singular values of matrices that were checked, falling. */
export const singularValues = (A: Tensor): Tensor => apply(SVDVALS, [A], {});

function checkDriver(op: string, driver: string | null): void {
  if (driver === null) return;
  throw opError(ArgumentError, op, `driver is for CUDA alone, got "${driver}"`);
}

/**
 * [U, S, Vh] with A = U diag(S) Vh: (*, m, n) -> (*, m, m), (*, k), (*, n, n), k = min(m, n), or
 * without `full_matrices` (*, m, k), (*, k), (*, k, n). S falls. The signs of the vectors, and
 * which vectors equal values have, mean nothing: a gradient exists where a result does not depend
 * on them.
 * https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the result is read, for NaN or
 *   infinity
 */
export const svd = named(
  'linalg.svd',
  ['A', 'full_matrices', 'driver'],
  (A: Tensor, full_matrices = true, driver: string | null = null): [Tensor, Tensor, Tensor] => {
    checkMatrices('linalg.svd', { A });
    checkDriver('linalg.svd', driver);
    return decompose(A, full_matrices);
  },
);

/**
 * The singular values, falling: (*, m, n) -> (*, min(m, n)).
 * https://pytorch.org/docs/stable/generated/torch.linalg.svdvals.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the result is read, for NaN or
 *   infinity
 */
export const svdvals = named(
  'linalg.svdvals',
  ['A', 'driver'],
  (A: Tensor, driver: string | null = null): Tensor => {
    checkMatrices('linalg.svdvals', { A });
    checkDriver('linalg.svdvals', driver);
    return singularValues(A);
  },
);

/**
 * [U, S, V], of which V is not transposed; reduced where `some`; zeros for U and V without
 * `compute_uv`.
 * https://pytorch.org/docs/stable/generated/torch.svd.html
 */
export const torchSvd = named(
  'svd',
  ['input', 'some', 'compute_uv'],
  (input: Tensor, some = true, compute_uv = true): [Tensor, Tensor, Tensor] => {
    checkMatrices('svd', { input });
    if (compute_uv) {
      const [u, s, vh] = decompose(input, !some);
      return [u, s, mT(vh)];
    }
    const [rows, columns] = sizesOf(input);
    const nothing = (n: number) => zeros([...batchOf(input), n, n], { dtype: input.dtype });
    return [nothing(rows), singularValues(input), nothing(columns)];
  },
);
