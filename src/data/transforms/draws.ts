/**
 * Random numbers of one transform on one sample: a sequence of Philox words that follows from the
 * seed, the epoch, the sample and the transform's place among the random ones alone. So no number
 * of threads changes a result, and a run can go on from the middle of an epoch.
 */

import { philox4x32, philoxKey } from '../../base/philox.ts';
import { AUGMENTATION_STREAM } from '../../engine/images.ts';

export interface DrawPlace {
  /** A non-negative safe integer. */
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
  /** Below 2^16. */
  readonly place: number;
}

export class Draws {
  readonly #at: DrawPlace;
  readonly #key: readonly [number, number];
  #words: readonly number[] = [];
  #taken = 0;

  constructor(at: DrawPlace) {
    this.#at = at;
    this.#key = philoxKey(at.seed);
  }

  /** 32 random bits. */
  word(): number {
    if (this.#taken % 4 === 0) {
      const { sample, place, epoch } = this.#at;
      const block = this.#taken / 4;
      const counter = [sample, place + block * 2 ** 16, epoch, AUGMENTATION_STREAM] as const;
      this.#words = philox4x32(counter, this.#key);
    }
    return this.#words[this.#taken++ % 4]!;
  }

  /** From [0, 1). */
  unit(): number {
    return this.word() / 2 ** 32;
  }

  /** From [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number from [0, bound); `bound` is 2^21 at most. */
  below(bound: number): number {
    return Math.floor((this.word() * bound) / 2 ** 32);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.unit() < p;
  }

  /** The numbers from 0 to `length` - 1 in a random order. Fisher and Yates. */
  order(length: number): number[] {
    const numbers = Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
    }
    return numbers;
  }
}
