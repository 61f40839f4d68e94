/** matrix_exp: the series of a matrix halved until it is small, then squared as many times. */

import { numel } from '../../base/shape.ts';
import { checkShape, type KernelCall, type Run } from './kernel.ts';
import { checkMatrices, item, Matrix, squareSizes } from './matrices.ts';

/** a -> e^a */
export function matrixExp(call: KernelCall<'matrix_exp'>): Run {
  checkMatrices(call, 1, 1);
  const { batch, size } = squareSizes(call.inputs[0]!.shape);
  checkShape('the output', call.outputs[0]!.shape, call.inputs[0]!.shape);
  return ([a], [out]) => {
    for (let b = 0; b < numel(batch); b++) {
      const given = new Matrix(size, size, item(a!, b, batch));
      item(out!, b, batch).set(exponential(given).data);
    }
  };
}

function exponential(a: Matrix): Matrix {
  if (!a.data.every(Number.isFinite))
    return new Matrix(
      a.rows,
      a.rows,
      a.data.map(() => Number.NaN),
    );
  const largest = a.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) * a.rows;
  const halvings = largest > 0.5 ? Math.ceil(Math.log2(largest)) + 1 : 0;
  const small = new Matrix(
    a.rows,
    a.rows,
    a.data.map((x) => x * 2 ** -halvings),
  );
  let sum = Matrix.identity(a.rows);
  let term = Matrix.identity(a.rows);
  // 0.5^18 / 18! is beyond float64's digits.
  for (let k = 1; k <= 18; k++) {
    term = term.times(small);
    term.data.forEach((x, i) => {
      term.data[i] = x / k;
      sum.data[i]! += x / k;
    });
  }
  for (let i = 0; i < halvings; i++) sum = sum.times(sum);
  return sum;
}
