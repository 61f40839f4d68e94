/** Mean, deviation and range of numbers that come one after the other. */

export interface ValueStatistics {
  /** What the numbers are called, where they have a name. */
  readonly name?: string;
  /** Of the values that are numbers. */
  readonly mean: number;
  /** Of all of them, not of a sample of them: divided by their number. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** How many are no number. */
  readonly missing: number;
}

/** Mean and variance in one pass. Welford 1962, https://doi.org/10.1080/00401706.1962.10490022 */
export class Moments {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #missing = 0;

  /** A value that comes `times` times. */
  add(value: number, times = 1): void {
    if (times === 0) return;
    if (Number.isNaN(value)) {
      this.#missing += times;
      return;
    }
    this.#count += times;
    const before = value - this.#mean;
    this.#mean += (before * times) / this.#count;
    this.#squares += before * (value - this.#mean) * times;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  get statistics(): ValueStatistics {
    const isEmpty = this.#count === 0;
    return {
      mean: isEmpty ? Number.NaN : this.#mean,
      std: isEmpty ? Number.NaN : Math.sqrt(this.#squares / this.#count),
      min: this.#min,
      max: this.#max,
      missing: this.#missing,
    };
  }
}

export function statisticsOf(values: Iterable<number>): ValueStatistics {
  const moments = new Moments();
  for (const value of values) moments.add(value);
  return moments.statistics;
}
