/** The order in which an epoch visits the samples. */

import { ArgumentError } from '../../base/errors.ts';
import { shuffleInPlace, wordStream } from './draws.ts';

/**
 * Which samples an epoch takes, in which order. What an epoch takes follows from its number alone,
 * so that a run can go on in the middle of one.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
 */
export interface Sampler {
  /** The number of samples of every epoch. */
  readonly length: number;
  /** The samples of an epoch, a non-negative integer, in order. */
  order(epoch: number): Int32Array;
}

export interface SamplerOptions {
  /** The number of samples in the set. */
  readonly length: number;
  readonly shuffle: boolean;
  /** A non-negative safe integer. */
  readonly seed: number;
}

/** Set apart from the other users of the seed by the stream's high word: "shuf" in ASCII. */
const SHUFFLE_STREAM = 0x73687566;

/**
 * All samples of one epoch, in order. A pure function of its arguments: any epoch can be computed
 * again, so a run that stopped in the middle of one continues with the same samples.
 */
export function epochOrder({ length, shuffle, seed }: SamplerOptions, epoch: number): Int32Array {
  const indices = Int32Array.from({ length }, (_, i) => i);
  if (shuffle) shuffleInPlace(indices, wordStream(seed, epoch, SHUFFLE_STREAM));
  return indices;
}

/** Every sample once an epoch. */
export function everySample(options: SamplerOptions): Sampler {
  return { length: options.length, order: (epoch) => epochOrder(options, epoch) };
}

/** The same samples in the same order every epoch. */
export function fixedOrder(order: Int32Array): Sampler {
  return { length: order.length, order: () => order };
}

/** Throws an `ArgumentError` unless `order` holds only samples of a set of `length`. */
export function checkOrder(name: string, order: Int32Array, length: number): void {
  const wrong = order.findIndex((index) => index < 0 || index >= length);
  if (wrong >= 0) {
    throw new ArgumentError(
      `[DataLoader] ${name}[${wrong}] is ${order[wrong]}, but the data set has ${length} samples`,
    );
  }
}
