/** Batches of samples of like length, so that little of a batch is padding. */

import { ArgumentError } from '../../base/errors.ts';

/** Samples that are taken together, and what they are padded to where they vary. */
export interface Group {
  readonly indices: Int32Array;
  readonly length?: number | undefined;
}

/** Batches of `batch_size` in the order given; the last may be smaller. */
export function inOrder(order: Int32Array, batch_size: number): Group[] {
  return Array.from({ length: Math.ceil(order.length / batch_size) }, (_, i) => ({
    indices: order.subarray(i * batch_size, (i + 1) * batch_size),
  }));
}

/** The groups, each with the first of the rising lengths `pad_to` that holds its longest sample. */
export function padded(
  groups: readonly Group[],
  lengths: Int32Array,
  pad_to: readonly number[],
): Group[] {
  return groups.map(({ indices }) => {
    const longest = indices.reduce((most, index) => Math.max(most, lengths[index]!), 0);
    return { indices, length: holding(pad_to, longest) };
  });
}

/** The first of rising lengths that is at least `length`. */
export function holding(rising: readonly number[], length: number): number {
  return rising.find((most) => length <= most) ?? rising.at(-1)!;
}

/**
 * Lengths to pad batches to, so that few shapes are compiled and, from 8 on, less than a third is
 * padding behind its longest sample: 8, 12, 16, 24, 32, 48, ... and `longest`.
 */
export function fewLengths(longest: number): number[] {
  const lengths: number[] = [];
  for (let power = 8; power < longest; power *= 2) lengths.push(power, power * 1.5);
  return [...lengths.filter((length) => length < longest), longest];
}

/**
 * A batch is complete as soon as enough samples have come for one bucket, so batches of all lengths
 * come mixed. Those that are left then come together, the short ones first: an epoch has as many
 * batches as without buckets, whatever samples it takes. A pure function of its arguments.
 *
 * @param buckets rising lengths: a sample goes to the first that is at least its own.
 */
export function byLength(
  order: Int32Array,
  lengths: Int32Array,
  buckets: readonly number[],
  batch_size: number,
): Group[] {
  const waiting = buckets.map((): number[] => []);
  const groups: Group[] = [];
  for (const index of order) {
    const bucket = buckets.findIndex((most) => lengths[index]! <= most);
    const members = waiting[bucket]!;
    members.push(index);
    if (members.length < batch_size) continue;
    groups.push({ indices: Int32Array.from(members.splice(0)), length: buckets[bucket]! });
  }
  const left = inOrder(Int32Array.from(waiting.flat()), batch_size);
  return [...groups, ...padded(left, lengths, buckets)];
}

/**
 * The buckets that are used: those given below `longest`, and one that takes every sample.
 *
 * @throws ArgumentError unless they are whole numbers that rise.
 */
export function checkBuckets(buckets: readonly number[], longest: number): number[] {
  const wrong = buckets.findIndex(
    (most, i) => !Number.isSafeInteger(most) || most < 1 || most <= (buckets[i - 1] ?? 0),
  );
  if (wrong >= 0) {
    throw new ArgumentError(
      `[DataLoader] buckets must be whole numbers that rise, got ${buckets.join(', ')}`,
    );
  }
  return [...buckets.filter((most) => most < longest), longest];
}
