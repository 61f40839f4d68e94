/** cholesky, lu_factor, permutation, triangular_solve: the textbook's loops. */

import { numel } from '../../base/shape.ts';
import { check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';
import { about, checkMatrices, item, Matrix, matrixSizes, squareSizes } from './matrices.ts';

/** a -> l, info */
export function cholesky(call: KernelCall<'cholesky'>): Run {
  checkMatrices(call, 1, 2, 1);
  const { batch, size } = squareSizes(call.inputs[0]!.shape);
  checkShape('l', call.outputs[0]!.shape, call.inputs[0]!.shape);
  checkShape('info', call.outputs[1]!.shape, batch);
  checkDtype('info', call.outputs[1]!.dtype, 'int32');
  const { fails_as } = call.attrs;
  return ([a], [l, info]) => {
    for (let b = 0; b < numel(batch); b++) {
      const from = new Matrix(size, size, item(a!, b, batch));
      info![b] = factorCholesky(from, new Matrix(size, size, item(l!, b, batch)));
      check(
        fails_as === '' || info![b] === 0,
        `${about(fails_as, batch, b)} is not positive definite: its leading minor of order ` +
          `${info![b]} is not positive`,
      );
    }
  };
}

/** Fills `l`; gives 0, or the order of the leading minor that is not positive. */
function factorCholesky(a: Matrix, l: Matrix): number {
  for (let j = 0; j < a.rows; j++) {
    let pivot = a.at(j, j);
    for (let k = 0; k < j; k++) pivot -= l.at(j, k) ** 2;
    if (!(pivot > 0)) return j + 1;
    l.set(j, j, Math.sqrt(pivot));
    for (let i = j + 1; i < a.rows; i++) {
      let sum = a.at(i, j);
      for (let k = 0; k < j; k++) sum -= l.at(i, k) * l.at(j, k);
      l.set(i, j, sum / l.at(j, j));
    }
  }
  return 0;
}

/** a -> lu, pivots, info */
export function luFactor(call: KernelCall<'lu_factor'>): Run {
  checkMatrices(call, 1, 3, 1);
  const { batch, rows, columns } = matrixSizes(call.inputs[0]!.shape);
  checkShape('lu', call.outputs[0]!.shape, call.inputs[0]!.shape);
  checkShape('pivots', call.outputs[1]!.shape, [...batch, Math.min(rows, columns)]);
  checkShape('info', call.outputs[2]!.shape, batch);
  for (const output of call.outputs.slice(1)) checkDtype('pivots and info', output.dtype, 'int32');
  const { fails_as } = call.attrs;
  return ([a], [lu, pivots, info]) => {
    lu!.set(a!);
    for (let b = 0; b < numel(batch); b++) {
      const matrix = new Matrix(rows, columns, item(lu!, b, batch));
      info![b] = factorLu(matrix, item(pivots!, b, batch));
      check(
        fails_as === '' || info![b] === 0,
        `${about(fails_as, batch, b)} is singular: diagonal element ${info![b]} of U is zero`,
      );
    }
  };
}

/** In place; gives 0, or the first place, from 1, where U's diagonal is 0. */
function factorLu(a: Matrix, pivots: Float64Array): number {
  let singular = 0;
  for (let k = 0; k < pivots.length; k++) {
    let pivot = k;
    for (let i = k + 1; i < a.rows; i++) {
      if (Math.abs(a.at(i, k)) > Math.abs(a.at(pivot, k))) pivot = i;
    }
    pivots[k] = pivot + 1;
    if (a.at(pivot, k) === 0) {
      singular ||= k + 1;
      continue;
    }
    if (pivot !== k) swapRows(a, k, pivot);
    for (let i = k + 1; i < a.rows; i++) {
      const factor = a.at(i, k) / a.at(k, k);
      a.set(i, k, factor);
      for (let j = k + 1; j < a.columns; j++) a.set(i, j, a.at(i, j) - factor * a.at(k, j));
    }
  }
  return singular;
}

function swapRows(a: Matrix, i: number, k: number): void {
  for (let j = 0; j < a.columns; j++) {
    const kept = a.at(i, j);
    a.set(i, j, a.at(k, j));
    a.set(k, j, kept);
  }
}

/** pivots -> rows */
export function permutation(call: KernelCall<'permutation'>): Run {
  const [pivots, rows] = [call.inputs[0]!, call.outputs[0]!];
  const { size } = call.attrs;
  check(call.inputs.length === 1 && call.outputs.length === 1, 'takes one input and one output');
  check(pivots.shape.length > 0 && pivots.shape.at(-1)! <= size, 'there are more pivots than rows');
  const batch = pivots.shape.slice(0, -1);
  checkDtype('pivots', pivots.dtype, 'int32');
  checkDtype('the rows', rows.dtype, 'int64');
  checkShape('the rows', rows.shape, [...batch, size]);
  return ([given], [out]) => {
    for (let b = 0; b < numel(batch); b++) {
      const order = item(out!, b, batch);
      for (let i = 0; i < size; i++) order[i] = i;
      item(given!, b, batch).forEach((pivot, i) => {
        check(pivot >= 1 && pivot <= size, `pivot ${pivot} is out of range for ${size} rows`);
        [order[i], order[pivot - 1]] = [order[pivot - 1]!, order[i]!];
      });
    }
  };
}

/** a, b -> x */
export function triangularSolve(call: KernelCall<'triangular_solve'>): Run {
  checkMatrices(call, 2, 1);
  const { batch, size } = squareSizes(call.inputs[0]!.shape);
  const { columns } = matrixSizes(call.inputs[1]!.shape);
  checkShape('b', call.inputs[1]!.shape, [...batch, size, columns]);
  checkShape('x', call.outputs[0]!.shape, [...batch, size, columns]);
  const { upper, transpose, unitriangular } = call.attrs;
  return ([a, b], [x]) => {
    x!.set(b!);
    for (let i = 0; i < numel(batch); i++) {
      const given = new Matrix(size, size, item(a!, i, batch));
      const matrix = transpose ? given.transposed() : given;
      const unknown = new Matrix(size, columns, item(x!, i, batch));
      substitute(matrix, upper !== transpose, unitriangular, unknown);
    }
  };
}

/** x becomes the solution: from the last row up where the triangle is the upper one. */
function substitute(a: Matrix, upper: boolean, unitriangular: boolean, x: Matrix): void {
  for (let step = 0; step < a.rows; step++) {
    const i = upper ? a.rows - 1 - step : step;
    const [begin, end] = upper ? [i + 1, a.rows] : [0, i];
    for (let j = 0; j < x.columns; j++) {
      let sum = x.at(i, j);
      for (let k = begin; k < end; k++) sum -= a.at(i, k) * x.at(k, j);
      x.set(i, j, unitriangular ? sum : sum / a.at(i, i));
    }
  }
}
