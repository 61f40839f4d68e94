/** Numbers for the displacement between two places of a square window, which attention adds. */

import type { Tensor } from '../core/tensor.ts';
import { indexSelect } from '../ops/choosing.ts';
import { tensor } from '../ops/host-data.ts';

/** How many displacements there are within a window. */
export const displacements = (window: number) => (2 * window - 1) ** 2;

/**
 * (L, L), int64, L = window * window: which displacement lies from the second place to the first.
 */
export function relativePositionIndex(window: number): Tensor {
  const length = window * window;
  const values = BigInt64Array.from({ length: length * length }, (_, i) => {
    const [to, from] = [Math.floor(i / length), i % length];
    const down = Math.floor(to / window) - Math.floor(from / window) + window - 1;
    const right = (to % window) - (from % window) + window - 1;
    return BigInt(down * (2 * window - 1) + right);
  });
  return tensor(values, { shape: [length, length] });
}

/** The rows of `table` (displacements, heads) that `index` names, as (heads, L, L). */
export function spreadTable(table: Tensor, index: Tensor): Tensor {
  const length = Math.sqrt(index.numel());
  return indexSelect(table, 0, index.flatten()).reshape([length, length, -1]).permute([2, 0, 1]);
}
