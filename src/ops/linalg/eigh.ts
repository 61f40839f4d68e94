/** Eigenvalues and vectors of symmetric matrices. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { apply, applyAll } from '../../core/apply.ts';
import type { Tensor } from '../../core/tensor.ts';
import { eye } from '../creation.ts';
import { defineOp } from '../define.ts';
import { diagEmbed, diagonal } from '../diagonals.ts';
import { unsqueeze } from '../movement.ts';
import { named } from '../named.ts';
import { add, div, mul, sub } from '../pointwise.ts';
import { batchOf, checkSquare, mT, times } from './checks.ts';

const EIGH = defineOp<{ upper: boolean }>({
  name: 'eigh',
  kind: 'factorization',
  // Giles, An extended collection of matrix derivative results, 2008, 3.1.
  vjp({ outputs, grads }) {
    const [w, v] = outputs as [Tensor, Tensor];
    const [gw, gv] = grads;
    if (!gv) return [gw ? ofValues(v, gw) : null];
    const turned = times(mT(v), gv);
    const ones = eye(w.shape.at(-1)!, { dtype: w.dtype });
    const apart = add(sub(unsqueeze(w, -2), unsqueeze(w, -1)), ones);
    const beside = div(sub(turned, diagEmbed(diagonal(turned, 0, -2, -1))), apart);
    const inner = gw ? add(beside, diagEmbed(gw)) : beside;
    return [times(times(v, inner), mT(v))];
  },
  infer: ([a]) => [{ dtype: a!.dtype, shape: a!.shape.slice(0, -1) }, a!],
  lower: ({ attrs }) => ({ kernel: 'eigh', attrs: { ...attrs, vectors: true } }),
});

/** v diag(g) vᵀ */
const ofValues = (v: Tensor, g: Tensor) => times(mul(v, unsqueeze(g, -2)), mT(v));

const EIGVALSH = defineOp<{ upper: boolean }>({
  name: 'eigvalsh',
  kind: 'factorization',
  vjp: ({ inputs, grads, attrs }) => [ofValues(applyAll(EIGH, inputs, attrs)[1]!, grads[0]!)],
  infer: ([a]) => [{ dtype: a!.dtype, shape: [...batchOf(a!), a!.shape.at(-1)!] }],
  lower: ({ attrs }) => ({ kernel: 'eigh', attrs: { ...attrs, vectors: false } }),
});

/** [values, vectors] of symmetric matrices that were checked, by their lower triangles. */
export const eigenpairs = (A: Tensor) => applyAll(EIGH, [A], { upper: false }) as [Tensor, Tensor];

/** The values alone. */
export const eigenvalues = (A: Tensor): Tensor => apply(EIGVALSH, [A], { upper: false });

/** Is it the upper triangle that counts? */
function isUpper(op: string, UPLO: string): boolean {
  const letter = typeof UPLO === 'string' ? UPLO.toUpperCase() : '';
  if (letter === 'U' || letter === 'L') return letter === 'U';
  throw opError(ArgumentError, op, `UPLO must be "L" or "U", got ${JSON.stringify(UPLO)}`);
}

/**
 * [L, Q] with A = Q diag(L) Qᵀ for symmetric A, of which the triangle `UPLO` is read: (*, n, n) ->
 * (*, n), (*, n, n). L rises. The signs of the vectors, and which vectors equal values have, mean
 * nothing: a gradient exists where a result does not depend on them.
 * https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const eigh = named(
  'linalg.eigh',
  ['A', 'UPLO'],
  (A: Tensor, UPLO = 'L'): [Tensor, Tensor] => {
    checkSquare('linalg.eigh', 'A', A);
    const upper = isUpper('linalg.eigh', UPLO);
    return applyAll(EIGH, [A], { upper }) as [Tensor, Tensor];
  },
);

/**
 * The eigenvalues of symmetric A, rising: (*, n, n) -> (*, n).
 * https://pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const eigvalsh = named('linalg.eigvalsh', ['A', 'UPLO'], (A: Tensor, UPLO = 'L'): Tensor => {
  checkSquare('linalg.eigvalsh', 'A', A);
  return apply(EIGVALSH, [A], { upper: isUpper('linalg.eigvalsh', UPLO) });
});
