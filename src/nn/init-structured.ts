/**
 * Initialisers of a certain structure: identities, orthogonal and sparse matrices, cut-off normals.
 */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { clamp } from '../ops/arithmetic.ts';
import { full } from '../ops/creation.ts';
import { rand, randn } from '../ops/draws.ts';
import { tensor as fromData } from '../ops/host-data.ts';
import { named } from '../ops/named.ts';
import { add, erf, mul, sub } from '../ops/pointwise.ts';
import { erfinv } from '../ops/transcendental.ts';

function fill(target: Tensor, values: Float64Array): Tensor {
  return noGrad(() => target.copy_(fromData(values, { shape: target.shape })));
}

function requireMatrix(op: string, { shape }: Tensor): [number, number] {
  if (shape.length === 2) return [shape[0]!, shape[1]!];
  throw opError(ShapeError, op, `needs a matrix, got ${formatShape(shape)}`);
}

/** The identity: ones on the diagonal of a matrix, zeros elsewhere. */
export const eye_ = named('eye_', ['tensor'], (tensor: Tensor): Tensor => {
  const [rows, columns] = requireMatrix('eye_', tensor);
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return fill(tensor, values);
});

/**
 * The identity of a convolution (out, in, ...window), as far as there are channels: each group of
 * outputs passes its inputs on.
 */
export const dirac_ = named(
  'dirac_',
  ['tensor', 'groups'],
  (tensor: Tensor, groups = 1): Tensor => {
    const { shape } = tensor;
    if (shape.length < 3 || shape.length > 5) {
      const got = formatShape(shape);
      throw opError(ShapeError, 'dirac_', `needs three, four or five dimensions, got ${got}`);
    }
    const [outputs, inputs, ...window] = shape as [number, number, ...number[]];
    if (!Number.isInteger(groups) || groups < 1 || outputs % groups !== 0) {
      const sizes = `${outputs} outputs for ${groups} groups`;
      throw opError(
        ArgumentError,
        'dirac_',
        `the first size must be divisible by groups: ${sizes}`,
      );
    }
    const size = numel(window);
    const center = window.reduce((at, side) => at * side + Math.floor(side / 2), 0);
    const values = new Float64Array(numel(shape));
    const each = outputs / groups;
    for (let group = 0; group < groups; group++) {
      for (let d = 0; d < Math.min(each, inputs); d++) {
        values[((group * each + d) * inputs + d) * size + center] = 1;
      }
    }
    return fill(tensor, values);
  },
);

/**
 * A matrix (rows, everything else) of orthonormal rows or columns, times `gain`. Saxe et al. 2013.
 * https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_
 */
export const orthogonal_ = named(
  'orthogonal_',
  ['tensor', 'gain'],
  (tensor: Tensor, gain = 1): Tensor => {
    const { shape } = tensor;
    if (shape.length < 2) {
      const got = formatShape(shape);
      throw opError(ShapeError, 'orthogonal_', `needs at least two dimensions, got ${got}`);
    }
    const rows = shape[0]!;
    const columns = numel(shape.slice(1));
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors = orthonormal(count, length);
    const isWide = rows <= columns;
    const values = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        values[i * columns + j] = gain * (isWide ? vectors[i]![j]! : vectors[j]![i]!);
      }
    }
    return fill(tensor, values);
  },
);

/** `count` orthonormal vectors, of random directions. */
function orthonormal(count: number, length: number): Float64Array[] {
  const drawn = randn([count, length], { dtype: 'float64' }).dataSync() as Float64Array;
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = drawn.slice(i * length, (i + 1) * length);
    // Twice: what the first pass leaves of the others is a rounding error.
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) addScaled(vector, other, -dot(vector, other));
    }
    const norm = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((x) => x / norm));
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + factor * x[i]!;
}

/**
 * Normal numbers with a part of every column, `sparsity`, set to zero. Martens 2010.
 * https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_
 */
export const sparse_ = named(
  'sparse_',
  ['tensor', 'sparsity', 'std'],
  (tensor: Tensor, sparsity: number, std = 0.01): Tensor => {
    const [rows, columns] = requireMatrix('sparse_', tensor);
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw opError(ArgumentError, 'sparse_', `sparsity must be in [0, 1], got ${sparsity}`);
    }
    const values = Float64Array.from(
      randn([rows, columns]).dataSync() as Float32Array,
      (x) => x * std,
    );
    const order = rand([columns, rows]).dataSync() as Float32Array;
    const zeros = Math.ceil(sparsity * rows);
    for (let column = 0; column < columns; column++) {
      const keys = order.subarray(column * rows, (column + 1) * rows);
      const shuffled = Array.from(keys, (_, row) => row).sort((a, b) => keys[a]! - keys[b]!);
      for (const row of shuffled.slice(0, zeros)) values[row * columns + column] = 0;
    }
    return fill(tensor, values);
  },
);

/**
 * Numbers of the normal distribution within [a, b].
 * https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
 */
export const truncNormal_ = named(
  'trunc_normal_',
  ['tensor', 'mean', 'std', 'a', 'b'],
  (tensor: Tensor, mean = 0, std = 1, a = -2, b = 2): Tensor => {
    if (!(std > 0) || !(a <= b)) {
      throw opError(
        ArgumentError,
        'trunc_normal_',
        `needs std > 0 and a <= b; got ${std}, ${a}, ${b}`,
      );
    }
    // By the inverse of the distribution function, of which 2 F - 1 = erf(x / sqrt 2).
    const dtype = tensor.dtype === 'float64' ? 'float64' : 'float32';
    const bound = (x: number) => erf(full([], (x - mean) / (std * Math.SQRT2), { dtype }));
    const [low, high] = [bound(a), bound(b)];
    const between = add(mul(rand(tensor.shape, { dtype }), sub(high, low)), low);
    const normal = add(mul(erfinv(between), std * Math.SQRT2), mean);
    return noGrad(() => tensor.copy_(clamp(normal, a, b)));
  },
);
