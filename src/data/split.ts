/** Which samples are for training, and which for measuring. */

import { z } from 'zod';
import { ConfigError } from '../base/errors.ts';
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
