/**
 * svd by Jacobi's one-sided method: rotations of pairs of columns, pair after pair in fixed order,
 * until all are orthogonal; their lengths are the singular values. Golub and Van Loan, 8.6.3.
 */

import { numel } from '../../base/shape.ts';
import { MOST_SWEEPS, rotation } from './eigh.ts';
import { check, checkShape, type KernelCall, type Run } from './kernel.ts';
import { about, checkMatrices, item, Matrix, matrixSizes } from './matrices.ts';

/** a -> u, s, vh; or s */
export function svd(call: KernelCall<'svd'>): Run {
  const { full_matrices, vectors } = call.attrs;
  checkMatrices(call, 1, vectors ? 3 : 1);
  const { batch, rows, columns } = matrixSizes(call.inputs[0]!.shape);
  const count = Math.min(rows, columns);
  const [left, right] = full_matrices ? [rows, columns] : [count, count];
  checkShape('s', call.outputs[vectors ? 1 : 0]!.shape, [...batch, count]);
  if (vectors) {
    checkShape('u', call.outputs[0]!.shape, [...batch, rows, left]);
    checkShape('vh', call.outputs[2]!.shape, [...batch, right, columns]);
  }
  return ([a], outputs) => {
    for (let b = 0; b < numel(batch); b++) {
      const matrix = new Matrix(rows, columns, item(a!, b, batch));
      check(
        matrix.data.every(Number.isFinite),
        `${about('', batch, b)} has no spectrum that could be found: it holds NaN or infinity`,
      );
      const found = decompose(matrix);
      check(found !== undefined, `${about('', batch, b)} has no spectrum that was found`);
      const put = (output: Float64Array, data: ArrayLike<number>) => {
        item(output, b, batch).set(data);
      };
      put(outputs[vectors ? 1 : 0]!, found.s);
      if (!vectors) continue;
      put(outputs[0]!, orthonormal(found.u, left).data);
      put(outputs[2]!, orthonormal(found.v, right).transposed().data);
    }
  };
}

interface Decomposition {
  /** min(rows, columns) columns each; those of a singular value of 0 are 0. */
  readonly u: Matrix;
  readonly v: Matrix;
  readonly s: readonly number[];
}

function decompose(a: Matrix): Decomposition | undefined {
  if (a.rows < a.columns) {
    const turned = decompose(a.transposed());
    return turned && { u: turned.v, v: turned.u, s: turned.s };
  }
  const columns = a.copy();
  const v = Matrix.identity(a.columns);
  if (!makeOrthogonal(columns, v)) return undefined;
  const lengths = Array.from({ length: a.columns }, (_, j) => Math.sqrt(dot(columns, j, j)));
  const order = lengths.map((_, i) => i).sort((i, j) => lengths[j]! - lengths[i]!);
  const [sortedU, sortedV] = [new Matrix(a.rows, a.columns), new Matrix(a.columns, a.columns)];
  // What is left of a column by rounding alone has no direction.
  const least = (lengths[order[0]!] ?? 0) * Number.EPSILON;
  order.forEach((from, to) => {
    const length = lengths[from]!;
    for (let i = 0; i < a.rows; i++) {
      sortedU.set(i, to, length > least ? columns.at(i, from) / length : 0);
    }
    for (let i = 0; i < a.columns; i++) sortedV.set(i, to, v.at(i, from));
  });
  return { u: sortedU, v: sortedV, s: order.map((i) => lengths[i]!) };
}

/** The product of columns `p` and `q`. */
function dot(a: Matrix, p: number, q: number): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.at(i, p) * a.at(i, q);
  return sum;
}

/** Turns the columns of `a`, and of `v` with them; false where that does not end. */
function makeOrthogonal(a: Matrix, v: Matrix): boolean {
  const whole = a.data.reduce((sum, x) => sum + x * x, 0);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < a.columns; p++) {
      for (let q = p + 1; q < a.columns; q++) {
        const [pp, qq, pq] = [dot(a, p, p), dot(a, q, q), dot(a, p, q)];
        const least = Math.max(Math.sqrt(pp) * Math.sqrt(qq), Number.EPSILON * whole);
        if (Math.abs(pq) <= 4 * Number.EPSILON * least) continue;
        turned = true;
        const [c, s] = rotation(pp, qq, pq);
        a.rotateColumns(p, q, c, s);
        v.rotateColumns(p, q, c, s);
      }
    }
    if (!turned) return true;
  }
  return false;
}

/** `a` with `count` orthonormal columns: those that are 0 or missing made of unit vectors. */
function orthonormal(a: Matrix, count: number): Matrix {
  const out = new Matrix(a.rows, count);
  const done: number[] = [];
  for (let j = 0; j < Math.min(a.columns, count); j++) {
    for (let i = 0; i < a.rows; i++) out.set(i, j, a.at(i, j));
    if (dot(out, j, j) > 0.5) done.push(j);
  }
  for (let j = 0; j < count; j++) {
    if (done.includes(j)) continue;
    for (let unit = 0; unit < a.rows && !done.includes(j); unit++) {
      if (completeColumn(out, j, unit, done)) done.push(j);
    }
  }
  return out;
}

/**
 * Column `j` becomes what unit vector `unit` has beside the columns `done`; false if that is
 * little.
 */
function completeColumn(a: Matrix, j: number, unit: number, done: readonly number[]): boolean {
  for (let i = 0; i < a.rows; i++) a.set(i, j, i === unit ? 1 : 0);
  // Twice is enough: what is left after the first time is orthogonal up to rounding.
  for (let time = 0; time < 2; time++) {
    for (const k of done) {
      const along = dot(a, j, k);
      for (let i = 0; i < a.rows; i++) a.set(i, j, a.at(i, j) - along * a.at(i, k));
    }
  }
  const length = Math.sqrt(dot(a, j, j));
  if (length * length * a.rows < 0.5) return false;
  for (let i = 0; i < a.rows; i++) a.set(i, j, a.at(i, j) / length);
  return true;
}
