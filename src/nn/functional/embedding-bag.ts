/** Bags of embeddings: sums, means or maxima of rows of a table. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { clampMin } from '../../ops/arithmetic.ts';
import { full } from '../../ops/creation.ts';
import { lookUp } from '../../ops/embedding.ts';
import { cat } from '../../ops/joining.ts';
import { matmul } from '../../ops/matmul.ts';
import { unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { cast, div, ge, gt, le, logicalAnd, lt, mul, ne, where } from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';
import { amax, sum } from '../../ops/reduction.ts';
import { narrow } from '../../ops/slicing.ts';
import { needsSameDType, needsValues } from './loss.ts';

const OP = 'embedding_bag';

export type BagMode = 'sum' | 'mean' | 'max';

/**
 * The sum, mean or maximum of bags of rows of `weight` (N, D): input (B, L), a bag a row, or (n)
 * with the places where the bags begin in `offsets` (B) -> (B, D). An empty bag gives zeros.
 *
 * @param max_norm,norm_type,scale_grad_by_freq,sparse as of `embedding`.
 * @param per_sample_weights factors of input's shape, for `sum` only.
 * @param include_last_offset `offsets` has one more, the end of the last bag.
 * @param padding_idx an index that does not count.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
 *
 * `input` and `weight` may be exchanged, as PyTorch takes them from older programs.
 *
 * @throws ShapeError when the sizes do not fit, ArgumentError for arguments that exclude each
 *   other.
 */
export const embeddingBag = named(
  OP,
  [
    'input',
    'weight',
    'offsets',
    'max_norm',
    'norm_type',
    'scale_grad_by_freq',
    'mode',
    'sparse',
    'per_sample_weights',
    'include_last_offset',
    'padding_idx',
  ],
  (
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | null = null,
    max_norm: number | null = null,
    norm_type = 2,
    scale_grad_by_freq = false,
    mode: BagMode = 'mean',
    sparse = false,
    per_sample_weights: Tensor | null = null,
    include_last_offset = false,
    padding_idx: number | null = null,
  ): Tensor => {
    const [index, table] = weight.dtype === 'int64' ? [weight, input] : [input, weight];
    checkMode(mode, scale_grad_by_freq || sparse, per_sample_weights !== null);
    checkShapes(index, table, offsets, per_sample_weights);
    const options = { max_norm, norm_type, scale_grad_by_freq, padding_idx };
    const rows = lookUp(OP, index, table, options);
    const counts = countsOf(index, table, padding_idx);
    const factors = per_sample_weights ?? undefined;
    if (offsets === null) return ofRows(rows, counts, mode, factors);
    return ofSegments(rows, memberships(offsets, counts, include_last_offset), mode, factors);
  },
);

function checkMode(mode: BagMode, isScaledOrSparse: boolean, isWeighted: boolean): void {
  if (mode !== 'sum' && mode !== 'mean' && mode !== 'max') {
    throw opError(ArgumentError, OP, `mode must be sum, mean or max, got ${mode}`);
  }
  if (mode === 'max' && isScaledOrSparse) {
    throw opError(ArgumentError, OP, 'max takes neither scale_grad_by_freq nor sparse');
  }
  if (mode !== 'sum' && isWeighted) {
    throw opError(ArgumentError, OP, `per_sample_weights is for sum only, mode is ${mode}`);
  }
}

function checkShapes(
  index: Tensor,
  table: Tensor,
  offsets: Tensor | null,
  factors: Tensor | null,
): void {
  if (factors !== null) {
    needsSameDType(OP, 'per_sample_weights', factors, table);
    if (!sameShape(factors.shape, index.shape)) {
      const message = `per_sample_weights ${formatShape(factors.shape)} must have input's shape`;
      throw opError(ShapeError, OP, `${message}, ${formatShape(index.shape)}`);
    }
  }
  const isMatrix = index.ndim === 2 && offsets === null;
  const isVector = index.ndim === 1 && offsets?.ndim === 1;
  if (isMatrix || isVector) return;
  const given = offsets === null ? 'no offsets' : `offsets ${formatShape(offsets.shape)}`;
  const message = `needs input (B, L) alone, or (n) with offsets (B); got`;
  throw opError(ShapeError, OP, `${message} ${formatShape(index.shape)} and ${given}`);
}

/** Which elements count: all but padding. */
function countsOf(index: Tensor, table: Tensor, padding_idx: number | null): Tensor {
  if (padding_idx === null) return ge(index, 0);
  return ne(index, padding_idx < 0 ? padding_idx + table.shape[0]! : padding_idx);
}

/** rows (B, L, D), counts and factors (B, L) -> (B, D). */
function ofRows(rows: Tensor, counts: Tensor, mode: BagMode, factors: Tensor | undefined): Tensor {
  const counted = unsqueeze(counts, -1);
  if (mode === 'max') return largest(where(counted, rows, -Infinity), 1);
  const weighted = factors === undefined ? rows : mul(rows, unsqueeze(factors, -1));
  const total = sum(where(counted, weighted, 0), 1);
  return mode === 'sum' ? total : meanOf(total, cast(counts, rows.dtype));
}

/** The largest along `dim`, 0 where nothing counts. */
function largest(rows: Tensor, dim: number): Tensor {
  if (rows.shape[dim] === 0) return sum(rows, dim);
  const peak = amax(rows, dim);
  return where(gt(peak, -Infinity), peak, 0);
}

/** `total` (B, D) by how many of `counts` (B, n) there are, 0 where none. */
const meanOf = (total: Tensor, counts: Tensor) => div(total, clampMin(sum(counts, 1, true), 1));

/** Which of the n elements each bag has: (B, n). */
function memberships(offsets: Tensor, counts: Tensor, include_last_offset: boolean): Tensor {
  const size = counts.shape[0]!;
  const bags = offsets.shape[0]! - (include_last_offset ? 1 : 0);
  if (bags < 0) throw opError(ShapeError, OP, 'include_last_offset needs an offset at least');
  if (offsets.shape[0]! > 0) {
    const isFirst = narrow(offsets, 0, 0, 1).eq(0);
    needsValues(OP, isFirst, 'offsets must begin with 0');
    needsValues(OP, le(offsets, size), `offsets must not exceed the ${size} elements`);
  }
  const place = arange(size);
  const starts = unsqueeze(narrow(offsets, 0, 0, bags), 1);
  const ends = endsOf(offsets, bags, size);
  return logicalAnd(counts, logicalAnd(ge(place, starts), lt(place, ends)));
}

/** Where each bag ends: where the next one begins. (B, 1) */
function endsOf(offsets: Tensor, bags: number, size: number): Tensor {
  const isComplete = offsets.shape[0]! > bags;
  const last = full([1], size, { dtype: offsets.dtype });
  const all = isComplete ? offsets : cat([offsets, last], 0);
  return unsqueeze(narrow(all, 0, 1, bags), 1);
}

/** rows (n, D), members (B, n), factors (n) -> (B, D). */
function ofSegments(
  rows: Tensor,
  members: Tensor,
  mode: BagMode,
  factors: Tensor | undefined,
): Tensor {
  if (mode === 'max') return largest(where(unsqueeze(members, -1), rows, -Infinity), 1);
  const counts = cast(members, rows.dtype);
  const total = matmul(factors === undefined ? counts : mul(counts, factors), rows);
  return mode === 'sum' ? total : meanOf(total, counts);
}
