/** Distances and similarities of vectors. */

import { isFloating, needsFloating, promoteTypes } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { broadcastShapes, formatShape, normalizeDim } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { embedding } from '../../ops/embedding.ts';
import { tensor } from '../../ops/host-data.ts';
import { expand } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  abs,
  add,
  cast,
  div,
  eq,
  lt,
  mul,
  ne,
  pow,
  sqrt,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { amax, amin, type Dims, sum } from '../../ops/reduction.ts';

import { raisedTo } from './loss.ts';

/** sum(|x|^p)^(1/p) along `dim`. Where the norm is zero its gradient is zero, as in PyTorch. */
function norm(x: Tensor, p: number, dim: Dims, keepdim: boolean): Tensor {
  if (p === 0) return sum(cast(ne(x, 0), x.dtype), dim, keepdim);
  if (p === 1) return sum(abs(x), dim, keepdim);
  if (p === Number.POSITIVE_INFINITY) return amax(abs(x), dim, keepdim);
  if (p === Number.NEGATIVE_INFINITY) return amin(abs(x), dim, keepdim);
  const powers = p === 2 ? mul(x, x) : p > 0 ? positivePower(abs(x), p) : pow(abs(x), p);
  const total = sum(powers, dim, keepdim);
  if (p < 0) return pow(total, 1 / p);
  const isZero = eq(total, 0);
  const safe = where(isZero, 1, total);
  return where(isZero, 0, p === 2 ? sqrt(safe) : pow(safe, 1 / p));
}

/** x^p of x not negative, without the infinite slope that a p below 1 has at 0. */
function positivePower(x: Tensor, p: number): Tensor {
  const isZero = eq(x, 0);
  return where(isZero, 0, pow(where(isZero, 1, x), p));
}

/**
 * x divided by its `p`-norm along `dim`, or by `eps` where the norm is less.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
 *
 * @throws DTypeError unless `input` is floating.
 */
export const normalize = named(
  'normalize',
  ['input', 'p', 'dim', 'eps'],
  (input: Tensor, p = 2, dim: Dims = 1, eps = 1e-12): Tensor => {
    needsFloating('normalize', input);
    const size = norm(input, p, dim, true);
    return div(input, where(lt(size, eps), eps, size));
  },
);

/**
 * The `p`-norm of x1 - x2 + `eps` over the last dimension: (..., D), (..., D) -> (...); leading
 * dimensions broadcast.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
 */
export const pairwiseDistance = named(
  'pairwise_distance',
  ['x1', 'x2', 'p', 'eps', 'keepdim'],
  (x1: Tensor, x2: Tensor, p = 2, eps = 1e-6, keepdim = false): Tensor =>
    norm(add(sub(x1, x2), eps), p, -1, keepdim),
);

/**
 * x1 · x2 / (max(|x1|, `eps`) max(|x2|, `eps`)) along `dim`; the shapes broadcast.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
 *
 * @throws DTypeError unless the common dtype is floating.
 */
export const cosineSimilarity = named(
  'cosine_similarity',
  ['x1', 'x2', 'dim', 'eps'],
  (x1: Tensor, x2: Tensor, dim = 1, eps = 1e-8): Tensor => {
    const dtype = promoteTypes(x1.dtype, x2.dtype);
    if (!isFloating(dtype)) {
      throw opError(DTypeError, 'cosine_similarity', `needs floating point tensors, got ${dtype}`);
    }
    const shape = broadcastShapes('cosine_similarity', x1.shape, x2.shape);
    const at = normalizeDim('cosine_similarity', dim, shape.length);
    const units = [x1, x2].map((x) => {
      const whole = expand(cast(x, dtype), shape);
      return div(whole, raisedTo(norm(whole, 2, at, true), eps));
    });
    return sum(mul(units[0]!, units[1]!), at);
  },
);

/**
 * The `p`-norm distances of all pairs of rows: (N, M) -> (N (N - 1) / 2), rows 0 and 1 first, then
 * 0 and 2. https://pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html
 *
 * @throws ShapeError unless `input` is a matrix, ArgumentError for a negative `p`.
 */
export const pdist = named('pdist', ['input', 'p'], (input: Tensor, p = 2): Tensor => {
  if (input.ndim !== 2) {
    const message = `needs 2 dimensions, got ${formatShape(input.shape)}`;
    throw opError(ShapeError, 'pdist', message);
  }
  needsFloating('pdist', input);
  if (!(p >= 0)) throw opError(ArgumentError, 'pdist', `p must not be negative, got ${p}`);
  const [first, second] = pairs(input.shape[0]!).map((rows) => embedding(rows, input));
  if (input.shape[1] === 0) return sum(first!, 1);
  return norm(sub(first!, second!), p, 1, false);
});

/** The rows i < j of all pairs. */
function pairs(rows: number): [first: Tensor, second: Tensor] {
  const count = (rows * Math.max(0, rows - 1)) / 2;
  const [first, second] = [new Int32Array(count), new Int32Array(count)];
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++, k++) {
      first[k] = i;
      second[k] = j;
    }
  }
  return [tensor(first), tensor(second)];
}
