/** `data bench`: how many samples a second the loader makes, with nothing that trains on them. */

import type { LoadedConfig } from '../config/load.ts';
import { datasetAt } from '../config/model-check.ts';
import { engine } from '../core/device.ts';
import { openLoader } from './loop/batches.ts';

export interface DataBenchRequest {
  readonly loaded: LoadedConfig;
  /** How long batches are made; the first 10 % are not counted. */
  readonly seconds: number;
}

export interface DataBenchReport {
  readonly name: string;
  readonly samples: number;
  /** Samples a batch. */
  readonly batch_size: number;
  /** Batches that were timed. */
  readonly batches: number;
  readonly samples_per_second: number;
  /** A step that takes less than this (ms) would wait for its batch. */
  readonly ms_per_batch: number;
  /** Seconds to read the data set, and to copy it to where batches are made of it. */
  readonly load_seconds: number;
  readonly open_seconds: number;
  /** Whether batches are made ahead, on a thread of their own. */
  readonly ahead: boolean;
}

/** @throws ConfigError for a data set that does not fit; FileError when it cannot be read. */
export async function benchData({ loaded, seconds }: DataBenchRequest): Promise<DataBenchReport> {
  const { config } = loaded;
  const start = performance.now();
  const dataset = await datasetAt(loaded, ['data', 'train'], config.data.train).load();
  const read = performance.now();
  using loader = openLoader(loaded, dataset, 'training');
  const opened = performance.now();
  const warm = opened + seconds * 100;
  const end = opened + seconds * 1000;
  let begin = 0;
  let last = opened;
  let batches = 0;
  let samples = 0;
  for (let epoch = 0; last < end || batches === 0; epoch++) {
    for (const batch of loader.epoch(epoch)) {
      // A batch that is made ahead is promised only; reading its targets waits for it.
      await engine().read(batch.targets);
      last = performance.now();
      if (begin > 0) {
        batches++;
        samples += batch.size;
        if (last >= end) break;
      } else if (last >= warm) begin = last;
    }
  }
  return {
    name: config.name,
    samples: dataset.length,
    batch_size: loader.batchSize,
    batches,
    samples_per_second: (samples / (last - begin)) * 1000,
    ms_per_batch: (last - begin) / batches,
    load_seconds: (read - start) / 1000,
    open_seconds: (opened - read) / 1000,
    ahead: loader.ahead,
  };
}
