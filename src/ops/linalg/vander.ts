/** Vandermonde matrices. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ones } from '../creation.ts';
import { cat } from '../joining.ts';
import { expand, unsqueeze } from '../movement.ts';
import { named, requireTensors } from '../named.ts';
import { cumprod } from '../scanning.ts';
import { flip } from '../slicing.ts';

/** Powers 0 to `count` - 1 of the elements, in a new last dimension. */
function powers(x: Tensor, count: number): Tensor {
  const factors = expand(unsqueeze(x, -1), [...x.shape, Math.max(0, count - 1)]);
  const first = ones([...x.shape, Math.min(1, count)], { dtype: x.dtype });
  return cumprod(cat([first, factors], -1), -1);
}

/**
 * Row i has the powers 0 to N - 1 (by default n - 1) of element i: (*, n) -> (*, n, N), N > 1.
 * https://pytorch.org/docs/stable/generated/torch.linalg.vander.html
 *
 * @throws ArgumentError
 */
export const vander = named(
  'linalg.vander',
  ['x', 'N'],
  (x: Tensor, N: number | null = null): Tensor => {
    const op = 'linalg.vander';
    requireTensors(op, { x });
    const rows = x.ndim === 0 ? unsqueeze(x, 0) : x;
    const count = N ?? rows.shape.at(-1)!;
    if (!Number.isInteger(count) || count < 2) {
      throw opError(ArgumentError, op, `N must be an integer above 1, got ${count}`);
    }
    return powers(rows, count);
  },
);

/**
 * Row i has powers of element i, from N - 1 (by default n - 1) down to 0, or up if `increasing`:
 * (n) -> (n, N).
 * https://pytorch.org/docs/stable/generated/torch.vander.html
 *
 * @throws ShapeError, ArgumentError
 */
export const torchVander = named(
  'vander',
  ['x', 'N', 'increasing'],
  (x: Tensor, N: number | null = null, increasing = false): Tensor => {
    requireTensors('vander', { x });
    if (x.ndim !== 1) {
      throw opError(ShapeError, 'vander', `x must be a vector, got ${formatShape(x.shape)}`);
    }
    const count = N ?? x.shape[0]!;
    if (!Number.isInteger(count) || count < 0) {
      throw opError(ArgumentError, 'vander', `N must be a natural number, got ${N}`);
    }
    const rising = powers(x, count);
    return increasing ? rising : flip(rising, -1);
  },
);
