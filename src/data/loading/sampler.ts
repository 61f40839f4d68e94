/** The order in which an epoch visits the samples. */

import { ArgumentError } from '../../base/errors.ts';
import { philox4x32, philoxKey } from '../../base/philox.ts';

export interface SamplerOptions {
  /** The number of samples in the set. */
  readonly length: number;
  readonly shuffle: boolean;
  /** A non-negative safe integer. */
  readonly seed: number;
  /** The samples of every epoch, in this order; excludes `shuffle`. */
  readonly order?: Int32Array;
}

/** Set apart from the other users of the seed by the stream's high word: "shuf" in ASCII. */
const SHUFFLE_STREAM = 0x73687566;

/**
 * The samples of one epoch, in order. A pure function of its arguments: any epoch can be computed
 * again, so a run that stopped in the middle of one continues with the same samples.
 */
export function epochOrder(options: SamplerOptions, epoch: number): Int32Array {
  const { length, shuffle, seed, order } = options;
  if (order !== undefined) return order;
  const indices = Int32Array.from({ length }, (_, i) => i);
  if (shuffle) shuffleInPlace(indices, seed, epoch);
  return indices;
}

/** Fisher-Yates over Philox words: every permutation is equally likely. */
function shuffleInPlace(indices: Int32Array, seed: number, epoch: number): void {
  const next = wordStream(seed, epoch);
  for (let i = indices.length - 1; i > 0; i--) {
    const j = boundedInteger(next, i + 1);
    const swapped = indices[i]!;
    indices[i] = indices[j]!;
    indices[j] = swapped;
  }
}

/** An unbiased integer in [0, bound): words past the last whole multiple of `bound` are redrawn. */
function boundedInteger(next: () => number, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  let word = next();
  while (word >= limit) word = next();
  return word % bound;
}

function wordStream(seed: number, epoch: number): () => number {
  const key = philoxKey(seed);
  let block: readonly number[] = [];
  let position = 0;
  return () => {
    if (position % 4 === 0) {
      block = philox4x32([position / 4, 0, epoch, SHUFFLE_STREAM], key);
    }
    return block[position++ % 4]!;
  };
}

/** Throws an `ArgumentError` unless `order` holds only samples of a set of `length`. */
export function checkOrder(order: Int32Array, length: number): void {
  const wrong = order.findIndex((index) => index < 0 || index >= length);
  if (wrong >= 0) {
    throw new ArgumentError(
      `[DataLoader] order[${wrong}] is ${order[wrong]}, but the data set has ${length} samples`,
    );
  }
}
