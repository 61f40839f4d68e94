/** Several tensors made one, and one made several. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { unsqueeze } from './movement.ts';
import { narrow } from './slicing.ts';

const CAT = defineOp<{ dim: number }>({
  name: 'cat',
  kind: 'movement',
  vjp({ grads, inputs, attrs: { dim } }) {
    let start = 0;
    return inputs.map((input) => {
      const length = input.shape[dim]!;
      start += length;
      return narrow(grads[0]!, dim, start - length, length);
    });
  },
  infer(inputs, { dim }) {
    const first = inputs[0]!;
    for (const [i, { dtype, shape }] of inputs.entries()) {
      const fits =
        shape.length === first.shape.length &&
        shape.every((size, d) => d === dim || size === first.shape[d]);
      if (!fits) {
        throw opError(
          ShapeError,
          'cat',
          `tensor ${i} has shape ${formatShape(shape)}, tensor 0 ${formatShape(first.shape)}; ` +
            `they may differ only in dimension ${dim}`,
        );
      }
      if (dtype !== first.dtype) {
        throw opError(DTypeError, 'cat', `tensor ${i} is ${dtype}, tensor 0 is ${first.dtype}`);
      }
    }
    const joined = inputs.reduce((sum, { shape }) => sum + shape[dim]!, 0);
    return [{ dtype: first.dtype, shape: first.shape.map((n, d) => (d === dim ? joined : n)) }];
  },
  lower: ({ attrs }) => ({ kernel: 'cat', attrs }),
});

/** Joins tensors along `dim`; all other sizes are equal. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = tensors[0];
  if (first === undefined) throw opError(ArgumentError, 'cat', 'needs at least one tensor');
  if (first.ndim === 0) throw opError(ShapeError, 'cat', 'zero-dimensional tensors: use stack');
  return apply(CAT, tensors, { dim: normalizeDim('cat', dim, first.ndim) });
}

/** Joins tensors of one shape along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return cat(
    tensors.map((tensor) => unsqueeze(tensor, dim)),
    dim,
  );
}

/** Parts of at most `size` elements along `dim`, or of the given sizes. */
export function split(x: Tensor, size: number | readonly number[], dim = 0): Tensor[] {
  const at = normalizeDim('split', dim, x.ndim);
  const total = x.shape[at] ?? 0;
  const sizes = typeof size === 'number' ? equalParts(total, size) : size;
  if (sizes.reduce((sum, n) => sum + n, 0) !== total) {
    throw opError(ArgumentError, 'split', `sizes [${sizes.join(', ')}] do not add up to ${total}`);
  }
  let start = 0;
  return sizes.map((length) => {
    start += length;
    return narrow(x, at, start - length, length);
  });
}

function equalParts(total: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1) {
    throw opError(ArgumentError, 'split', `size must be a positive integer, got ${size}`);
  }
  const count = Math.max(1, Math.ceil(total / size));
  return Array.from({ length: count }, (_, i) => Math.min(size, total - i * size));
}
