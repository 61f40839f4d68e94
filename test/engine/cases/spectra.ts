/** svd, eigh and matrix_exp: what no choice of signs changes; equal and zero values, NaN. */

import { formatShape } from '../../../src/base/shape.ts';
import { Matrix } from '../../../src/engine/reference/matrices.ts';
import {
  between,
  cycle,
  type Fill,
  input,
  integers,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';
import { FLOATING, type Floating, RECTANGLES, SQUARES } from './matrices.ts';

/** The part of `values` that is item `i` of `count`, as a matrix. */
function matrixOf(values: Float64Array, i: number, rows: number, columns: number): Matrix {
  return new Matrix(rows, columns, values.slice(i * rows * columns, (i + 1) * rows * columns));
}

/** The products that no choice of signs changes: a again, and uᵀ u, which is 1. */
function svdInvariants(shape: number[], u: number, v: number) {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const smaller = Math.min(rows, columns);
  return ([left, s, right]: readonly Float64Array[]): Float64Array[] => {
    const products: number[][] = [[], [], []];
    for (let i = 0; i * u * rows < left!.length || i * v * columns < right!.length; i++) {
      const [U, V] = [matrixOf(left!, i, rows, u), matrixOf(right!, i, v, columns)];
      const scaled = new Matrix(u, v);
      for (let k = 0; k < smaller; k++) scaled.set(k, k, s![i * smaller + k]!);
      products[0]!.push(...U.times(scaled).times(V).data);
      products[1]!.push(...U.transposed().times(U).data);
      products[2]!.push(...V.times(V.transposed()).data);
    }
    return [s!, ...products.map((numbers) => Float64Array.from(numbers))];
  };
}

function svd(dtype: Floating, shape: number[], full_matrices: boolean, fill?: Fill) {
  const [batch, rows, columns] = [shape.slice(0, -2), shape.at(-2)!, shape.at(-1)!];
  const smaller = Math.min(rows, columns);
  const [u, v] = full_matrices ? [rows, columns] : [smaller, smaller];
  const name = `${dtype} ${formatShape(shape)}${full_matrices ? ', full' : ''}${fill ? ', given' : ''}`;
  return kernelCase(
    'svd',
    name,
    { full_matrices, vectors: true },
    [input(dtype, shape, fill)],
    [
      type(dtype, ...batch, rows, u),
      type(dtype, ...batch, smaller),
      type(dtype, ...batch, v, columns),
    ],
    { invariants: svdInvariants(shape, u, v), tolerance: dtype === 'float32' ? 5e-5 : 1e-11 },
  );
}

function singularValues(dtype: Floating, shape: number[], fill?: Fill, fails?: RegExp) {
  const smaller = Math.min(...shape.slice(-2));
  return kernelCase(
    'svd',
    `values of ${dtype} ${formatShape(shape)}${fill ? ', given' : ''}`,
    { full_matrices: false, vectors: false },
    [input(dtype, shape, fill)],
    [type(dtype, ...shape.slice(0, -2), smaller)],
    fails ? { fails } : {},
  );
}

/** w, v diag(w) vᵀ and vᵀ v. */
function eighInvariants(size: number) {
  return ([w, v]: readonly Float64Array[]): Float64Array[] => {
    const products: number[][] = [[], []];
    for (let i = 0; i * size * size < v!.length; i++) {
      const V = matrixOf(v!, i, size, size);
      const scaled = new Matrix(size, size);
      for (let k = 0; k < size; k++) scaled.set(k, k, w![i * size + k]!);
      products[0]!.push(...V.times(scaled).times(V.transposed()).data);
      products[1]!.push(...V.transposed().times(V).data);
    }
    return [w!, ...products.map((numbers) => Float64Array.from(numbers))];
  };
}

function eigh(dtype: Floating, shape: number[], upper: boolean, fill?: Fill) {
  return [true, false].map((vectors) =>
    kernelCase(
      'eigh',
      `${vectors ? '' : 'values of '}${dtype} ${formatShape(shape)}, ${upper ? 'upper' : 'lower'}${fill ? ', given' : ''}`,
      { upper, vectors },
      [input(dtype, shape, fill)],
      [type(dtype, ...shape.slice(0, -1)), ...(vectors ? [type(dtype, ...shape)] : [])],
      {
        tolerance: dtype === 'float32' ? 5e-5 : 1e-11,
        ...(vectors && { invariants: eighInvariants(shape.at(-1)!) }),
      },
    ),
  );
}

const exponential = (dtype: Floating, shape: number[], fill?: Fill) =>
  kernelCase(
    'matrix_exp',
    `${dtype} ${formatShape(shape)}${fill ? ', given' : ''}`,
    {},
    [input(dtype, shape, fill)],
    [type(dtype, ...shape)],
    { tolerance: dtype === 'float32' ? 1e-5 : 1e-11 },
  );

const NOTHING = /no spectrum that could be found.*NaN/;

export const SPECTRUM_CASES: readonly KernelCase[] = [
  ...FLOATING.flatMap((dtype) => [
    ...[...SQUARES, ...RECTANGLES].flatMap((shape) => [
      svd(dtype, shape, false),
      svd(dtype, shape, true),
      singularValues(dtype, shape),
    ]),
    // Of rank 1 and of rank 0.
    svd(dtype, [3, 3], true, cycle([1, 2, 3, 2, 4, 6, 3, 6, 9])),
    svd(dtype, [4, 2], true, cycle([0])),
    ...SQUARES.flatMap((shape) => [
      ...eigh(dtype, shape, false),
      ...eigh(dtype, shape, true),
      exponential(dtype, shape, between(-1, 1)),
    ]),
    ...eigh(dtype, [3, 3], false, cycle([1, 0, 0, 0])),
    exponential(dtype, [2, 2], cycle([0, 30, 0, 0])),
    exponential(dtype, [3, 3], integers(-9, 3)),
    exponential(dtype, [2, 1, 1], cycle([Number.NaN, 1])),
  ]),
  singularValues('float32', [2, 2], cycle([1, Number.NaN]), NOTHING),
  // The triangle that is not read may hold anything.
  ...eigh('float32', [2, 2], false, cycle([1, Number.NaN, 2, 1])),
  kernelCase(
    'eigh',
    'infinity in the second matrix',
    { upper: false, vectors: true },
    [input('float64', [2, 1, 1], cycle([1, Number.POSITIVE_INFINITY]))],
    [type('float64', 2, 1), type('float64', 2, 1, 1)],
    { invariants: ([w, v]) => [w!, v!.map(Math.abs)] },
  ),
];
