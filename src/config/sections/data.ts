/** `data:`, what is trained on. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';
import { count, type SpecSource } from './values.ts';

export const data = (datasets: SpecSource) =>
  strict({
    train: datasets.spec().describe('The samples to train on.'),
    val: datasets.spec().optional().describe('The samples that every epoch is measured on.'),
    batch_size: count().describe('Samples a batch.'),
    shuffle: z.boolean().default(true).describe('Visits the samples in another order every epoch.'),
    drop_last: z
      .boolean()
      .default(false)
      .describe('Leaves out a last batch that is smaller than the others.'),
  });
