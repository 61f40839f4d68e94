/** Which samples of a set are taken: a part for training or measuring, or the first few. */

import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { epochOrder } from './sampler.ts';

/** The arguments of data sets that can hold a part of their samples back. */
export const splitArguments = {
  split: z
    .enum(['all', 'train', 'test'])
    .default('all')
    .describe('Which samples: all, or those that test_size leaves for training or holds back.'),
  test_size: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('The part of the samples that is held back, where split is train or test.'),
  random_state: z.int().min(0).default(0).describe('What the samples held back are drawn from.'),
};

export interface SplitOptions {
  readonly split: 'all' | 'train' | 'test';
  readonly test_size: number;
  readonly random_state: number;
}

/**
 * The samples of `split`, in order. A pure function of its arguments.
 * https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html
 *
 * @param stratify the class of each sample, to hold back the same part of each.
 * @throws ConfigError when there is no such sample.
 */
export function splitPlaces(
  length: number,
  { split, test_size, random_state: seed }: SplitOptions,
  stratify?: Int32Array,
): Int32Array {
  const all = Int32Array.from({ length }, (_, place) => place);
  if (split === 'all') return all;
  const isHeldBack = new Uint8Array(length);
  const groups = new Map<number, number[]>();
  for (const place of epochOrder({ length, shuffle: true, seed }, 0)) {
    const group = stratify?.[place] ?? 0;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [place]);
    else members.push(place);
  }
  for (const group of groups.values()) {
    for (const place of group.slice(0, Math.round(group.length * test_size))) {
      isHeldBack[place] = 1;
    }
  }
  const wanted = split === 'test' ? 1 : 0;
  const places = all.filter((place) => isHeldBack[place] === wanted);
  if (places.length > 0) return places;
  throw new ConfigError(`[split] test_size leaves none of ${length} samples for split: ${split}`);
}

/** The arguments of data sets of which only the first samples may be wanted. */
export const limitArguments = {
  limit: z.int().positive().optional().describe('Takes only the first so many samples.'),
  limit_per_class: z
    .int()
    .positive()
    .optional()
    .describe('Takes only the first so many samples of each class.'),
};

export interface LimitOptions {
  readonly limit?: number | undefined;
  readonly limit_per_class?: number | undefined;
}

/** The samples within the limits, in order; the limit of each class counts first. */
export function limitedPlaces(
  labels: Int32Array,
  { limit, limit_per_class = Number.POSITIVE_INFINITY }: LimitOptions,
): Int32Array {
  const seen = new Map<number, number>();
  const all = Int32Array.from(labels.keys());
  const within = all.filter((place) => {
    const count = (seen.get(labels[place]!) ?? 0) + 1;
    seen.set(labels[place]!, count);
    return count <= limit_per_class;
  });
  return within.subarray(0, limit);
}
