/** Batches of a set of images. */

import { availableParallelism } from 'node:os';
import { ArgumentError } from '../../base/errors.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { ImageWork } from '../../engine/image-ops/op.ts';
import type { BatchStream, BatchStreamRequest, Images, WorkOf } from '../../engine/images.ts';
import type { BatchReader, BatchRequest, OpenOptions } from '../dataset.ts';
import type { ImageDataset } from './image-dataset.ts';

/** Threads that make batches where transforms compute with pixels. */
function usualWorkers(): number {
  return Math.min(4, availableParallelism());
}

/**
 * Keeps the bytes of sets in the engine, which gathers, changes and normalises a batch in one pass.
 * Samples are numbered one set after the other; what is random is drawn by the number in the set.
 */
export class ImageReader implements BatchReader {
  readonly #sets: readonly ImageDataset[];
  readonly #seed: number;
  readonly #storages: Storage[] = [];
  readonly #images: Images;
  readonly #work: WorkOf | undefined;
  /** Batches made ahead, where the engine can. */
  readonly stream: ((request: BatchStreamRequest) => BatchStream) | undefined;

  constructor(
    engine: Engine,
    sets: readonly ImageDataset[],
    { seed = 0, num_workers }: OpenOptions,
  ) {
    this.#sets = sets;
    this.#seed = seed;
    const takesWork = sets.some(({ workShape }) => workShape !== undefined);
    const workers = Math.max(1, num_workers ?? (takesWork ? usualWorkers() : 1));
    const sources = sets.flatMap((set) => this.#sourcesOf(set, engine));
    this.#images = engine.images(...sources.map((source) => ({ ...source, seed, workers })));
    this.#work = takesWork ? (indices, epoch) => this.#workOn(indices, epoch) : undefined;
    const work = this.#work;
    const stream = num_workers === 0 ? undefined : this.#images.stream?.bind(this.#images);
    this.stream = stream && ((request) => stream({ ...request, work }));
  }

  /** A source for each store of a set, in the engine's memory. */
  #sourcesOf({ stores, table, moves, labels, workShape: to }: ImageDataset, engine: Engine) {
    let first = 0;
    return stores.map((store) => {
      const { channels, height, width, sizes, begins, length } = store;
      const images = store.hold(engine);
      const classes = engine.allocate('int64', length);
      this.#storages.push(images, classes);
      const own = labels.subarray(first, first + length);
      engine.write(classes, BigInt64Array.from(own, BigInt));
      const source = { channels, height, width, sizes, begins, table, moves, to, first };
      first += length;
      return { ...source, images, labels: classes };
    });
  }

  #workOn(indices: Int32Array, epoch: number): ImageWork[] {
    return Array.from(indices, (index) => {
      let sample = index;
      for (const set of this.#sets) {
        if (sample < set.length) return set.work(sample, { seed: this.#seed, epoch });
        sample -= set.length;
      }
      throw new ArgumentError(`[images] there is no sample ${index}`);
    });
  }

  read({ indices, epoch, inputs, targets }: BatchRequest): void {
    this.#images.gather(indices, epoch, { inputs, targets }, this.#work);
  }

  dispose(): void {
    for (const storage of this.#storages) storage.dispose();
  }
}
