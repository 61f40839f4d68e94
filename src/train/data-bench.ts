/** `data bench`: how many samples a second the loader makes, and where the time goes. */

import type { LoadedConfig } from '../config/load.ts';
import { datasetAt } from '../config/model-check.ts';
import { bench } from './bench.ts';
import { type StageReport, timeBatches, timeStages } from './data-stages.ts';
import { openLoader } from './loop/batches.ts';
import { samplesPerStep } from './task/task.ts';

export interface DataBenchRequest {
  readonly loaded: LoadedConfig;
  /** How long batches are made; the first 10 % are not counted. */
  readonly seconds: number;
  /** Times the training step too, with and without the data. */
  readonly step?: boolean | undefined;
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
  /** Where the time of a batch goes, when it is made on one thread. */
  readonly stages: readonly StageReport[];
  /** Where that was asked for. */
  readonly step?: StepReport;
}

/** The config's training step. */
export interface StepReport {
  /** With a batch that is there already, and the samples that it uses up. */
  readonly ms: number;
  readonly samples_per_second: number;
  /** With batches of the data; what it is longer by, it waits. */
  readonly ms_with_data: number;
}

/** @throws ConfigError for a data set that does not fit; FileError when it cannot be read. */
export async function benchData(request: DataBenchRequest): Promise<DataBenchReport> {
  const { loaded, seconds } = request;
  const { config } = loaded;
  const start = performance.now();
  const dataset = await datasetAt(loaded, ['data', 'train'], config.data.train).load();
  const read = performance.now();
  using loader = openLoader(loaded, dataset, 'training');
  const opened = performance.now();
  const all = await timeBatches(loader, seconds);
  return {
    name: config.name,
    samples: dataset.length,
    batch_size: loader.batchSize,
    batches: all.batches,
    samples_per_second: all.samples / all.seconds,
    ms_per_batch: (all.seconds / all.batches) * 1000,
    load_seconds: (read - start) / 1000,
    open_seconds: (opened - read) / 1000,
    ahead: loader.ahead,
    stages: await timeStages(loaded, dataset, seconds / 3),
    ...(request.step && { step: await timeStep(loaded) }),
  };
}

async function timeStep(loaded: LoadedConfig): Promise<StepReport> {
  const { ms_per_step_median: ms } = await bench({ loaded });
  const { ms_per_step_median: ms_with_data } = await bench({ loaded, data: true });
  const samples_per_second = (samplesPerStep(loaded.config) / ms) * 1000;
  return { ms, samples_per_second, ms_with_data };
}
