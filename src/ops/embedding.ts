/** Rows of a table chosen by indices. */

import { isFloating } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { defineOp } from './define.ts';
import { reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import {
  abs,
  add,
  div,
  eq,
  gt,
  logicalAnd,
  mul,
  pow,
  reciprocal,
  sub,
  where,
} from './pointwise.ts';
import { amax, sum } from './reduction.ts';

interface EmbeddingAttrs {
  /** The row that gets no gradient; -1 where there is none. */
  readonly padding: number;
}

const EMBEDDING = defineOp<EmbeddingAttrs>({
  name: 'embedding',
  kind: 'indexing',
  vjp: ({ grads, inputs: [table, index], attrs }): (Tensor | null)[] => [
    apply(ROW_SUMS, [grads[0]!, index!], { rows: table!.shape[0]!, ...attrs }),
    null,
  ],
  infer: ([table, index]) => [
    { dtype: table!.dtype, shape: [...index!.shape, ...table!.shape.slice(1)] },
  ],
  lower: () => ({ kernel: 'gather_rows', attrs: {} }),
});

/** The gradient of an embedding: rows added at their places in a table of zeros. */
const ROW_SUMS = defineOp<EmbeddingAttrs & { readonly rows: number }>({
  name: 'embedding_backward',
  kind: 'indexing',
  vjp({ grads, inputs: [src, index], attrs: { padding } }): (Tensor | null)[] {
    const chosen = apply(EMBEDDING, [grads[0]!, index!], { padding: -1 });
    if (padding < 0) return [chosen, null];
    const size = src!.ndim - index!.ndim;
    const isPadding = reshape(eq(index!, padding), [...index!.shape, ...Array(size).fill(1)]);
    return [where(isPadding, 0, chosen), null];
  },
  infer: ([src, index], { rows }) => [
    { dtype: src!.dtype, shape: [rows, ...src!.shape.slice(index!.shape.length)] },
  ],
  lower: ({ attrs: { padding } }) => ({ kernel: 'scatter_rows', attrs: { padding } }),
});

/** table[index[i...]] for every element of `index`: (index.., ...table.shape[1:]). */
export function rowsAt(table: Tensor, index: Tensor): Tensor {
  return apply(EMBEDDING, [table, index], { padding: -1 });
}

/** How the rows of a table are looked up, and what their gradients become. */
export interface LookupOptions {
  readonly padding_idx?: number | null;
  readonly max_norm?: number | null;
  readonly norm_type?: number;
  readonly scale_grad_by_freq?: boolean;
}

/**
 * Row index[i...] of `weight` for every element of `input`: (input.., embedding_dim).
 *
 * @param padding_idx the row that gets no gradient.
 * @param max_norm rows of a larger `norm_type`-norm are first scaled down to it, in `weight`
 *   itself.
 * @param scale_grad_by_freq divides a row's gradient by how often it is looked up.
 * @param sparse taken as in PyTorch; gradients are always dense.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 *
 * `weight` may also come first, as in `torch.embedding`.
 *
 * @throws DTypeError unless `input` is int64 or int32, ShapeError unless `weight` is a matrix.
 */
export const embedding = named(
  'embedding',
  ['input', 'weight', 'padding_idx', 'max_norm', 'norm_type', 'scale_grad_by_freq', 'sparse'],
  (
    input: Tensor,
    weight: Tensor,
    padding_idx: number | null = null,
    max_norm: number | null = null,
    norm_type = 2,
    scale_grad_by_freq = false,
    _sparse = false,
  ): Tensor => {
    const isReversed = isFloating(input.dtype) && !isFloating(weight.dtype);
    const [index, table] = isReversed ? [weight, input] : [input, weight];
    const options = { padding_idx, max_norm, norm_type, scale_grad_by_freq };
    return lookUp('embedding', index, table, options);
  },
);

/** `embedding`, for the op of that name in messages. */
export function lookUp(op: string, index: Tensor, weight: Tensor, options: LookupOptions): Tensor {
  const { padding_idx = null, max_norm = null, norm_type = 2 } = options;
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
  }
  if (weight.ndim !== 2) {
    const message = `weight must have 2 dimensions, got ${formatShape(weight.shape)}`;
    throw opError(ShapeError, op, message);
  }
  const padding = paddingRow(op, weight, padding_idx);
  if (max_norm !== null) limitRows(index, weight, max_norm, norm_type);
  const rows = apply(EMBEDDING, [weight, index], { padding });
  if (!options.scale_grad_by_freq) return rows;
  const share = unsqueeze(reciprocal(frequencies(index, weight)), -1);
  // The value of `rows`, a share of its gradient.
  return add(rows.detach(), mul(share, sub(rows, rows.detach())));
}

/** How often each row of `weight` is looked up: (rows). */
function counts(index: Tensor, weight: Tensor): Tensor {
  const flat = reshape(index, [-1]);
  const ones = full(flat.shape, 1, weight.dtype);
  return apply(ROW_SUMS, [ones, flat], { rows: weight.shape[0]!, padding: -1 });
}

/** How often the row of each element is looked up: index's shape. */
function frequencies(index: Tensor, weight: Tensor): Tensor {
  return apply(EMBEDDING, [counts(index, weight), index], { padding: -1 });
}

/** Scales rows that are looked up and larger than `max_norm` down to it, in place. */
function limitRows(index: Tensor, weight: Tensor, max_norm: number, p: number): void {
  const limited = noGrad(() => {
    const size = abs(weight);
    const isMax = p === Number.POSITIVE_INFINITY;
    const norm = isMax ? amax(size, 1, true) : pow(sum(pow(size, p), 1, true), 1 / p);
    const isUsed = gt(unsqueeze(counts(index, weight), 1), 0);
    const isLarge = logicalAnd(isUsed, gt(norm, max_norm));
    return where(isLarge, mul(weight, div(max_norm, add(norm, 1e-7))), weight);
  });
  // A tensor that others made keeps their gradients, as if nothing had been scaled.
  const value = weight.is_leaf ? limited : add(limited, sub(weight, weight.detach()));
  weight.rebind(value.value);
}

function paddingRow(op: string, weight: Tensor, padding_idx: number | null): number {
  if (padding_idx === null) return -1;
  const rows = weight.shape[0]!;
  const row = padding_idx < 0 ? padding_idx + rows : padding_idx;
  if (Number.isInteger(row) && row >= 0 && row < rows) return row;
  throw opError(ShapeError, op, `padding_idx ${padding_idx} is no row of ${rows}`);
}
