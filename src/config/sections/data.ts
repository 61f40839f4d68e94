/** `data:`, what is trained on. */

import { z } from 'zod';
import { type Spec, strict } from '../../base/registry.ts';
import { count, type SpecSource } from './values.ts';

/** What stands before `_loss` in the name of a metric. */
const SET_NAME = /^(?!type$)[a-z]\w*$/i;

/** A data set, and a list of them that is one. */
const oneAndList = (datasets: SpecSource) =>
  [
    datasets.spec(),
    z
      .array(datasets.spec())
      .min(1)
      .transform((list): Spec => ({ type: 'ConcatDataset', datasets: list })),
  ] as const;

const oneOrList = (datasets: SpecSource) => z.union(oneAndList(datasets));

/** A data set, or several by name. */
const oneOrMore = (datasets: SpecSource) =>
  z.union([
    ...oneAndList(datasets),
    z.record(z.string(), oneOrList(datasets)).check(({ value, issues }) => {
      for (const name of Object.keys(value).filter((key) => !SET_NAME.test(key))) {
        const message = 'the name of a set is a word of letters, digits and underscores';
        issues.push({ code: 'custom', input: value, path: [name], message });
      }
    }),
  ]);

interface Sources {
  readonly datasets: SpecSource;
  readonly batchTransforms: SpecSource;
  readonly samplers: SpecSource;
}

export const data = ({ datasets, batchTransforms, samplers }: Sources) =>
  strict({
    train: oneOrList(datasets).describe(
      'The samples to train on; a list of data sets is their ConcatDataset.',
    ),
    val: oneOrMore(datasets)
      .optional()
      .describe(
        'The samples that every epoch is measured on: a data set, or several by name ' +
          '(`val: { clean: ..., noisy: ... }`), whose metrics are called `val_clean_loss`.',
      ),
    test: oneOrList(datasets)
      .optional()
      .describe('The samples that the best checkpoint is measured on when training is over.'),
    batch_transforms: z
      .array(batchTransforms.spec())
      .default([])
      .describe('What is done to every training batch; classes become probabilities.'),
    batch_size: count().describe('Samples a batch.'),
    eval_batch_size: count()
      .optional()
      .describe('Samples a batch of `val` and `test`. Default: batch_size.'),
    shuffle: z
      .boolean()
      .optional()
      .describe(
        'Visits the samples in another order every epoch. Default: true, unless there is a sampler.',
      ),
    sampler: samplers
      .spec()
      .optional()
      .describe('Which training samples an epoch takes, in which order; in place of shuffle.'),
    buckets: z
      .array(count())
      .min(1)
      .optional()
      .describe(
        'Lengths: samples of like length come together, padded to the first of these that holds ' +
          'them, for data sets whose samples have lengths of their own.',
      ),
    num_workers: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        'Threads that make batches of images ahead of their use; 0 makes each when it is needed. No ' +
          'result depends on it. Default: 1, or up to 4 where transforms compute with pixels.',
      ),
    drop_last: z
      .boolean()
      .default(false)
      .describe('Leaves out a last batch that is smaller than the others.'),
  })
    .check(({ value, issues }) => {
      if (value.sampler === undefined || value.shuffle === undefined) return;
      const message = 'the sampler says in which order samples come; leave shuffle out';
      issues.push({ code: 'custom', input: value, path: ['shuffle'], message });
    })
    .transform(({ shuffle, ...value }): typeof value & { readonly shuffle?: boolean } =>
      // Last, whether it was given or not: a resolved config is written the same again.
      value.sampler === undefined ? { ...value, shuffle: shuffle ?? true } : value,
    );
