/** A = P L U: the factors, and equations solved with them. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import { apply, applyAll } from '../../core/apply.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { KernelAttrs } from '../../engine/kernels.ts';
import { empty } from '../creation.ts';
import { defineOp } from '../define.ts';
import { tril, triu } from '../diagonals.ts';
import { gather, scatterSum } from '../indexing.ts';
import { cat } from '../joining.ts';
import { expand, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { add, cast, eq, sub } from '../pointwise.ts';
import { arange } from '../ranges.ts';
import { narrow } from '../slicing.ts';
import { batchOf, checkMatrices, identities, mT, sizesOf, times } from './checks.ts';
import { equation, solveTriangle, solveTriangleFromRight } from './triangular.ts';

const UNIT_LOWER = { upper: false, unitriangular: true } as const;

const LU_FACTOR = defineOp<KernelAttrs['lu_factor']>({
  name: 'lu_factor',
  kind: 'factorization',
  vjp: ({ outputs, grads }) => [grads[0] ? factorGradient(outputs, grads[0]) : null],
  infer([a]) {
    const batch = batchOf(a!);
    const pivots = [...batch, Math.min(...sizesOf(a!))];
    return [a!, { dtype: 'int32', shape: pivots }, { dtype: 'int32', shape: batch }];
  },
  lower: ({ attrs }) => ({ kernel: 'lu_factor', attrs }),
});

/**
 * With k = min(m, n), L = [L1; L2] and U = [U1 U2] split after k: U2 = L1⁻¹ A2 and L2 = A3 U1⁻¹ are
 * equations that give their part to the gradients of L1 and U1, which are those of a square matrix:
 * Giles, Collected matrix derivative results for forward and reverse mode algorithmic
 * differentiation.
 */
function factorGradient([lu, pivots]: readonly Tensor[], g: Tensor): Tensor {
  const [rows, columns] = sizesOf(lu!);
  const k = Math.min(rows, columns);
  const corner = (x: Tensor) => narrow(narrow(x, -2, 0, k), -1, 0, k);
  const packed = corner(lu!);
  let lower = tril(corner(g), -1);
  let upper = times(triu(corner(g)), mT(triu(packed)));
  let right: Tensor | undefined;
  if (columns > k) {
    const past = (x: Tensor) => narrow(x, -1, k, columns - k);
    right = solveTriangle(packed, past(g), { ...UNIT_LOWER, transpose: true });
    lower = sub(lower, tril(times(right, mT(past(lu!))), -1));
  }
  const below = (x: Tensor) => narrow(x, -2, k, rows - k);
  if (rows > k) upper = sub(upper, times(mT(below(lu!)), below(g)));
  const unit = add(tril(packed, -1), identities(batchOf(lu!), k, lu!.dtype));
  const inner = add(tril(times(mT(unit), lower), -1), triu(upper));
  const top = solveTriangle(packed, inner, { ...UNIT_LOWER, transpose: true });
  const left = rows > k ? cat([top, below(g)], -2) : top;
  const first = solveTriangleFromRight(packed, left, { upper: true, transpose: true });
  const permuted = right === undefined ? first : cat([first, right], -1);
  return rowsBack(permuted, permutation(pivots!, rows));
}

const PERMUTATION = defineOp<KernelAttrs['permutation']>({
  name: 'permutation',
  kind: 'indexing',
  vjp: 'nondiff',
  infer: ([pivots], { size }) => [{ dtype: 'int64', shape: [...pivots!.shape.slice(0, -1), size] }],
  lower: ({ attrs }) => ({ kernel: 'permutation', attrs }),
});

/** Which row of A is row i of L U: (*, k) -> int64 (*, size). */
const permutation = (pivots: Tensor, size: number) => apply(PERMUTATION, [pivots], { size });

/** Row i of the result is row order[i] of `x`. */
const rowsInOrder = (x: Tensor, order: Tensor) =>
  gather(x, -2, expand(unsqueeze(order, -1), x.shape));

/** Row order[i] of the result is row i of `x`. */
const rowsBack = (x: Tensor, order: Tensor) =>
  scatterSum(x.shape, x.ndim - 2, expand(unsqueeze(order, -1), x.shape), x);

/** What solving takes of a matrix: its packed factors, and the order of its rows. */
export interface Factors {
  readonly lu: Tensor;
  readonly order: Tensor;
}

/** [lu, pivots, info]. `fails_as` names the op for which a singular matrix makes the run fail. */
export function luOf(A: Tensor, fails_as = ''): [Tensor, Tensor, Tensor] {
  return applyAll(LU_FACTOR, [A], { fails_as }) as [Tensor, Tensor, Tensor];
}

/** The factors of square matrices, not differentiated. */
export function factorsOf(A: Tensor, fails_as = ''): Factors & { pivots: Tensor; info: Tensor } {
  return noGrad(() => {
    const [lu, pivots, info] = luOf(A, fails_as);
    return { lu, pivots, info, order: permutation(pivots, lu.shape.at(-1)!) };
  });
}

/** x with A x = b, or Aᵀ x = b where `adjoint`. Leading sizes are equal. */
export function substitute({ lu, order }: Factors, b: Tensor, adjoint: boolean): Tensor {
  if (!adjoint) {
    const middle = solveTriangle(lu, rowsInOrder(b, order), UNIT_LOWER);
    return solveTriangle(lu, middle, { upper: true });
  }
  const middle = solveTriangle(lu, b, { upper: true, transpose: true });
  return rowsBack(solveTriangle(lu, middle, { ...UNIT_LOWER, transpose: true }), order);
}

// ---- functions ---------------------------------------------------------------------------------

function checkPivot(op: string, pivot: boolean): void {
  if (pivot) return;
  throw opError(ArgumentError, op, 'without pivoting it is not implemented on the CPU');
}

/**
 * [LU, pivots]: P L U = A in one matrix, U on and above its diagonal, below it L without its ones;
 * row i was exchanged with row pivots[i] (int32, from 1): (*, m, n) -> (*, m, n), (*, min(m, n)). A
 * singular matrix makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html
 *
 * @throws ShapeError, DTypeError, ArgumentError; EngineError when the result is read
 */
export const luFactor = named(
  'linalg.lu_factor',
  ['A', 'pivot'],
  (A: Tensor, pivot = true): [Tensor, Tensor] => {
    checkMatrices('linalg.lu_factor', { A });
    checkPivot('linalg.lu_factor', pivot);
    const [lu, pivots] = luOf(A, 'linalg.lu_factor');
    return [lu, pivots];
  },
);

/**
 * [LU, pivots, info]: as `linalg.lu_factor`, but for a singular matrix `info`, int32 (*), is the
 * first place (from 1) where U's diagonal is zero, unless `check_errors` is set.
 * https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html
 */
export const luFactorEx = named(
  'linalg.lu_factor_ex',
  ['A', 'pivot', 'check_errors'],
  (A: Tensor, pivot = true, check_errors = false): [Tensor, Tensor, Tensor] => {
    checkMatrices('linalg.lu_factor_ex', { A });
    checkPivot('linalg.lu_factor_ex', pivot);
    return luOf(A, check_errors ? 'linalg.lu_factor_ex' : '');
  },
);

/**
 * [LU, pivots], with `get_infos` also `info`, as `linalg.lu_factor_ex` gives them.
 * https://pytorch.org/docs/stable/generated/torch.lu.html
 */
export const torchLu = named(
  'lu',
  ['A', 'pivot', 'get_infos'],
  (A: Tensor, pivot = true, get_infos = false): Tensor[] => {
    checkMatrices('lu', { A });
    checkPivot('lu', pivot);
    return luOf(A, get_infos ? '' : 'lu').slice(0, get_infos ? 3 : 2);
  },
);

/**
 * [P, L, U] with A = P L U: (*, m, n) -> (*, m, m), (*, m, k), (*, k, n), k = min(m, n).
 * https://pytorch.org/docs/stable/generated/torch.linalg.lu.html
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export const lu = named('linalg.lu', ['A', 'pivot'], (A: Tensor, pivot = true): Tensor[] => {
  checkMatrices('linalg.lu', { A });
  checkPivot('linalg.lu', pivot);
  const [packed, pivots] = luOf(A);
  return [permutationMatrix(packed, pivots), ...triangles(packed)];
});

function permutationMatrix(packed: Tensor, pivots: Tensor): Tensor {
  const rows = packed.shape.at(-2)!;
  const order = unsqueeze(permutation(pivots, rows), -2);
  return cast(eq(unsqueeze(arange(rows), -1), order), packed.dtype);
}

/** L and U of packed factors. */
function triangles(packed: Tensor): [Tensor, Tensor] {
  const [rows, columns] = sizesOf(packed);
  const k = Math.min(rows, columns);
  const left = tril(narrow(packed, -1, 0, k), -1);
  const ones = cast(eq(unsqueeze(arange(rows), -1), arange(k)), packed.dtype);
  return [add(left, ones), triu(narrow(packed, -2, 0, k))];
}

/**
 * [P, L, U] of the factors that `linalg.lu_factor` gives; what is not asked for is an empty tensor.
 * https://pytorch.org/docs/stable/generated/torch.lu_unpack.html
 */
export const luUnpack = named(
  'lu_unpack',
  ['LU_data', 'LU_pivots', 'unpack_data', 'unpack_pivots'],
  (LU_data: Tensor, LU_pivots: Tensor, unpack_data = true, unpack_pivots = true): Tensor[] => {
    checkFactors('lu_unpack', LU_data, LU_pivots);
    const none = () => empty([0], { dtype: LU_data.dtype });
    const P = unpack_pivots ? permutationMatrix(LU_data, LU_pivots) : none();
    return [P, ...(unpack_data ? triangles(LU_data) : [none(), none()])];
  },
);

function checkFactors(op: string, LU: Tensor, pivots: Tensor): void {
  checkMatrices(op, { LU });
  requireTensors(op, { pivots });
  if (pivots.dtype !== 'int32') {
    throw opError(DTypeError, op, `pivots must be int32, got ${pivots.dtype}`);
  }
  const wanted = [...batchOf(LU), Math.min(...sizesOf(LU))];
  if (sameShape(pivots.shape, wanted)) return;
  const message = `pivots must have shape ${formatShape(wanted)}, got ${formatShape(pivots.shape)}`;
  throw opError(ShapeError, op, message);
}

/**
 * X with A X = B, or X A = B where not `left`, of the factors that `linalg.lu_factor` gives of A;
 * with `adjoint` of Aᵀ: (*, n, n), (*, n), (*, n, k) -> (*, n, k). The leading sizes broadcast.
 * https://pytorch.org/docs/stable/generated/torch.linalg.lu_solve.html
 *
 * @throws ShapeError, DTypeError; EngineError when the result is read, for pivots out of range
 */
export const luSolve = named(
  'linalg.lu_solve',
  ['LU', 'pivots', 'B', 'left', 'adjoint'],
  (LU: Tensor, pivots: Tensor, B: Tensor, left = true, adjoint = false): Tensor =>
    solveFactored('linalg.lu_solve', { LU, pivots, B, left, adjoint }),
);

/** `linalg.lu_solve`. https://pytorch.org/docs/stable/generated/torch.lu_solve.html */
export const torchLuSolve = named(
  'lu_solve',
  ['b', 'LU_data', 'LU_pivots'],
  (b: Tensor, LU_data: Tensor, LU_pivots: Tensor): Tensor =>
    solveFactored('lu_solve', {
      LU: LU_data,
      pivots: LU_pivots,
      B: b,
      left: true,
      adjoint: false,
    }),
);

interface FactoredEquation {
  readonly LU: Tensor;
  readonly pivots: Tensor;
  readonly B: Tensor;
  readonly left: boolean;
  readonly adjoint: boolean;
}

function solveFactored(op: string, { LU, pivots, B, left, adjoint }: FactoredEquation): Tensor {
  const [packed, right] = equation(op, LU, B, left);
  checkFactors(op, LU, pivots);
  const size = packed.shape.at(-1)!;
  const order = expand(permutation(pivots, size), [...batchOf(packed), size]);
  const factors = { lu: packed, order };
  const solve = (b: Tensor, transposed: boolean) => substitute(factors, b, transposed);
  return left ? solve(right, adjoint) : mT(solve(mT(right), !adjoint));
}
