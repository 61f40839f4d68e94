/** The kernels of LAPACK: stacks, edges without elements, singular and indefinite matrices, NaN. */

import { formatShape } from '../../../src/base/shape.ts';
import { Matrix } from '../../../src/engine/reference/matrices.ts';
import {
  between,
  type CaseInput,
  cycle,
  type Fill,
  input,
  integers,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';

type Floating = 'float32' | 'float64';
const FLOATING: readonly Floating[] = ['float32', 'float64'];

/** Element (i, j) of square matrices of this size: large on the diagonal, so positive definite. */
const dominant =
  (size: number): Fill =>
  (i, random) =>
    Math.floor(i / size) % size === i % size ? size + random() : random() - 0.5;

const square = (dtype: Floating, shape: number[]) => input(dtype, shape, dominant(shape.at(-1)!));

// ---- factorizations ----------------------------------------------------------------------------

/** `relativeTo` stays the output: `l` of a matrix without factors is nobody's business. */
function cholesky(dtype: Floating, a: CaseInput, name: string, fails_as = '', fails?: RegExp) {
  const batch = a.shape.slice(0, -2);
  return kernelCase(
    'cholesky',
    `${dtype} ${formatShape(a.shape)}, ${name}`,
    { fails_as },
    [a],
    [type(dtype, ...a.shape), type('int32', ...batch)],
    fails ? { fails } : name === 'indefinite' ? { invariants: ([, info]) => [info!] } : {},
  );
}

function lu(dtype: Floating, a: CaseInput, name: string, fails_as = '', fails?: RegExp) {
  const batch = a.shape.slice(0, -2);
  const smaller = Math.min(...a.shape.slice(-2));
  return kernelCase(
    'lu_factor',
    `${dtype} ${formatShape(a.shape)}, ${name}`,
    { fails_as },
    [a],
    [type(dtype, ...a.shape), type('int32', ...batch, smaller), type('int32', ...batch)],
    fails ? { fails } : {},
  );
}

function triangular(dtype: Floating, a: number[], columns: number) {
  return [true, false].flatMap((upper) =>
    [true, false].flatMap((transpose) =>
      [true, false].map((unitriangular) => {
        const b = [...a.slice(0, -1), columns];
        const flags = [upper && 'upper', transpose && 'transposed', unitriangular && 'ones'];
        return kernelCase(
          'triangular_solve',
          `${dtype} ${formatShape(a)}, ${columns}: ${flags.filter(Boolean).join(' ')}`,
          { upper, transpose, unitriangular },
          [square(dtype, a), input(dtype, b)],
          [type(dtype, ...b)],
        );
      }),
    ),
  );
}

function qr(dtype: Floating, shape: number[], width: number) {
  const [batch, rows, columns] = [shape.slice(0, -2), shape.at(-2)!, shape.at(-1)!];
  return kernelCase(
    'qr',
    `${dtype} ${formatShape(shape)}, ${width}`,
    {},
    [input(dtype, shape)],
    [type(dtype, ...batch, rows, width), type(dtype, ...batch, width, columns)],
    { tolerance: dtype === 'float32' ? 5e-5 : 1e-11 },
  );
}

function reflections(dtype: Floating, shape: number[], count: number) {
  const tau = [...shape.slice(0, -2), count];
  return kernelCase(
    'householder_product',
    `${dtype} ${formatShape(shape)}, ${count}`,
    {},
    [input(dtype, shape), input(dtype, tau, between(0, 1))],
    [type(dtype, ...shape)],
  );
}

const permutation = (pivots: number[], size: number, fill: Fill, fails?: RegExp) =>
  kernelCase(
    'permutation',
    `${formatShape(pivots)} of ${size}`,
    { size },
    [input('int32', pivots, fill)],
    [type('int64', ...pivots.slice(0, -1), size)],
    fails ? { fails } : {},
  );

const SQUARES = [
  [1, 1],
  [5, 5],
  [2, 3, 4, 4],
  [40, 40],
  [0, 0],
  [0, 3, 3],
  [3, 0, 0],
];
const RECTANGLES = [
  [3, 5],
  [5, 3],
  [2, 3, 4, 2],
  [50, 20],
  [0, 3],
  [3, 0],
  [0, 2, 3],
];

export const FACTORIZATION_CASES: readonly KernelCase[] = [
  ...FLOATING.flatMap((dtype) => [
    ...SQUARES.flatMap((shape) => [
      cholesky(dtype, square(dtype, shape), 'definite'),
      ...triangular(dtype, shape, 3),
    ]),
    ...triangular(dtype, [2, 4, 4], 0),
    ...[...SQUARES, ...RECTANGLES].map((shape) => lu(dtype, input(dtype, shape), 'any')),
    ...[...SQUARES, ...RECTANGLES].flatMap((shape) => {
      const rows = shape.at(-2)!;
      const smaller = Math.min(rows, shape.at(-1)!);
      return smaller === rows
        ? [qr(dtype, shape, rows)]
        : [qr(dtype, shape, rows), qr(dtype, shape, smaller)];
    }),
    reflections(dtype, [5, 3], 3),
    reflections(dtype, [2, 2, 4, 4], 2),
    reflections(dtype, [4, 2], 0),
    reflections(dtype, [0, 3, 2], 1),
    cholesky(dtype, input(dtype, [2, 2], cycle([1, 2, 2, 1])), 'indefinite'),
    lu(dtype, input(dtype, [3, 3], cycle([1, 2, 3, 2, 4, 6, 1, 0, 1])), 'singular'),
  ]),
  cholesky(
    'float64',
    input('float64', [2, 2, 2], cycle([2, 0, 0, 2, 1, 2, 2, 1])),
    'one of two indefinite',
    'linalg.cholesky',
    /linalg\.cholesky: matrix 1 is not positive definite.* order 2/,
  ),
  cholesky(
    'float32',
    input('float32', [1, 1], cycle([Number.NaN])),
    'NaN',
    'cholesky',
    /cholesky: the matrix is not positive definite/,
  ),
  lu(
    'float64',
    input('float64', [2, 2], cycle([1, 2, 2, 4])),
    'singular',
    'linalg.inv',
    /linalg\.inv: the matrix is singular: diagonal element 2 of U is zero/,
  ),
  permutation([3], 5, cycle([3, 2, 5])),
  permutation([2, 3], 3, cycle([1, 3, 3])),
  permutation([0], 2, cycle([1])),
  permutation([2], 2, cycle([1, 3]), /pivot 3 is out of range for 2 rows/),
  permutation([1], 4, cycle([0]), /pivot 0 is out of range for 4 rows/),
];

// ---- spectra -----------------------------------------------------------------------------------

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

const f32 = (...shape: number[]) => input('float32', shape);
const out = (...shape: number[]) => type('float32', ...shape);
const info = (...shape: number[]) => type('int32', ...shape);
const solve = { upper: true, transpose: false, unitriangular: false };
const whole = { full_matrices: false, vectors: true };
const spectrum = { upper: true, vectors: true };

export const MALFORMED_MATRICES: readonly KernelCase[] = [
  kernelCase('cholesky', 'a vector', { fails_as: '' }, [f32(3)], [out(3), info()]),
  kernelCase('cholesky', 'not square', { fails_as: '' }, [f32(2, 3)], [out(2, 3), info()]),
  kernelCase('cholesky', 'floating info', { fails_as: '' }, [f32(2, 2)], [out(2, 2), out()]),
  kernelCase('cholesky', 'no info', { fails_as: '' }, [f32(2, 2)], [out(2, 2)]),
  kernelCase(
    'cholesky',
    'bfloat16',
    { fails_as: '' },
    [input('bfloat16', [2, 2])],
    [type('bfloat16', 2, 2), info()],
  ),
  kernelCase('lu_factor', 'pivots', { fails_as: '' }, [f32(2, 3)], [out(2, 3), info(3), info()]),
  kernelCase('lu_factor', 'info', { fails_as: '' }, [f32(2, 3)], [out(2, 3), info(2), info(1)]),
  kernelCase(
    'lu_factor',
    'another dtype',
    { fails_as: '' },
    [f32(2, 2)],
    [type('float64', 2, 2), info(2), info()],
  ),
  kernelCase('permutation', 'too short', { size: 2 }, [input('int32', [3])], [type('int64', 2)]),
  kernelCase('permutation', 'a number', { size: 2 }, [input('int32', [])], [type('int64', 2)]),
  kernelCase('permutation', 'floats', { size: 2 }, [f32(2)], [type('int64', 2)]),
  kernelCase('triangular_solve', 'sizes', solve, [f32(2, 2), f32(3, 2)], [out(3, 2)]),
  kernelCase('triangular_solve', 'batches', solve, [f32(2, 2, 2), f32(2, 2)], [out(2, 2)]),
  kernelCase(
    'triangular_solve',
    'two dtypes',
    solve,
    [f32(2, 2), input('float64', [2, 2])],
    [out(2, 2)],
  ),
  kernelCase('qr', 'a width of neither kind', {}, [f32(4, 2)], [out(4, 3), out(3, 2)]),
  kernelCase('qr', 'an r of another size', {}, [f32(4, 2)], [out(4, 2), out(4, 2)]),
  kernelCase('householder_product', 'wide', {}, [f32(2, 4), f32(2)], [out(2, 4)]),
  kernelCase('householder_product', 'many', {}, [f32(4, 2), f32(3)], [out(4, 2)]),
  kernelCase('svd', 'full sizes', whole, [f32(3, 2)], [out(3, 3), out(2), out(2, 2)]),
  kernelCase('svd', 'values alone', whole, [f32(3, 2)], [out(2)]),
  kernelCase('eigh', 'not square', spectrum, [f32(3, 2)], [out(3), out(3, 2)]),
  kernelCase('eigh', 'values alone', spectrum, [f32(2, 2)], [out(2)]),
  kernelCase('matrix_exp', 'not square', {}, [f32(3, 2)], [out(3, 2)]),
];
