/** What each part of making a batch takes, each timed by itself on one thread. */

import type { LoadedConfig } from '../config/load.ts';
import { engine } from '../core/device.ts';
import type { Dataset } from '../data/dataset.ts';
import { ImageDataset } from '../data/images/image-dataset.ts';
import { commonSize } from '../data/images/image-store.ts';
import type { DataLoader } from '../data/loading/loader.ts';
import { median } from './bench.ts';
import { openLoader } from './loop/batches.ts';
import { samplesPerStep } from './task/task.ts';

export interface Timing {
  readonly batches: number;
  readonly samples: number;
  readonly seconds: number;
  /** Median milliseconds of a batch: other work on the machine changes it little. */
  readonly median: number;
}

export interface StageReport {
  /**
   * `draw`: what is random about each sample. `transform`: what is done to its pixels. `gather`:
   * bytes made into the batch's floats, normalised. `whole`: all of it, when it is asked for.
   */
  readonly stage: 'draw' | 'transform' | 'gather' | 'whole';
  readonly ms_per_batch: number;
  readonly samples_per_second: number;
}

/** Makes batches for so many seconds; the first tenth of them is not counted. */
export async function timeBatches(loader: DataLoader, seconds: number): Promise<Timing> {
  const start = performance.now();
  const warm = start + seconds * 100;
  const end = start + seconds * 1000;
  let begin = 0;
  let last = start;
  const times: number[] = [];
  let samples = 0;
  for (let epoch = 0; last < end || times.length === 0; epoch++) {
    for (const batch of loader.epoch(epoch)) {
      // A batch that is made ahead is promised only; reading its targets waits for it.
      await engine().read(batch.targets);
      const before = last;
      last = performance.now();
      if (begin > 0) {
        times.push(last - before);
        samples += batch.size;
        if (last >= end) break;
      } else if (last >= warm) begin = last;
    }
  }
  const taken = (last - begin) / 1000;
  return { batches: times.length, samples, seconds: taken, median: median(times) };
}

/** The stages of one batch, in order; of other sets than images, all of it alone. */
export async function timeStages(
  loaded: LoadedConfig,
  dataset: Dataset,
  seconds: number,
): Promise<StageReport[]> {
  const { config } = loaded;
  const alone = { ...loaded, config: { ...config, data: { ...config.data, num_workers: 0 } } };
  const time = async (of: Dataset) => {
    using loader = openLoader(alone, of, 'training');
    return (await timeBatches(loader, seconds)).median;
  };
  const size = Math.min(samplesPerStep(config), dataset.length);
  const stage = (name: StageReport['stage'], ms: number): StageReport => {
    return { stage: name, ms_per_batch: ms, samples_per_second: (size / ms) * 1000 };
  };
  const whole = await time(dataset);
  const bare = dataset instanceof ImageDataset ? withoutChanges(dataset) : undefined;
  if (bare === undefined) return [stage('whole', whole)];
  const gather = await time(bare);
  const draw = timeDraws(alone, dataset as ImageDataset, seconds);
  return [
    ...(draw === undefined ? [] : [stage('draw', draw)]),
    stage('transform', Math.max(0, whole - gather - (draw ?? 0))),
    stage('gather', gather),
    stage('whole', whole),
  ];
}

/** The same images, to which nothing is done but that their bytes become floats. */
function withoutChanges({ stores, classes, labels, transforms }: ImageDataset) {
  const kept = transforms.filter(({ takes }) => takes === 'bytes' || takes === 'floats');
  if (kept.length === transforms.length || commonSize(stores) === undefined) return undefined;
  return new ImageDataset({ classes, labels, stores }, kept);
}

/** Milliseconds of the draws for a batch; nothing where the engine draws on its own. */
function timeDraws(
  loaded: LoadedConfig,
  dataset: ImageDataset,
  seconds: number,
): number | undefined {
  if (dataset.workShape === undefined) return undefined;
  using loader = openLoader(loaded, dataset, 'training');
  const { seed } = loaded.config;
  const order = loader.order(0).subarray(0, loader.batchSize);
  const end = performance.now() + seconds * 1000;
  const times: number[] = [];
  for (let epoch = 0; performance.now() < end; epoch++) {
    const start = performance.now();
    for (const sample of order) dataset.work(sample, { seed, epoch });
    times.push(performance.now() - start);
  }
  return median(times);
}
