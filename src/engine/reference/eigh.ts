/**
 * eigh by Jacobi's method: rotations that make one pair of elements off the diagonal zero, pair
 * after pair in fixed order, until all are. Golub and Van Loan, Matrix Computations, 8.5.
 */

import { numel } from '../../base/shape.ts';
import { check, checkShape, type KernelCall, type Run } from './kernel.ts';
import { about, checkMatrices, item, Matrix, squareSizes } from './matrices.ts';

/** Far more than any matrix was seen to need. */
export const MOST_SWEEPS = 60;

/** a -> w, v; or w */
export function eigh(call: KernelCall<'eigh'>): Run {
  const { upper, vectors } = call.attrs;
  checkMatrices(call, 1, vectors ? 2 : 1);
  const { batch, size } = squareSizes(call.inputs[0]!.shape);
  checkShape('w', call.outputs[0]!.shape, [...batch, size]);
  if (vectors) checkShape('v', call.outputs[1]!.shape, call.inputs[0]!.shape);
  return ([a], [w, v]) => {
    for (let b = 0; b < numel(batch); b++) {
      const matrix = symmetric(new Matrix(size, size, item(a!, b, batch)), upper);
      if (!matrix.data.every(Number.isFinite)) {
        item(w!, b, batch).fill(Number.NaN);
        if (vectors) item(v!, b, batch).fill(Number.NaN);
        continue;
      }
      const turned = Matrix.identity(size);
      check(diagonalize(matrix, turned), `${about('', batch, b)} has no spectrum that was found`);
      const order = Array.from({ length: size }, (_, i) => i);
      order.sort((i, j) => matrix.at(i, i) - matrix.at(j, j));
      order.forEach((from, to) => {
        item(w!, b, batch)[to] = matrix.at(from, from);
        if (!vectors) return;
        const out = new Matrix(size, size, item(v!, b, batch));
        for (let i = 0; i < size; i++) out.set(i, to, turned.at(i, from));
      });
    }
  };
}

/** The matrix that one triangle stands for. */
function symmetric(a: Matrix, upper: boolean): Matrix {
  const out = a.copy();
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < i; j++) {
      const value = upper ? a.at(j, i) : a.at(i, j);
      out.set(i, j, value);
      out.set(j, i, value);
    }
  }
  return out;
}

/** Makes `a` diagonal and multiplies `v` by every rotation; false where that does not end. */
function diagonalize(a: Matrix, v: Matrix): boolean {
  const n = a.rows;
  const least = Number.EPSILON * a.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (isNegligible(a, p, q, least)) continue;
        turned = true;
        const [c, s] = rotation(a.at(p, p), a.at(q, q), a.at(p, q));
        a.rotateColumns(p, q, c, s);
        rotateRows(a, p, q, c, s);
        v.rotateColumns(p, q, c, s);
      }
    }
    if (!turned) return true;
  }
  return false;
}

/**
 * Beside the diagonal elements of its row and column, or beside `least`, which is that of the
 * largest.
 */
function isNegligible(a: Matrix, p: number, q: number, least: number): boolean {
  const scale = Math.sqrt(Math.abs(a.at(p, p))) * Math.sqrt(Math.abs(a.at(q, q)));
  return Math.abs(a.at(p, q)) <= Number.EPSILON * Math.max(scale, least);
}

/** (c, s) of the rotation that makes [[p, off], [off, q]] diagonal. */
export function rotation(p: number, q: number, off: number): [number, number] {
  const theta = (q - p) / (2 * off);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  return [c, t * c];
}

function rotateRows(a: Matrix, p: number, q: number, c: number, s: number): void {
  for (let j = 0; j < a.columns; j++) {
    const [x, y] = [a.at(p, j), a.at(q, j)];
    a.set(p, j, c * x - s * y);
    a.set(q, j, s * x + c * y);
  }
}
