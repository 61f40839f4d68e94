/** Matrices as the factorizations see them: one of a stack at a time, row-major, in float64. */

import { numel, type Shape } from '../../base/shape.ts';
import type { KernelName } from '../kernels.ts';
import { arity, check, checkDtype, type KernelCall } from './kernel.ts';

/** A row-major matrix; element (i, j) is `data[i * columns + j]`. */
export class Matrix {
  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly data: Float64Array = new Float64Array(rows * columns),
  ) {}

  static identity(n: number): Matrix {
    const eye = new Matrix(n, n);
    for (let i = 0; i < n; i++) eye.set(i, i, 1);
    return eye;
  }

  at(i: number, j: number): number {
    return this.data[i * this.columns + j]!;
  }

  set(i: number, j: number, value: number): void {
    this.data[i * this.columns + j] = value;
  }

  copy(): Matrix {
    return new Matrix(this.rows, this.columns, this.data.slice());
  }

  transposed(): Matrix {
    const out = new Matrix(this.columns, this.rows);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) out.set(j, i, this.at(i, j));
    }
    return out;
  }

  times(other: Matrix): Matrix {
    const out = new Matrix(this.rows, other.columns);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < other.columns; j++) {
        let sum = 0;
        for (let k = 0; k < this.columns; k++) sum += this.at(i, k) * other.at(k, j);
        out.set(i, j, sum);
      }
    }
    return out;
  }

  /** Turns columns `p` and `q`: (p, q) becomes (c p - s q, s p + c q). */
  rotateColumns(p: number, q: number, c: number, s: number): void {
    for (let i = 0; i < this.rows; i++) {
      const [a, b] = [this.at(i, p), this.at(i, q)];
      this.set(i, p, c * a - s * b);
      this.set(i, q, s * a + c * b);
    }
  }
}

/** The sizes of the matrices in a value (..B, rows, columns). */
export function matrixSizes(shape: Shape): { batch: Shape; rows: number; columns: number } {
  check(shape.length >= 2, 'needs matrices');
  const [rows, columns] = shape.slice(-2) as [number, number];
  return { batch: shape.slice(0, -2), rows, columns };
}

/** The same, which must be as many rows as columns. */
export function squareSizes(shape: Shape): { batch: Shape; size: number } {
  const { batch, rows, columns } = matrixSizes(shape);
  check(rows === columns, `needs square matrices, got ${rows} x ${columns}`);
  return { batch, size: rows };
}

/** The part of `values` that is item `i` of `count` equal ones. */
export function item(values: Float64Array, i: number, batch: Shape): Float64Array {
  const size = values.length / Math.max(1, numel(batch));
  return values.subarray(i * size, (i + 1) * size);
}

/** Throws unless the call has so many operands and these are float32 or float64, of one dtype. */
export function checkMatrices(
  call: KernelCall<KernelName>,
  inputs: number,
  outputs: number,
  floating = outputs,
): void {
  arity(call, inputs, outputs);
  const dtype = call.inputs[0]!.dtype;
  for (const operand of [...call.inputs, ...call.outputs.slice(0, floating)]) {
    checkDtype('an operand', operand.dtype, 'float32', 'float64');
    checkDtype('an operand', operand.dtype, dtype);
  }
}

/** `linalg.inv: matrix 2`: the op where it is given, and which matrix where there are several. */
export function about(op: string, batch: Shape, i: number): string {
  const which = numel(batch) === 1 ? 'the matrix' : `matrix ${i}`;
  return op === '' ? which : `${op}: ${which}`;
}
