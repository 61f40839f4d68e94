/**
 * Which samples an epoch takes in which order. A run that stopped within an epoch can only go on
 * when the rest of it holds the samples that were not taken yet.
 */

import { crc32 } from 'node:zlib';
import type { LoadedConfig } from '../../config/load.ts';
import type { DataLoader } from '../../data/index.ts';
import type { RunState, SampleOrder } from '../checkpoint/checkpoint.ts';
import { samplesPerStep } from '../task/task.ts';

/** Where each of these is written in a config; what comes first is looked at first. */
const PATHS: Record<keyof SampleOrder, readonly string[]> = {
  samples: ['data', 'train'],
  batch_size: ['data', 'batch_size'],
  shuffle: ['data', 'shuffle'],
  drop_last: ['data', 'drop_last'],
  seed: ['seed'],
  order: ['data', 'sampler'],
};

/** @param epoch where training stands. */
export function sampleOrder(
  { config }: LoadedConfig,
  loader: DataLoader,
  epoch: number,
): SampleOrder {
  const { shuffle = false, drop_last } = config.data;
  const { seed } = config;
  const batch_size = samplesPerStep(config);
  const order = crc32(Buffer.from(Int32Array.from(loader.order(epoch)).buffer));
  return { samples: loader.dataset.length, batch_size, shuffle, drop_last, seed, order };
}

/** Throws a ConfigError that points at what differs from `before`. */
export function checkSampleOrder(
  loaded: LoadedConfig,
  loader: DataLoader,
  { data: before, epoch }: Pick<RunState, 'data' | 'epoch'>,
): void {
  const now = sampleOrder(loaded, loader, epoch);
  for (const key of Object.keys(PATHS) as (keyof SampleOrder)[]) {
    if (before[key] === undefined || now[key] === before[key]) continue;
    const what =
      key === 'order'
        ? 'it gives another order of the samples than'
        : `${key} is ${now[key]}, but was ${before[key]}`;
    throw loaded.error(PATHS[key], `${what} in the epoch that the run stopped in`);
  }
}
