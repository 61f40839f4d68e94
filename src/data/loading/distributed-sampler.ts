/** The part of an epoch that one of several processes takes. */

import { ArgumentError } from '../../base/errors.ts';
import { everySample, type Sampler } from './sampler.ts';

export interface DistributedSamplerOptions {
  /** Whose order is shared out; in its place a data set, whose samples are shuffled by default. */
  readonly sampler?: Sampler;
  readonly dataset?: { readonly length: number };
  /** How many processes train, and which of them this is, from 0. */
  readonly num_replicas: number;
  readonly rank: number;
  /** Of a data set; true unless given. */
  readonly shuffle?: boolean;
  /** Of a data set, the same in every process; 0 unless given. */
  readonly seed?: number;
  /**
   * Leaves out the last samples of an epoch that are too few for every process to get one; false
   * unless given, and then the first ones come again in their place.
   */
  readonly drop_last?: boolean;
}

/**
 * Process `rank` takes every `num_replicas`-th sample of the order that all processes share, so
 * together they take all, and each as many as the others.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  readonly num_replicas: number;
  readonly rank: number;
  readonly #shared: Sampler;

  /** @throws ArgumentError for numbers that make no sense. */
  constructor(options: DistributedSamplerOptions) {
    const { sampler, dataset, num_replicas, rank } = options;
    const { shuffle = true, seed = 0, drop_last = false } = options;
    if ((sampler === undefined) === (dataset === undefined)) {
      throw new ArgumentError('[DistributedSampler] takes a sampler or a dataset');
    }
    if (!Number.isSafeInteger(num_replicas) || num_replicas < 1) {
      throw new ArgumentError(
        `[DistributedSampler] num_replicas must be an integer >= 1, got ${num_replicas}`,
      );
    }
    if (!Number.isSafeInteger(rank) || rank < 0 || rank >= num_replicas) {
      throw new ArgumentError(
        `[DistributedSampler] rank must be an integer from 0 to ${num_replicas - 1}, got ${rank}`,
      );
    }
    this.#shared = sampler ?? everySample({ length: dataset!.length, shuffle, seed });
    this.num_replicas = num_replicas;
    this.rank = rank;
    const each = this.#shared.length / num_replicas;
    this.length = drop_last ? Math.floor(each) : Math.ceil(each);
  }

  order(epoch: number): Int32Array {
    return this.part(this.whole(epoch));
  }

  /** What all processes take of an epoch together, `num_replicas * length` samples. */
  whole(epoch: number): Int32Array {
    const shared = this.#shared.order(epoch);
    const { length, num_replicas } = this;
    return Int32Array.from({ length: length * num_replicas }, (_, i) => shared[i % shared.length]!);
  }

  /** The samples of this process among those of all. */
  part(samples: Int32Array): Int32Array {
    return samples.filter((_, i) => i % this.num_replicas === this.rank);
  }
}
