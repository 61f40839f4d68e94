/** Batches of a set of images. */

import { availableParallelism } from 'node:os';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { BatchStream, BatchStreamRequest, Images, WorkOf } from '../../engine/images.ts';
import type { BatchReader, BatchRequest, OpenOptions } from '../dataset.ts';
import type { ImageDataset } from './image-dataset.ts';

/** Threads that make batches where transforms compute with pixels. */
function usualWorkers(): number {
  return Math.min(4, availableParallelism());
}

/** Keeps the bytes in the engine, which gathers, changes and normalises a batch in one pass. */
export class ImageReader implements BatchReader {
  readonly #storages: readonly Storage[];
  readonly #images: Images;
  readonly #work: WorkOf | undefined;
  /** Batches made ahead, where the engine can. */
  readonly stream: ((request: BatchStreamRequest) => BatchStream) | undefined;

  constructor(engine: Engine, data: ImageDataset, { seed = 0, num_workers }: OpenOptions) {
    const { table, moves, workShape: to } = data;
    const { channels, height, width, sizes } = data.store;
    const images = data.store.hold(engine);
    const labels = engine.allocate('int64', data.labels.length);
    engine.write(labels, BigInt64Array.from(data.labels, BigInt));
    this.#storages = [images, labels];
    const workers = Math.max(1, num_workers ?? (to === undefined ? 1 : usualWorkers()));
    const shape = { channels, height, width, sizes };
    this.#images = engine.images({ images, labels, table, ...shape, moves, seed, to, workers });
    this.#work = to && data.workUnder(seed);
    const work = this.#work;
    const stream = num_workers === 0 ? undefined : this.#images.stream?.bind(this.#images);
    this.stream = stream && ((request) => stream({ ...request, work }));
  }

  read({ indices, epoch, inputs, targets }: BatchRequest): void {
    this.#images.gather(indices, epoch, { inputs, targets }, this.#work);
  }

  dispose(): void {
    for (const storage of this.#storages) storage.dispose();
  }
}
