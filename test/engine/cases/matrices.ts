/**
 * LAPACK's factorizations: stacks, edges without elements, singular and indefinite matrices;
 * malformed calls.
 */

import { formatShape } from '../../../src/base/shape.ts';
import {
  between,
  type CaseInput,
  cycle,
  type Fill,
  input,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';

export type Floating = 'float32' | 'float64';
export const FLOATING: readonly Floating[] = ['float32', 'float64'];

/** Element (i, j) of square matrices of this size: large on the diagonal, so positive definite. */
const dominant =
  (size: number): Fill =>
  (i, random) =>
    Math.floor(i / size) % size === i % size ? size + random() : random() - 0.5;

const square = (dtype: Floating, shape: number[]) => input(dtype, shape, dominant(shape.at(-1)!));

// ---- factorizations ----------------------------------------------------------------------------

/** Of an indefinite matrix only `info` is compared: its factor is of no use. */
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

export const SQUARES = [
  [1, 1],
  [5, 5],
  [2, 3, 4, 4],
  [40, 40],
  [0, 0],
  [0, 3, 3],
  [3, 0, 0],
];
export const RECTANGLES = [
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
