/** Batches of a data set, in the engine's memory, epoch by epoch. */

import { ArgumentError } from '../../base/errors.ts';
import { numel, type Shape } from '../../base/shape.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { BatchSlot, BatchStream } from '../../engine/images.ts';
import type { BatchReader, Dataset, Field } from '../dataset.ts';
import { DistributedSampler } from './distributed-sampler.ts';
import { checkOrder, everySample, fixedOrder, type Sampler } from './sampler.ts';

export interface DataLoaderOptions {
  readonly dataset: Dataset;
  readonly engine: Engine;
  /** Samples a batch; PyTorch's default, 1. */
  readonly batch_size?: number;
  /** Visit the samples in another order every epoch; false unless given. */
  readonly shuffle?: boolean;
  /**
   * Leave out the last batch of an epoch when it is smaller than the others; false unless given.
   */
  readonly drop_last?: boolean;
  /** What the shuffle is drawn from, a non-negative safe integer; 0 unless given. */
  readonly seed?: number;
  /** The samples every epoch visits, in this order, instead of all of them; excludes `shuffle`. */
  readonly order?: Int32Array;
  /** What says which samples an epoch visits in which order; excludes `shuffle` and `order`. */
  readonly sampler?: Sampler | undefined;
  /** The part of every epoch that this process takes, of several that train together. */
  readonly shard?: Shard | undefined;
  /** How many batches exist at a time, 3 unless given; see `Batch`. */
  readonly buffers?: number;
}

/** As of a `DistributedSampler`. */
export interface Shard {
  readonly num_replicas: number;
  readonly rank: number;
}

/**
 * One batch. Its storages belong to the loader, which reuses them in turn: they may be overwritten
 * once the `buffers`-th batch after this one is taken, in whichever epoch that is.
 */
export interface Batch {
  /** (size, ...sample shape). */
  readonly inputs: Storage;
  /** (size, ...target shape). */
  readonly targets: Storage;
  /** The number of samples: `batch_size`, except in a last, smaller batch. */
  readonly size: number;
  /** Which samples these are. */
  readonly indices: Int32Array;
}

/** Storages of one batch size, used in turn. */
interface Ring {
  readonly slots: readonly BatchSlot[];
  taken: number;
}

/** Batches a stream makes before they are taken. */
const BATCHES_AHEAD = 2;

export class DataLoader {
  readonly dataset: Dataset;
  readonly batchSize: number;
  /** Batches an epoch, a last, smaller one included unless dropped. */
  readonly batchesPerEpoch: number;
  /** Samples an epoch. */
  readonly samplesPerEpoch: number;

  readonly #engine: Engine;
  readonly #sampler: Sampler;
  readonly #buffers: number;
  /** The order that was asked for last. */
  #latest: { readonly epoch: number; readonly order: Int32Array } | undefined;
  readonly #reader: BatchReader;
  /** By batch size: the full batches and the smaller last one have storages of their own. */
  readonly #rings = new Map<number, Ring>();

  /**
   * Copies the data set into the engine. Throws an `ArgumentError` for sizes and orders that make
   * no sense, among them an epoch without a single batch.
   */
  constructor(options: DataLoaderOptions) {
    const { dataset, engine } = options;
    const { batch_size = 1, drop_last = false, seed = 0, buffers = 3 } = options;
    checkInteger('batch_size', batch_size, 1);
    checkInteger('buffers', buffers, 1);
    checkInteger('seed', seed, 0);
    this.#sampler = samplerOf(options);
    const samples = this.#sampler.length;
    const batches = drop_last ? Math.floor(samples / batch_size) : Math.ceil(samples / batch_size);
    if (batches === 0) {
      throw new ArgumentError(
        `[DataLoader] ${samples} samples make no batch of ${batch_size}${drop_last ? ' with drop_last' : ''}`,
      );
    }
    this.dataset = dataset;
    this.batchSize = batch_size;
    this.batchesPerEpoch = batches;
    this.samplesPerEpoch = Math.min(samples, batches * batch_size);
    this.#engine = engine;
    this.#buffers = buffers;
    this.#reader = dataset.open(engine, { seed });
  }

  /** Whether batches are made ahead of their use, on a thread of their own. */
  get ahead(): boolean {
    return this.#reader.stream !== undefined;
  }

  /** The shape of one sample's input, without the batch dimension. */
  get sampleShape(): Shape {
    return this.dataset.input.shape;
  }

  /** The samples of an epoch, those of a batch that is dropped included. */
  order(epoch: number): Int32Array {
    if (this.#latest?.epoch !== epoch) {
      const order = this.#sampler.order(epoch);
      checkOrder('sampler', order, this.dataset.length);
      this.#latest = { epoch, order };
    }
    return this.#latest.order;
  }

  /**
   * The batches of epoch `epoch` (a non-negative integer), from batch `start` on. The order
   * depends on the seed and the epoch alone. Batches are made ahead where the engine can; a run
   * that reads one waits for it.
   */
  *epoch(epoch: number, { start = 0 }: { start?: number } = {}): Generator<Batch, void> {
    checkInteger('epoch', epoch, 0);
    checkInteger('start', start, 0);
    const order = this.order(epoch);
    const end = Math.min(order.length, this.batchesPerEpoch * this.batchSize);
    const rest = order.subarray(start * this.batchSize, end);
    const stream = this.#reader.stream === undefined ? undefined : this.#stream(rest, epoch);
    try {
      for (let begin = 0; begin < rest.length; begin += this.batchSize) {
        const indices = rest.subarray(begin, begin + this.batchSize);
        const slot = this.#nextSlot(indices.length);
        if (stream !== undefined) stream.take();
        else this.#reader.read({ indices, epoch, ...slot });
        yield { ...slot, size: indices.length, indices };
      }
    } finally {
      stream?.dispose();
    }
  }

  /** The batches of `order`, made ahead into the slots in the order in which they will be taken. */
  #stream(order: Int32Array, epoch: number): BatchStream {
    const { slots, taken } = this.#ring(this.batchSize);
    const tailSize = order.length % this.batchSize;
    const tail = tailSize === 0 ? undefined : this.#ring(tailSize);
    return this.#reader.stream!({
      order,
      batch_size: this.batchSize,
      epoch,
      slots: slots.map((_, i) => slots[(taken + i) % slots.length]!),
      tail: tail && tail.slots[tail.taken % tail.slots.length]!,
      ahead: BATCHES_AHEAD,
    });
  }

  /** Frees the data set's copy in the engine and the batches' storages. */
  dispose(): void {
    this.#reader.dispose();
    for (const slot of [...this.#rings.values()].flatMap(({ slots }) => slots)) {
      slot.inputs.dispose();
      slot.targets.dispose();
    }
    this.#rings.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #nextSlot(size: number): BatchSlot {
    const ring = this.#ring(size);
    return ring.slots[ring.taken++ % ring.slots.length]!;
  }

  #ring(size: number): Ring {
    let ring = this.#rings.get(size);
    if (ring === undefined) {
      const { input, target } = this.dataset;
      const ahead = this.#reader.stream === undefined ? 0 : BATCHES_AHEAD;
      const slots = Array.from({ length: this.#buffers + ahead }, () => ({
        inputs: this.#allocate(input, size),
        targets: this.#allocate(target, size),
      }));
      ring = { slots, taken: 0 };
      this.#rings.set(size, ring);
    }
    return ring;
  }

  #allocate(field: Field, size: number): Storage {
    return this.#engine.allocate(field.dtype, size * numel(field.shape));
  }
}

/** What visits the samples as the options say. */
function samplerOf(options: DataLoaderOptions): Sampler {
  const { dataset, order, shuffle = false, seed = 0, drop_last = false, shard } = options;
  const given = [order && 'order', options.sampler && 'sampler', shuffle && 'shuffle'];
  const [first, second] = given.filter(Boolean);
  if (second) throw new ArgumentError(`[DataLoader] ${first} and ${second} exclude each other`);
  if (order !== undefined) checkOrder('order', order, dataset.length);
  const sampler =
    options.sampler ??
    (order && fixedOrder(order)) ??
    everySample({ length: dataset.length, shuffle, seed });
  return shard === undefined ? sampler : new DistributedSampler({ sampler, ...shard, drop_last });
}

function checkInteger(name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new ArgumentError(`[DataLoader] ${name} must be an integer >= ${minimum}, got ${value}`);
  }
}
