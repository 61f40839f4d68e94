/** Rows of a table chosen by indices. */

import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { reshape } from './movement.ts';
import { eq, where } from './pointwise.ts';

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

/**
 * Row index[i...] of `weight` for every element of `index`: (index.., ...weight.shape[1:]). The row
 * `padding_idx` gets no gradient.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 */
export function embedding(
  index: Tensor,
  weight: Tensor,
  { padding_idx }: { padding_idx?: number | null } = {},
): Tensor {
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw opError(DTypeError, 'embedding', `index must be int64 or int32, got ${index.dtype}`);
  }
  if (weight.ndim !== 2) {
    const message = `weight must have 2 dimensions, got ${formatShape(weight.shape)}`;
    throw opError(ShapeError, 'embedding', message);
  }
  return apply(EMBEDDING, [weight, index], { padding: paddingRow(weight, padding_idx) });
}

function paddingRow(weight: Tensor, padding_idx: number | null | undefined): number {
  if (padding_idx == null) return -1;
  const rows = weight.shape[0]!;
  const row = padding_idx < 0 ? padding_idx + rows : padding_idx;
  if (Number.isInteger(row) && row >= 0 && row < rows) return row;
  throw opError(ShapeError, 'embedding', `padding_idx ${padding_idx} is no row of ${rows}`);
}
