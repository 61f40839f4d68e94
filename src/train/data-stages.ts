/** What each part of making a batch takes, each timed by itself on one thread. */

import type { LoadedConfig } from '../config/load.ts';
import { engine } from '../core/device.ts';
import type { Dataset } from '../data/dataset.ts';
import { ImageDataset } from '../data/images/image-dataset.ts';
import type { ImageStore } from '../data/images/image-store.ts';
import type { DataLoader } from '../data/loading/loader.ts';
import { openLoader } from './loop/batches.ts';

export interface Timing {
  readonly batches: number;
  readonly samples: number;
  readonly seconds: number;
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
  return { batches, samples, seconds: (last - begin) / 1000 };
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
    return timeBatches(loader, seconds);
  };
  const whole = await time(dataset);
  const bare = dataset instanceof ImageDataset ? withoutChanges(dataset) : undefined;
  if (bare === undefined) return [stage('whole', whole)];
  const gather = await time(bare);
  const draw = timeDraws(alone, dataset as ImageDataset, seconds);
  const left = each(whole) - each(gather) - (draw === undefined ? 0 : each(draw));
  const transform = { ...whole, seconds: (Math.max(0, left) / 1000) * whole.batches };
  return [
    ...(draw ? [stage('draw', draw)] : []),
    stage('transform', transform),
    stage('gather', gather),
    stage('whole', whole),
  ];
}

/** Milliseconds a batch. */
function each({ seconds, batches }: Timing): number {
  return (seconds / batches) * 1000;
}

function stage(name: StageReport['stage'], timing: Timing): StageReport {
  const { samples, seconds } = timing;
  return { stage: name, ms_per_batch: each(timing), samples_per_second: samples / seconds };
}

/** The same images, to which nothing is done but that their bytes become floats. */
function withoutChanges({ stores, classes, labels, transforms }: ImageDataset) {
  const kept = transforms.filter(({ takes }) => takes === 'bytes' || takes === 'floats');
  const [{ height, width }] = stores as [ImageStore];
  const isEven = stores.every(
    (store) => store.sizes === undefined && store.height === height && store.width === width,
  );
  if (kept.length === transforms.length || !isEven) return undefined;
  return new ImageDataset({ classes, labels, stores }, kept);
}

/** Draws for the batches of epochs; nothing where the engine draws on its own. */
function timeDraws(
  loaded: LoadedConfig,
  dataset: ImageDataset,
  seconds: number,
): Timing | undefined {
  if (dataset.workShape === undefined) return undefined;
  using loader = openLoader(loaded, dataset, 'training');
  const { seed } = loaded.config;
  const order = loader.order(0);
  const start = performance.now();
  let batches = 0;
  let samples = 0;
  for (let at = 0; performance.now() < start + seconds * 1000; batches++) {
    const indices = order.subarray(at, at + loader.batchSize);
    for (const sample of indices) dataset.work(sample, { seed, epoch: 0 });
    samples += indices.length;
    at = at + loader.batchSize < order.length ? at + loader.batchSize : 0;
  }
  return { batches, samples, seconds: (performance.now() - start) / 1000 };
}
