/** qr, householder_product: by Householder's reflections, with LAPACK's signs. */

import { numel } from '../../base/shape.ts';
import { check, checkShape, type KernelCall, type Run } from './kernel.ts';
import { checkMatrices, item, Matrix, matrixSizes } from './matrices.ts';

/** a -> q, r */
export function qr(call: KernelCall<'qr'>): Run {
  checkMatrices(call, 1, 2);
  const { batch, rows, columns } = matrixSizes(call.inputs[0]!.shape);
  const { columns: width } = matrixSizes(call.outputs[0]!.shape);
  check(width === rows || width === Math.min(rows, columns), `q has ${width} columns`);
  checkShape('q', call.outputs[0]!.shape, [...batch, rows, width]);
  checkShape('r', call.outputs[1]!.shape, [...batch, width, columns]);
  return ([a], [q, r]) => {
    for (let b = 0; b < numel(batch); b++) {
      const packed = new Matrix(rows, columns, item(a!, b, batch)).copy();
      const tau = reflect(packed);
      const triangle = new Matrix(width, columns, item(r!, b, batch));
      for (let i = 0; i < width; i++) {
        for (let j = i; j < columns; j++) triangle.set(i, j, packed.at(i, j));
      }
      multiplyReflectors(packed, tau, new Matrix(rows, width, item(q!, b, batch)));
    }
  };
}

/** Brings `a` to triangular form, leaving the vectors below the diagonal; gives their factors. */
function reflect(a: Matrix): number[] {
  const tau: number[] = [];
  for (let k = 0; k < Math.min(a.rows, a.columns); k++) {
    const head = a.at(k, k);
    const below = Array.from({ length: a.rows - k - 1 }, (_, i) => a.at(k + 1 + i, k));
    const tail = Math.hypot(...below);
    if (tail === 0) {
      tau.push(0);
      continue;
    }
    const beta = -Math.sign(head || 1) * Math.hypot(head, tail);
    const factor = (beta - head) / beta;
    const vector = [1, ...below.map((x) => x / (head - beta))];
    for (let j = k + 1; j < a.columns; j++) applyReflector(vector, factor, a, k, j);
    vector.forEach((x, i) => {
      a.set(k + i, k, i === 0 ? beta : x);
    });
    tau.push(factor);
  }
  return tau;
}

/** Column `j` of `a` becomes (1 - factor v vᵀ) times it, where v begins at row `first`. */
function applyReflector(v: readonly number[], factor: number, a: Matrix, first: number, j: number) {
  let sum = 0;
  v.forEach((x, i) => {
    sum += x * a.at(first + i, j);
  });
  v.forEach((x, i) => {
    a.set(first + i, j, a.at(first + i, j) - factor * sum * x);
  });
}

/** Fills `q` with the first columns of the product of the reflections. */
function multiplyReflectors(packed: Matrix, tau: readonly number[], q: Matrix): void {
  q.data.fill(0);
  for (let i = 0; i < Math.min(q.rows, q.columns); i++) q.set(i, i, 1);
  for (let k = tau.length - 1; k >= 0; k--) {
    const below = Array.from({ length: q.rows - k - 1 }, (_, i) => packed.at(k + 1 + i, k));
    for (let j = 0; j < q.columns; j++) applyReflector([1, ...below], tau[k]!, q, k, j);
  }
}

/** a, tau -> q */
export function householderProduct(call: KernelCall<'householder_product'>): Run {
  checkMatrices(call, 2, 1);
  const { batch, rows, columns } = matrixSizes(call.inputs[0]!.shape);
  const count = call.inputs[1]!.shape.at(-1) ?? 0;
  check(rows >= columns && columns >= count, 'sizes must fall: rows, columns, tau');
  checkShape('tau', call.inputs[1]!.shape, [...batch, count]);
  checkShape('q', call.outputs[0]!.shape, call.inputs[0]!.shape);
  return ([a, tau], [q]) => {
    for (let b = 0; b < numel(batch); b++) {
      const packed = new Matrix(rows, columns, item(a!, b, batch));
      const factors = Array.from(item(tau!, b, batch));
      multiplyReflectors(packed, factors, new Matrix(rows, columns, item(q!, b, batch)));
    }
  };
}
