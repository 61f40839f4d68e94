/** Sequences without padding, as recurrent layers take them. */

import { numel } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { embedding } from '../../ops/embedding.ts';
import { tensor } from '../../ops/host-data.ts';
import { reshape, transpose } from '../../ops/movement.ts';

/**
 * Sequences without padding: the first elements of all, then the second ones, and so on, longest
 * sequence first. Recurrent layers take and give it. Made by `packPaddedSequence` and
 * `packSequence`.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
 */
export class PackedSequence {
  constructor(
    /** (sum of lengths, ...). */
    readonly data: Tensor,
    /** How many sequences have an element at each step. */
    readonly batch_sizes: readonly number[],
    /** Which sequence of the batch stands where; null where they were sorted already. */
    readonly sorted_indices: readonly number[] | null = null,
    readonly unsorted_indices: readonly number[] | null = sorted_indices && inverse(sorted_indices),
  ) {}
}

function inverse(order: readonly number[]): number[] {
  const places = new Array<number>(order.length);
  for (const [place, index] of order.entries()) places[index] = place;
  return places;
}

/** Those places of `x` along `dim`, in that order. */
export function take(x: Tensor, dim: number, places: readonly number[]): Tensor {
  const first = transpose(x, 0, dim);
  const { shape } = first;
  const rows = reshape(first, [shape[0]!, numel(shape.slice(1))]);
  const chosen = embedding(tensor(Int32Array.from(places)), rows);
  return transpose(reshape(chosen, [places.length, ...shape.slice(1)]), 0, dim);
}

/** Where steps of one batch size begin in the packed data, and how many there are. */
export interface Segment {
  readonly start: number;
  readonly steps: number;
  readonly batch: number;
}

/** Runs of steps that have as many sequences. */
export function segments(batch_sizes: readonly number[]): Segment[] {
  const found: { start: number; steps: number; batch: number }[] = [];
  let start = 0;
  for (const batch of batch_sizes) {
    const last = found.at(-1);
    if (last?.batch === batch) last.steps++;
    else found.push({ start, steps: 1, batch });
    start += batch;
  }
  return found;
}
