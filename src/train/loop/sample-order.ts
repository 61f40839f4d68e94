/**
 * Which samples an epoch takes in which order. A run that stopped within an epoch can only go on
 * when the rest of it holds the samples that were not taken yet.
 */

import type { LoadedConfig } from '../../config/load.ts';
import type { Dataset } from '../../data/index.ts';
import type { SampleOrder } from '../checkpoint/checkpoint.ts';
import { samplesPerStep } from '../task/task.ts';

/** Where each of these is written in a config. */
const PATHS: Record<keyof SampleOrder, readonly string[]> = {
  samples: ['data', 'train'],
  batch_size: ['data', 'batch_size'],
  shuffle: ['data', 'shuffle'],
  drop_last: ['data', 'drop_last'],
  seed: ['seed'],
};

export function sampleOrder({ config }: LoadedConfig, dataset: Dataset): SampleOrder {
  const { shuffle, drop_last } = config.data;
  const batch_size = samplesPerStep(config);
  return { samples: dataset.length, batch_size, shuffle, drop_last, seed: config.seed };
}

/** Throws a ConfigError that points at what differs from `before`. */
export function checkSampleOrder(
  loaded: LoadedConfig,
  dataset: Dataset,
  before: SampleOrder,
): void {
  const now = sampleOrder(loaded, dataset);
  for (const key of Object.keys(PATHS) as (keyof SampleOrder)[]) {
    if (now[key] === before[key]) continue;
    throw loaded.error(
      PATHS[key],
      `${key} is ${now[key]}, but was ${before[key]} in the epoch that the run stopped in`,
    );
  }
}
