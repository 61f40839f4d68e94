/** Norms of vectors, of whole tensors, and distances made of them. */

import { type DType, needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim, normalizeDims } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { inFullWidth } from './full-width.ts';
import { spectralNorm, wholeMatrix } from './linalg/spectral-norms.ts';
import { unsqueeze } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { abs, cast, eq, mul, ne, pow, sqrt, sub, where } from './pointwise.ts';
import { amax, amin, type Dims, sum } from './reduction.ts';

type NormDims = Dims | null;

/** (sum |x|^ord)^(1/ord), the largest magnitude for Infinity, the smallest for -Infinity. */
export function vectorNormOf(x: Tensor, ord: number, dim: NormDims, keepdim: boolean): Tensor {
  if (ord === Infinity) return amax(abs(x), dim, keepdim);
  if (ord === -Infinity) return amin(abs(x), dim, keepdim);
  if (ord === 0) return sum(cast(ne(x, 0), x.dtype), dim, keepdim);
  if (ord === 1) return sum(abs(x), dim, keepdim);
  return inFullWidth(x, (wide) => {
    const powers = ord === 2 ? mul(wide, wide) : magnitudesToPower(wide, ord);
    return rootWithoutKink(sum(powers, dim, keepdim), 1 / ord);
  });
}

/** |x|^ord, whose gradient at 0 is 0 also where that of the power is infinite. */
function magnitudesToPower(x: Tensor, ord: number): Tensor {
  if (ord > 1) return pow(abs(x), ord);
  const isZero = eq(x, 0);
  return where(isZero, ord < 0 ? Infinity : 0, pow(abs(where(isZero, 1, x)), ord));
}

/** x^exponent, whose gradient at 0 is 0 and not infinite, as that of PyTorch's norms. */
function rootWithoutKink(x: Tensor, exponent: number): Tensor {
  const root = (y: Tensor) => (exponent === 0.5 ? sqrt(y) : pow(y, exponent));
  if (exponent < 0) return root(x);
  return where(eq(x, 0), 0, root(where(eq(x, 0), 1, x)));
}

/**
 * The norm of the vectors along `dim`, or of all elements.
 * https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
 */
export const vectorNorm = named(
  'linalg.vector_norm',
  ['x', 'ord', 'dim', 'keepdim', 'dtype'],
  (
    x: Tensor,
    ord = 2,
    dim: NormDims = null,
    keepdim = false,
    dtype: DType | null = null,
  ): Tensor => {
    const op = 'linalg.vector_norm';
    requireTensors(op, { x });
    if (typeof ord !== 'number') {
      throw opError(ArgumentError, op, `ord must be a number, got ${JSON.stringify(ord)}`);
    }
    const given = dtype === null ? x : cast(x, dtype);
    needsFloating(op, given);
    return vectorNormOf(given, ord, dim, keepdim);
  },
);

/**
 * A number; `'fro'`, that of the squares; or `'nuc'`, of matrices, the sum of their singular
 * values.
 */
export type NormOrder = number | 'fro' | 'nuc';

/**
 * The norm of all elements, or of those along `dim`; for `nuc` two dimensions.
 * https://pytorch.org/docs/stable/generated/torch.norm.html
 */
export const norm = named(
  'norm',
  ['input', 'p', 'dim', 'keepdim', 'dtype'],
  (
    input: Tensor,
    p: NormOrder | null = 'fro',
    dim: NormDims = null,
    keepdim = false,
    dtype: DType | null = null,
  ): Tensor => {
    requireTensors('norm', { input });
    if (p !== 'fro' && p !== 'nuc' && p !== null && typeof p !== 'number') {
      const message = `p must be a number, "fro" or "nuc", got ${JSON.stringify(p)}`;
      throw opError(ArgumentError, 'norm', message);
    }
    const x = dtype === null ? input : cast(input, dtype);
    needsFloating('norm', x);
    if (p === 'nuc') {
      const dims = dim === null ? wholeMatrix('norm', x) : [dim].flat();
      return spectralNorm('norm', x, 'nuc', dims, keepdim);
    }
    return vectorNormOf(x, p === 'fro' || p === null ? 2 : p, dim, keepdim);
  },
);

/**
 * The root of the sum of squares of all elements, or of those along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
 */
export const frobeniusNorm = named(
  'frobenius_norm',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: NormDims = null, keepdim = false): Tensor => {
    requireTensors('frobenius_norm', { input });
    const count = typeof dim === 'object' && dim !== null ? dim.length : 0;
    if (count > 2) {
      const message = `takes at most two dimensions, got ${count}`;
      throw opError(ArgumentError, 'frobenius_norm', message);
    }
    return norm(input, 'fro', dim, keepdim);
  },
);

/**
 * The norm over all dimensions but `dim`, which keep size 1: the magnitudes of weight
 * normalisation. Over all of them where `dim` is -1.
 * https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/WeightNorm.cpp
 */
export const normExceptDim = named(
  'norm_except_dim',
  ['v', 'pow', 'dim'],
  (v: Tensor, pow = 2, dim = 0): Tensor => {
    requireTensors('norm_except_dim', { v });
    if (dim === -1) return norm(v, pow);
    const at = normalizeDim('norm_except_dim', dim, v.ndim);
    const others = v.shape.map((_, i) => i).filter((i) => i !== at);
    return others.length === 0 ? norm(unsqueeze(v, -1), pow, -1) : norm(v, pow, others, true);
  },
);

/**
 * The norm of the difference of two tensors that broadcast.
 * https://pytorch.org/docs/stable/generated/torch.dist.html
 */
export const dist = named(
  'dist',
  ['input', 'other', 'p'],
  (input: Tensor, other: Tensor, p = 2): Tensor => {
    requireTensors('dist', { input, other });
    return vectorNormOf(sub(input, other), p, null, false);
  },
);

/**
 * The distances of every row of `x1` from every row of `x2`: (..., P, M), (..., R, M) -> (..., P,
 * R); leading sizes broadcast. `compute_mode` chooses among PyTorch's ways to compute it; here is
 * one.
 * https://pytorch.org/docs/stable/generated/torch.cdist.html
 */
export const cdist = named(
  'cdist',
  ['x1', 'x2', 'p', 'compute_mode'],
  (x1: Tensor, x2: Tensor, p = 2, _compute_mode: string | null = null): Tensor => {
    requireTensors('cdist', { x1, x2 });
    const [a, b] = [formatShape(x1.shape), formatShape(x2.shape)];
    if (x1.ndim < 2 || x2.ndim < 2)
      throw opError(ShapeError, 'cdist', `needs rows, got ${a}, ${b}`);
    if (x1.shape.at(-1) !== x2.shape.at(-1)) {
      throw opError(ShapeError, 'cdist', `rows have different sizes: ${a}, ${b}`);
    }
    if (p < 0) throw opError(ArgumentError, 'cdist', `p must not be negative, got ${p}`);
    const apart = sub(unsqueeze(x1, -2), unsqueeze(x2, -3));
    if (apart.shape.at(-1) === 0) return sum(apart, -1);
    return vectorNormOf(apart, p, -1, false);
  },
);

/**
 * The parts of `input` along `dim`, those whose norm exceeds `maxnorm` made shorter.
 * https://pytorch.org/docs/stable/generated/torch.renorm.html
 */
export const renorm = named(
  'renorm',
  ['input', 'p', 'dim', 'maxnorm'],
  (input: Tensor, p: number, dim: number, maxnorm: number): Tensor => {
    requireTensors('renorm', { input });
    if (input.ndim < 2) {
      const given = formatShape(input.shape);
      throw opError(ShapeError, 'renorm', `needs at least two dimensions, got ${given}`);
    }
    if (!(p > 0)) throw opError(ArgumentError, 'renorm', `p must be positive, got ${p}`);
    if (!(maxnorm >= 0)) {
      throw opError(ArgumentError, 'renorm', `maxnorm must not be negative, got ${maxnorm}`);
    }
    const [at] = normalizeDims('renorm', dim, input.ndim);
    const others = input.shape.map((_, i) => i).filter((i) => i !== at);
    const size = vectorNormOf(input, p, others, true);
    const scale = where(size.gt(maxnorm), size.add(1e-7).reciprocal().mul(maxnorm), 1);
    return mul(input, scale);
  },
);
