/** Determinants, by the diagonal of LU. */

import { finfo } from '../../base/finfo.ts';
import type { Tensor } from '../../core/tensor.ts';
import { customFunction } from '../custom-function.ts';
import { diagEmbed, diagonal } from '../diagonals.ts';
import { expand, unsqueeze } from '../movement.ts';
import { named } from '../named.ts';
import { abs, add, cast, eq, log, mul, ne, sign, where } from '../pointwise.ts';
import { arange } from '../ranges.ts';
import { prod, sum } from '../reduction.ts';
import { checkSquare } from './checks.ts';
import { factorsOf } from './lu.ts';
import { solveWith } from './solve.ts';

const diagonalOf = (x: Tensor): Tensor => diagonal(x, 0, -2, -1);

/** The sign of the permutation: -1 for an odd number of exchanges. */
function parity(pivots: Tensor, like: Tensor): Tensor {
  const places = add(arange(pivots.shape.at(-1)!, { dtype: 'int32' }), 1);
  return cast(prod(where(ne(pivots, places), -1, 1), -1), like.dtype);
}

/** A⁻ᵀ times the numbers `x` (*). */
function inverseTimes(A: Tensor, lu: Tensor, order: Tensor, x: Tensor): Tensor {
  const right = diagEmbed(expand(unsqueeze(x, -1), A.shape.slice(0, -1)));
  return solveWith(A, { lu, order }, right, true);
}

/**
 * The gradient is the determinant times A⁻ᵀ. Where U has a zero on its diagonal both come from a
 * matrix that is a rounding error away, since the product, of cofactors, is continuous there.
 */
const determinant = customFunction({
  name: 'linalg.det',
  forward(ctx, A: Tensor) {
    const { lu, order, pivots } = factorsOf(A);
    const values = diagonalOf(lu);
    const odd = parity(pivots, A);
    const found = mul(prod(values, -1), odd);
    const least = where(eq(values, 0), finfo(A.dtype).eps, 0);
    const near = mul(prod(add(values, least), -1), odd);
    ctx.saveForBackward(A, add(lu, diagEmbed(least)), order, found, near);
    return found;
  },
  backward(ctx, g) {
    const [A, lu, order, found, near] = ctx.savedTensors as Tensor[] & { length: 5 };
    return inverseTimes(A!, lu!, order!, mul(g, where(eq(found!, 0), near!, found!)));
  },
});

/** The sign and the logarithm of the magnitude; the gradient of the latter is A⁻ᵀ. */
const signAndLog = customFunction({
  name: 'linalg.slogdet',
  forward(ctx, A: Tensor) {
    const { lu, order, pivots } = factorsOf(A);
    ctx.saveForBackward(A, lu, order);
    const values = diagonalOf(lu);
    return [mul(prod(sign(values), -1), parity(pivots, A)), sum(log(abs(values)), -1)];
  },
  backward(ctx, _, g) {
    const [A, lu, order] = ctx.savedTensors as [Tensor, Tensor, Tensor];
    return inverseTimes(A, lu, order, g!);
  },
});

const ofDeterminant = <T>(op: string, argument: string, compute: (A: Tensor) => T) =>
  named(op, [argument], (A: Tensor): T => {
    checkSquare(op, argument, A);
    return compute(A);
  });

const detOf = (A: Tensor): Tensor => determinant(A) as Tensor;
const slogdetOf = (A: Tensor): [Tensor, Tensor] => signAndLog(A) as [Tensor, Tensor];

/**
 * The determinant: (*, n, n) -> (*).
 * https://pytorch.org/docs/stable/generated/torch.linalg.det.html
 *
 * @throws ShapeError, DTypeError
 */
export const det = ofDeterminant('linalg.det', 'A', detOf);
/** `linalg.det`. https://pytorch.org/docs/stable/generated/torch.det.html */
export const torchDet = ofDeterminant('det', 'input', detOf);

/**
 * [sign, logabsdet]: the determinant is sign * exp(logabsdet): (*, n, n) -> (*), (*). Of a singular
 * matrix 0 and -Infinity. https://pytorch.org/docs/stable/generated/torch.linalg.slogdet.html
 *
 * @throws ShapeError, DTypeError
 */
export const slogdet = ofDeterminant('linalg.slogdet', 'A', slogdetOf);
/** `linalg.slogdet`. https://pytorch.org/docs/stable/generated/torch.slogdet.html */
export const torchSlogdet = ofDeterminant('slogdet', 'input', slogdetOf);

/**
 * The logarithm of the determinant: (*, n, n) -> (*); -Infinity where it is 0, NaN where it is
 * negative.
 * https://pytorch.org/docs/stable/generated/torch.logdet.html
 *
 * @throws ShapeError, DTypeError
 */
export const logdet = ofDeterminant('logdet', 'input', (A): Tensor => {
  const [found, logarithm] = slogdetOf(A);
  return where(eq(found, -1), Number.NaN, logarithm);
});
