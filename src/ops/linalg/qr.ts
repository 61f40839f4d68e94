/** A = Q R with orthonormal columns in Q, and products of Householder's reflections. */

import { ArgumentError, AutogradError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import { apply, applyAll } from '../../core/apply.ts';
import { grad } from '../../core/autograd.ts';
import { enableGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import { empty, eye } from '../creation.ts';
import { defineOp } from '../define.ts';
import { diagEmbed, diagonal, tril, triu } from '../diagonals.ts';
import { cat } from '../joining.ts';
import { expand, same, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { add, mul, neg, sub } from '../pointwise.ts';
import { narrow } from '../slicing.ts';
import { batchOf, checkMatrices, checkPrecision, mT, sizesOf, times } from './checks.ts';
import { solveTriangleFromRight } from './triangular.ts';

/** Of matrices with at least as many rows as columns. */
const QR = defineOp<{ complete: boolean }>({
  name: 'qr',
  kind: 'factorization',
  // Seeger et al., Auto-differentiating linear algebra, 2017, 4.3 (there of LQ).
  vjp({ outputs, grads, attrs }) {
    const [q, r] = outputs as [Tensor, Tensor];
    const [rows, columns] = sizesOf(q);
    if (attrs.complete && columns > r.shape.at(-1)!) {
      const message = `Q of mode "complete" has no gradient for ${rows} x ${r.shape.at(-1)} matrices`;
      throw opError(AutogradError, 'linalg.qr', message);
    }
    const [gq, gr] = grads;
    const ofR = gr ? times(gr, mT(r)) : undefined;
    const ofQ = gq ? neg(times(mT(q), gq)) : undefined;
    const inner = triu(ofR && ofQ ? add(ofR, ofQ) : (ofR ?? ofQ)!);
    const symmetric = sub(add(inner, mT(inner)), diagEmbed(diagonal(inner, 0, -2, -1)));
    const product = times(q, symmetric);
    const left = gq ? add(product, gq) : product;
    return [solveTriangleFromRight(r, left, { upper: true, transpose: true })];
  },
  infer([a], { complete }) {
    const [batch, [rows, columns]] = [batchOf(a!), sizesOf(a!)];
    const width = complete ? rows : columns;
    return [
      { dtype: a!.dtype, shape: [...batch, rows, width] },
      { dtype: a!.dtype, shape: [...batch, width, columns] },
    ];
  },
  lower: () => ({ kernel: 'qr', attrs: {} }),
});

/** Q and R; the columns that a wide matrix has past a square follow from the square's Q. */
function factor(A: Tensor, complete: boolean): [Tensor, Tensor] {
  const [rows, columns] = sizesOf(A);
  const size = Math.min(rows, columns);
  const first = narrow(A, -1, 0, size);
  const [q, r] = applyAll(QR, [first], { complete: complete && rows > columns });
  if (columns <= rows) return [q!, r!];
  return [q!, cat([r!, times(mT(q!), narrow(A, -1, size, columns - size))], -1)];
}

export type QrMode = 'reduced' | 'complete' | 'r';

/**
 * [Q, R] with A = Q R, R upper triangular: (*, m, n) -> (*, m, k), (*, k, n), k = min(m, n), or m
 * for the mode `complete`; for the mode `r` Q is empty. R's diagonal may be negative.
 * https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const qr = named(
  'linalg.qr',
  ['A', 'mode'],
  (A: Tensor, mode: QrMode = 'reduced'): [Tensor, Tensor] => {
    checkMatrices('linalg.qr', { A });
    if (!['reduced', 'complete', 'r'].includes(mode)) {
      const message = `mode must be "reduced", "complete" or "r", got "${mode}"`;
      throw opError(ArgumentError, 'linalg.qr', message);
    }
    const [q, r] = factor(A, mode === 'complete');
    return [mode === 'r' ? empty([0], { dtype: A.dtype }) : q, r];
  },
);

/** `linalg.qr`, complete without `some`. https://pytorch.org/docs/stable/generated/torch.qr.html */
export const torchQr = named(
  'qr',
  ['input', 'some'],
  (input: Tensor, some = true): [Tensor, Tensor] => {
    checkMatrices('qr', { input });
    return factor(input, !some);
  },
);

// ---- reflections -------------------------------------------------------------------------------

const HOUSEHOLDER_PRODUCT = defineOp<object>({
  name: 'householder_product',
  kind: 'factorization',
  vjp({ inputs, grads }) {
    // Under identities of their own, inputs that depend on one another are varied one at a time.
    return enableGrad(() => {
      const points = inputs.map(same);
      const product = reflectionsByHand(points[0]!, points[1]!);
      const options = { grad_outputs: [grads[0]!], create_graph: true, allow_unused: true };
      return product.requires_grad ? grad([product], points, options) : points.map(() => null);
    });
  },
  infer: ([a]) => [a!],
  lower: () => ({ kernel: 'householder_product', attrs: {} }),
});

/** The same by ordinary ops: the first columns of H1 (H2 (.. 1)). */
function reflectionsByHand(a: Tensor, tau: Tensor): Tensor {
  const [rows, columns] = sizesOf(a);
  const vectors = add(tril(a, -1), eye(rows, columns, { dtype: a.dtype }));
  let product = expand(eye(rows, columns, { dtype: a.dtype }), a.shape);
  for (let i = tau.shape.at(-1)! - 1; i >= 0; i--) {
    const v = narrow(vectors, -1, i, 1);
    const factors = mul(v, unsqueeze(narrow(tau, -1, i, 1), -1));
    product = sub(product, times(factors, times(mT(v), product)));
  }
  return product;
}

/**
 * The first n columns of H1 H2 .. Hk with Hi = 1 - tau[i] v vᵀ, v = (0, .., 0, 1, A[i + 1 ..][i]):
 * (*, m, n), (*, k) -> (*, m, n), m >= n >= k.
 * https://pytorch.org/docs/stable/generated/torch.linalg.householder_product.html
 *
 * @throws ShapeError, DTypeError
 */
export const householderProduct = named(
  'linalg.householder_product',
  ['A', 'tau'],
  (A: Tensor, tau: Tensor): Tensor => reflections('linalg.householder_product', A, tau),
);

/** `linalg.householder_product`. https://pytorch.org/docs/stable/generated/torch.orgqr.html */
export const orgqr = named(
  'orgqr',
  ['input', 'tau'],
  (input: Tensor, tau: Tensor): Tensor => reflections('orgqr', input, tau),
);

function reflections(op: string, A: Tensor, tau: Tensor): Tensor {
  checkMatrices(op, { A });
  requireTensors(op, { tau });
  checkPrecision(op, 'tau', tau);
  const [rows, columns] = sizesOf(A);
  const count = tau.shape.at(-1) ?? 0;
  const fits = rows >= columns && columns >= count && sameShape(tau.shape, [...batchOf(A), count]);
  if (!fits || tau.dtype !== A.dtype) {
    const given = `A ${A.dtype} ${formatShape(A.shape)} and tau ${tau.dtype} ${formatShape(tau.shape)}`;
    throw opError(ShapeError, op, `${given} do not fit (*, m, n) and (*, k) with m >= n >= k`);
  }
  return apply(HOUSEHOLDER_PRODUCT, [A, tau], {});
}
