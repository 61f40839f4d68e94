/** Batches of a data set, in the engine's memory, epoch by epoch. */

import { ArgumentError } from '../../base/errors.ts';
import { numel, type Shape } from '../../base/shape.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { BatchSlot, BatchStream } from '../../engine/images.ts';
import type { BatchReader, Dataset, Field } from '../dataset.ts';
import { cutShape } from '../description.ts';
import { concatenated } from '../rows.ts';
import { byLength, checkBuckets, type Group, inOrder, padded } from './buckets.ts';
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
  /**
   * Samples of like length come together, padded to the smallest of these lengths that holds them;
   * for sets with `lengths`.
   */
  readonly buckets?: readonly number[] | undefined;
  /** What says which samples an epoch visits in which order; excludes `shuffle` and `order`. */
  readonly sampler?: Sampler | undefined;
  /** The part of every epoch that this process takes, of several that train together. */
  readonly shard?: Shard | undefined;
  /** As of `OpenOptions`. */
  readonly num_workers?: number | undefined;
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
  /** What fields that vary are padded to, where that is less than the longest sample. */
  readonly length?: number | undefined;
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
  /** Of the epoch that was asked for last. */
  #latest: { readonly epoch: number; readonly groups: readonly Group[] } | undefined;
  readonly #reader: BatchReader;
  /** By the size and length of batches, which have storages of their own. */
  readonly #rings = new Map<string, Ring>();
  readonly #dropLast: boolean;
  readonly #buckets: readonly number[] | undefined;

  /**
   * Copies the data set into the engine. Throws an `ArgumentError` for sizes and orders that make
   * no sense, among them an epoch without a single batch.
   */
  constructor(options: DataLoaderOptions) {
    const { dataset, engine } = options;
    const { batch_size = 1, drop_last = false, seed = 0, buffers = 3, num_workers } = options;
    checkInteger('batch_size', batch_size, 1);
    checkInteger('buffers', buffers, 1);
    checkInteger('seed', seed, 0);
    if (num_workers !== undefined) checkInteger('num_workers', num_workers, 0);
    this.#sampler = samplerOf(options);
    const samples = this.#sampler.length;
    this.batchSize = batch_size;
    this.#dropLast = drop_last;
    this.#buckets = bucketsOf(options);
    this.dataset = dataset;
    const first = this.#groups(0);
    const batches = first.length;
    if (batches === 0) {
      throw new ArgumentError(
        `[DataLoader] ${samples} samples make no batch of ${batch_size}${drop_last ? ' with drop_last' : ''}`,
      );
    }
    this.batchesPerEpoch = batches;
    this.samplesPerEpoch = first.reduce((sum, { indices }) => sum + indices.length, 0);
    this.#engine = engine;
    this.#buffers = buffers;
    this.#reader = dataset.open(engine, { seed, num_workers });
  }

  /** Whether batches are made ahead of their use, on a thread of their own. */
  get ahead(): boolean {
    return this.#reader.stream !== undefined && this.#buckets === undefined;
  }

  /** The shape of one sample's input, without the batch dimension. */
  get sampleShape(): Shape {
    return this.dataset.input.shape;
  }

  /** The samples of an epoch, in the order of its batches. */
  order(epoch: number): Int32Array {
    return concatenated(this.#groups(epoch).map(({ indices }) => indices));
  }

  /** The batches of an epoch, but for those that are dropped. */
  #groups(epoch: number): readonly Group[] {
    if (this.#latest?.epoch !== epoch) {
      const all = this.#buckets
        ? this.#bucketed(epoch, this.#buckets)
        : this.#padded(inOrder(this.#checked(this.#sampler.order(epoch)), this.batchSize));
      const isKept = ({ indices }: Group) => !this.#dropLast || indices.length === this.batchSize;
      this.#latest = { epoch, groups: all.filter(isKept) };
    }
    return this.#latest.groups;
  }

  #checked(order: Int32Array): Int32Array {
    checkOrder('sampler', order, this.dataset.length);
    return order;
  }

  /** Of several processes all have batches of one length at a time, so none waits for another. */
  #bucketed(epoch: number, buckets: readonly number[]): Group[] {
    const sampler = this.#sampler;
    const lengths = this.dataset.lengths!;
    if (!(sampler instanceof DistributedSampler)) {
      const order = this.#checked(sampler.order(epoch));
      return byLength(order, lengths, buckets, this.batchSize);
    }
    const whole = this.#checked(sampler.whole(epoch));
    const groups = byLength(whole, lengths, buckets, this.batchSize * sampler.num_replicas);
    return groups.map(({ indices, length }) => ({ indices: sampler.part(indices), length }));
  }

  /** Batches of a set that says what to pad them to. */
  #padded(groups: readonly Group[]): readonly Group[] {
    const { lengths, pad_to } = this.dataset;
    return lengths && pad_to ? padded(groups, lengths, pad_to) : groups;
  }

  /**
   * The batches of epoch `epoch` (a non-negative integer), from batch `start` on. The order
   * depends on the seed and the epoch alone. Batches are made ahead where the engine can; a run
   * that reads one waits for it.
   */
  *epoch(epoch: number, { start = 0 }: { start?: number } = {}): Generator<Batch, void> {
    checkInteger('epoch', epoch, 0);
    checkInteger('start', start, 0);
    const rest = this.#groups(epoch).slice(start);
    const canStream = this.ahead && rest.length > 0;
    const stream = canStream
      ? this.#stream(concatenated(rest.map(({ indices }) => indices)), epoch)
      : undefined;
    try {
      for (const { indices, length } of rest) {
        const slot = this.#nextSlot(indices.length, length);
        if (stream !== undefined) stream.take();
        else this.#reader.read({ indices, epoch, length, ...slot });
        yield { ...slot, size: indices.length, indices, length };
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

  #nextSlot(size: number, length: number | undefined): BatchSlot {
    const ring = this.#ring(size, length);
    return ring.slots[ring.taken++ % ring.slots.length]!;
  }

  #ring(size: number, length?: number): Ring {
    const key = `${size} ${length}`;
    let ring = this.#rings.get(key);
    if (ring === undefined) {
      const { input, target } = this.dataset;
      const ahead = this.ahead ? BATCHES_AHEAD : 0;
      const slots = Array.from({ length: this.#buffers + ahead }, () => ({
        inputs: this.#allocate(input, size, length),
        targets: this.#allocate(target, size, length),
      }));
      ring = { slots, taken: 0 };
      this.#rings.set(key, ring);
    }
    return ring;
  }

  #allocate(field: Field, size: number, length: number | undefined): Storage {
    return this.#engine.allocate(field.dtype, size * numel(cutShape(field, length)));
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

function bucketsOf({ dataset, buckets }: DataLoaderOptions): number[] | undefined {
  if (buckets === undefined) return undefined;
  if (dataset.lengths === undefined) {
    throw new ArgumentError('[DataLoader] buckets need samples whose lengths vary');
  }
  return checkBuckets(buckets, dataset.input.shape[0]!);
}

function checkInteger(name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new ArgumentError(`[DataLoader] ${name} must be an integer >= ${minimum}, got ${value}`);
  }
}
