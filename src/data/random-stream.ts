/** Random numbers one after another, all of which follow from a seed. */

import { boundedInteger, uniform, type Words, wordStream } from './loading/draws.ts';

/** Keeps what is made up apart from what samplers draw under the same seed. */
const STREAM = 0x73796e;

export class RandomStream {
  readonly #next: Words;

  /** @param seed a non-negative safe integer. */
  constructor(seed: number) {
    this.#next = wordStream(seed, 0, STREAM);
  }

  /** In [0, 1). */
  uniform(): number {
    return uniform(this.#next);
  }

  /** Of mean 0 and standard deviation 1, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The values in an order of their own, by Fisher and Yates. */
  shuffled<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let i = result.length - 1; i > 0; i--) {
      const j = boundedInteger(this.#next, i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }
}
