/** Images with a class each, held in memory as bytes. */

import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { ArgumentError } from '../../base/errors.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { ImageShape } from '../../engine/image-ops/pixels.ts';
import type {
  BatchStream,
  BatchStreamRequest,
  Images,
  PixelMove,
  WorkOf,
} from '../../engine/images.ts';
import type { BatchReader, BatchRequest, Dataset, Field, OpenOptions } from '../dataset.ts';
import { concatenated, gather } from '../rows.ts';
import {
  imageField,
  preparations,
  prepareImage,
  type SampleWork,
  sampleWork,
} from '../transforms/pipeline.ts';
import type { ImageTransform, Transform } from '../transforms/transforms.ts';
import type { Pixels } from './pixels.ts';

export interface ImageData {
  readonly classes: readonly string[];
  readonly channels: number;
  /** Of every image; of the largest where `sizes` gives each its own. */
  readonly height: number;
  readonly width: number;
  /**
   * (length, channels, height, width), row-major: all of the first image's first channel first. Of
   * images with sizes of their own, one after the other.
   */
  readonly images: Uint8Array;
  /** (length, 2): the height and width of each image, where they differ. */
  readonly sizes?: Int32Array | undefined;
  /** (length,): an index into `classes` each. */
  readonly labels: Int32Array;
}

export class ImageDataset implements Dataset, ImageData {
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly images: Uint8Array;
  readonly sizes: Int32Array | undefined;
  readonly labels: Int32Array;
  readonly length: number;
  readonly input: Field;
  readonly target: Field = { dtype: 'int64', shape: [] };
  /** (channels, 256): the float32 value each byte becomes. */
  readonly table: Float32Array;
  readonly moves: readonly PixelMove[];
  /** What is done to every sample: all transforms but those that prepared the images. */
  readonly transforms: readonly Transform[];
  readonly #work: SampleWork;
  /** Where each image begins, where they have sizes of their own. */
  readonly #offsets: Float64Array | undefined;

  /**
   * `transforms` say what a byte becomes on its way into the model. Throws an `ArgumentError` when
   * sizes do not fit or a label is no class, a `ConfigError` when the transforms do not fit.
   */
  constructor(data: ImageData, transforms: readonly Transform[]) {
    checkBytes(data);
    const steps = preparations(transforms);
    const prepared = prepare(data, steps);
    const { classes, channels, height, width, images, sizes, labels } = prepared;
    const wrong = labels.findIndex((label) => label < 0 || label >= classes.length);
    if (wrong >= 0) {
      throw new ArgumentError(
        `[ImageDataset] label ${labels[wrong]} of sample ${wrong} is not one of ${classes.length} classes`,
      );
    }
    this.classes = classes;
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.images = images;
    this.sizes = sizes;
    this.labels = labels;
    this.length = labels.length;
    this.transforms = transforms.slice(steps.length);
    const size = sizes === undefined ? { height, width } : undefined;
    this.#work = sampleWork(this.transforms, { channels, size });
    this.input = imageField(this.transforms, { channels, size });
    this.table = this.#work.table;
    this.moves = this.#work.moves;
    this.#offsets = sizes && offsets(channels, sizes);
    if (sizes !== undefined) this.#checkSizes();
  }

  /** Each size must be one that the transforms can start from. */
  #checkSizes(): void {
    const seen = new Set<string>();
    for (let i = 0; i < this.length; i++) {
      const { channels, height, width } = this.shape(i);
      if (seen.has(`${height} ${width}`)) continue;
      seen.add(`${height} ${width}`);
      imageField(this.transforms, { channels, size: { height, width } });
    }
  }

  take(places: Int32Array): ImageDataset {
    const { classes } = this;
    const chosen = Array.from(places, (place) => this.image(place));
    const labels = gather(this.labels, 1, places);
    return new ImageDataset({ classes, labels, ...joined(chosen, this) }, this.transforms);
  }

  /** Where the same is done to all, and they have the same channels. */
  join(others: readonly Dataset[]): ImageDataset | undefined {
    const parts = [this as Dataset, ...others].filter((part) => part instanceof ImageDataset);
    const treatment = ({ channels, input, table, moves, workShape, transforms }: ImageDataset) => [
      channels,
      input.shape,
      table,
      moves,
      // Of what engines draw, table and moves say all.
      workShape && transforms.map((transform) => transform.spec ?? transform),
    ];
    const isAlike = parts.every((part) => isDeepStrictEqual(treatment(part), treatment(this)));
    if (parts.length <= others.length || !isAlike) return undefined;
    const { classes } = this;
    const labels = concatenated(parts.map((part) => part.labels));
    return new ImageDataset({ classes, labels, ...concatenatedImages(parts) }, this.transforms);
  }

  shape(sample: number): ImageShape {
    const { channels, sizes } = this;
    if (sizes === undefined) return { channels, height: this.height, width: this.width };
    return { channels, height: sizes[2 * sample]!, width: sizes[2 * sample + 1]! };
  }

  /** A stored image, before anything random is done to it. */
  image(sample: number): Pixels {
    const shape = this.shape(sample);
    const size = shape.channels * shape.height * shape.width;
    const begin = this.#offsets?.[sample] ?? sample * size;
    return { ...shape, data: this.images.subarray(begin, begin + size) };
  }

  /** What a batch reader does to every sample under a seed, where the engine does not draw. */
  workUnder(seed: number): WorkOf {
    return (indices, epoch) =>
      Array.from(indices, (sample) => this.#work.draw(this.shape(sample), { seed, epoch, sample }));
  }

  /** The shape that work gives every sample; nothing where the engine draws. */
  get workShape(): ImageShape | undefined {
    return this.#work.to;
  }

  open(engine: Engine, options: OpenOptions = {}): BatchReader {
    return new ImageReader(engine, this, options);
  }
}

/** The images of `places`, each of `area` bytes. */
export function taken(
  all: Pick<ImageData, 'images' | 'labels'>,
  area: number,
  places: Int32Array,
): Pick<ImageData, 'images' | 'labels'> {
  const images = gather(all.images, area, places);
  return { images, labels: gather(all.labels, 1, places) };
}

/** The images of several sets, one after the other; with their sizes where these differ. */
function concatenatedImages(parts: readonly ImageDataset[]) {
  const [{ channels, height, width }] = parts as [ImageDataset];
  const isEven = parts.every(
    (part) => part.sizes === undefined && part.height === height && part.width === width,
  );
  const images = concatenated(parts.map((part) => part.images));
  if (isEven) return { channels, height, width, images };
  const sizesOf = (part: ImageDataset) =>
    Array.from({ length: part.length }, (_, i) => part.shape(i)).flatMap((shape) => [
      shape.height,
      shape.width,
    ]);
  return {
    channels,
    height: Math.max(...parts.map((part) => part.height)),
    width: Math.max(...parts.map((part) => part.width)),
    images,
    sizes: Int32Array.from(parts.flatMap(sizesOf)),
  };
}

function offsets(channels: number, sizes: Int32Array): Float64Array {
  const begins = new Float64Array(sizes.length / 2);
  for (let i = 1; i < begins.length; i++) {
    begins[i] = begins[i - 1]! + channels * sizes[2 * i - 2]! * sizes[2 * i - 1]!;
  }
  return begins;
}

function checkBytes({ channels, height, width, images, sizes, labels }: ImageData): void {
  if (sizes !== undefined) {
    if (sizes.length !== 2 * labels.length) {
      throw new ArgumentError(
        `[ImageDataset] ${labels.length} images have ${2 * labels.length} heights and widths, got ${sizes.length}`,
      );
    }
    let expected = 0;
    for (let i = 0; i < sizes.length; i += 2) expected += channels * sizes[i]! * sizes[i + 1]!;
    if (images.length === expected) return;
    throw new ArgumentError(
      `[ImageDataset] images of these sizes take ${expected} bytes, got ${images.length}`,
    );
  }
  const expected = labels.length * channels * height * width;
  if (images.length === expected) return;
  throw new ArgumentError(
    `[ImageDataset] ${labels.length} images of ${channels}x${height}x${width} take ${expected} bytes, got ${images.length}`,
  );
}

/** Every image as the steps make it. */
function prepare(data: ImageData, steps: readonly ImageTransform[]): ImageData {
  const { classes, channels, height, width, images, sizes, labels } = data;
  if (steps.length === 0) return data;
  const begins = sizes && offsets(channels, sizes);
  const results = Array.from(labels, (_, i) => {
    const shape = {
      channels,
      height: sizes?.[2 * i] ?? height,
      width: sizes?.[2 * i + 1] ?? width,
    };
    const size = channels * shape.height * shape.width;
    const begin = begins?.[i] ?? i * size;
    return prepareImage({ ...shape, data: images.subarray(begin, begin + size) }, steps);
  });
  return { classes, labels, ...joined(results, { channels, height, width }) };
}

/** Images one after the other; with their sizes where these differ. */
export function joined(
  images: readonly Pixels[],
  empty: ImageShape,
): Pick<ImageData, 'channels' | 'height' | 'width' | 'images' | 'sizes'> {
  const [first = empty] = images;
  const bytes = new Uint8Array(images.reduce((sum, { data }) => sum + data.length, 0));
  let end = 0;
  for (const { data } of images) {
    bytes.set(data, end);
    end += data.length;
  }
  const height = images.reduce((most, image) => Math.max(most, image.height), 0) || empty.height;
  const width = images.reduce((most, image) => Math.max(most, image.width), 0) || empty.width;
  const isEven = images.every((image) => image.height === height && image.width === width);
  const sizes = Int32Array.from(images.flatMap((image) => [image.height, image.width]));
  const shared = { channels: first.channels, height, width, images: bytes };
  return isEven ? shared : { ...shared, sizes };
}

/** Threads that make batches where transforms compute with pixels. */
function usualWorkers(): number {
  return Math.min(4, availableParallelism());
}

/** Keeps the bytes in the engine, which gathers, changes and normalises a batch in one pass. */
class ImageReader implements BatchReader {
  readonly #storages: readonly Storage[];
  readonly #images: Images;
  readonly #work: WorkOf | undefined;
  /** Batches made ahead, where the engine can. */
  readonly stream: ((request: BatchStreamRequest) => BatchStream) | undefined;

  constructor(engine: Engine, data: ImageDataset, { seed = 0, num_workers }: OpenOptions) {
    const { channels, height, width, sizes, table, moves, workShape: to } = data;
    const images = engine.allocate('uint8', data.images.length);
    const labels = engine.allocate('int64', data.labels.length);
    engine.write(images, data.images);
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
