/** Random numbers of samplers: each epoch has a stream of its own, which can be drawn again. */

import { philox4x32, philoxKey } from '../../base/philox.ts';

/** The next of a stream of random words, each in [0, 2^32). */
export type Words = () => number;

/**
 * The words of an epoch under a seed, both non-negative safe integers; `stream` sets users of the
 * seed apart from each other.
 */
export function wordStream(seed: number, epoch: number, stream: number): Words {
  const key = philoxKey(seed);
  let block: readonly number[] = [];
  let position = 0;
  return () => {
    if (position % 4 === 0) block = philox4x32([position / 4, 0, epoch, stream], key);
    return block[position++ % 4]!;
  };
}

/** An unbiased integer in [0, bound): words past the last whole multiple of `bound` are redrawn. */
export function boundedInteger(next: Words, bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  let word = next();
  while (word >= limit) word = next();
  return word % bound;
}

/** In [0, 1), a multiple of 2^-53. */
export function uniform(next: Words): number {
  const high = next() >>> 5;
  const low = next() >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

/** Fisher-Yates: every permutation is equally likely. */
export function shuffleInPlace(indices: Int32Array, next: Words): void {
  for (let i = indices.length - 1; i > 0; i--) {
    const j = boundedInteger(next, i + 1);
    const swapped = indices[i]!;
    indices[i] = indices[j]!;
    indices[j] = swapped;
  }
}
