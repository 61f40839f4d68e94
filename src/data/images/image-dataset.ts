/** Images of one size with a class each, held in memory as bytes. */

import { isDeepStrictEqual } from 'node:util';
import { ArgumentError } from '../../base/errors.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { BatchStream, BatchStreamRequest, Images, PixelMove } from '../../engine/images.ts';
import type { BatchReader, BatchRequest, Dataset, Field, OpenOptions } from '../dataset.ts';
import { concatenated, gather } from '../rows.ts';
import {
  byteTable,
  imageField,
  type PrepareTransform,
  pixelMoves,
  preparations,
  type Transform,
} from '../transforms/transforms.ts';
import type { Pixels } from './pixels.ts';

export interface ImageData {
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** (length, channels, height, width), row-major: all of the first image's first channel first. */
  readonly images: Uint8Array;
  /** (length,): an index into `classes` each. */
  readonly labels: Int32Array;
}

export class ImageDataset implements Dataset, ImageData {
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly length: number;
  readonly input: Field;
  readonly target: Field = { dtype: 'int64', shape: [] };
  /** (channels, 256): the float32 value each byte becomes. */
  readonly table: Float32Array;
  readonly moves: readonly PixelMove[];
  /** What is done to the bytes: all transforms but those that prepared them. */
  readonly #transforms: readonly Transform[];

  /**
   * `transforms` say what a byte becomes on its way into the model. Throws an `ArgumentError` when
   * sizes do not fit or a label is no class, a `ConfigError` when the transforms do not fit.
   */
  constructor(data: ImageData, transforms: readonly Transform[]) {
    checkBytes(data);
    const prepared = prepare(data, preparations(transforms));
    const { classes, channels, height, width, images, labels } = prepared;
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
    this.labels = labels;
    this.length = labels.length;
    this.input = imageField(transforms, prepared);
    this.table = byteTable(transforms, channels);
    this.moves = pixelMoves(transforms);
    this.#transforms = transforms.filter(({ takes }) => takes !== 'pixels');
  }

  take(places: Int32Array): ImageDataset {
    const area = this.channels * this.height * this.width;
    return new ImageDataset({ ...this.#size, ...taken(this, area, places) }, this.#transforms);
  }

  /** Where all are of one size and the same is done to them. */
  join(others: readonly Dataset[]): ImageDataset | undefined {
    const parts = [this as Dataset, ...others].filter((part) => part instanceof ImageDataset);
    const treatment = ({ channels, height, width, table, moves }: ImageDataset) => [
      [channels, height, width],
      table,
      moves,
    ];
    const isAlike = parts.every((part) => isDeepStrictEqual(treatment(part), treatment(this)));
    if (parts.length <= others.length || !isAlike) return undefined;
    const images = concatenated(parts.map((part) => part.images));
    const labels = concatenated(parts.map((part) => part.labels));
    return new ImageDataset({ ...this.#size, images, labels }, this.#transforms);
  }

  get #size() {
    const { classes, channels, height, width } = this;
    return { classes, channels, height, width };
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

function checkBytes({ channels, height, width, images, labels }: ImageData): void {
  const expected = labels.length * channels * height * width;
  if (images.length === expected) return;
  throw new ArgumentError(
    `[ImageDataset] ${labels.length} images of ${channels}x${height}x${width} take ${expected} bytes, got ${images.length}`,
  );
}

/** Every image as the steps make it; all of them come out of one size. */
function prepare(data: ImageData, steps: readonly PrepareTransform[]): ImageData {
  const { classes, channels, height, width, images, labels } = data;
  if (steps.length === 0) return data;
  const area = channels * height * width;
  const results = Array.from(labels, (_, i) => {
    const image = { channels, height, width, data: images.subarray(i * area, (i + 1) * area) };
    return prepareImage(image, steps);
  });
  const [first = { channels, height, width }] = results;
  const bytes = new Uint8Array(results.length * first.channels * first.height * first.width);
  for (const [i, result] of results.entries()) bytes.set(result.data, i * result.data.length);
  const size = { channels: first.channels, height: first.height, width: first.width };
  return { classes, labels, ...size, images: bytes };
}

/** An image after all steps. */
export function prepareImage(image: Pixels, steps: readonly PrepareTransform[]): Pixels {
  return steps.reduce((given, step) => step.apply(given), image);
}

/** Keeps the bytes in the engine, which gathers, moves and normalises a batch in one pass. */
class ImageReader implements BatchReader {
  readonly #storages: readonly Storage[];
  readonly #images: Images;
  /** Batches made ahead, where the engine can. */
  readonly stream: ((request: BatchStreamRequest) => BatchStream) | undefined;

  constructor(engine: Engine, data: ImageDataset, { seed = 0 }: OpenOptions) {
    const { channels, height, width, table, moves } = data;
    const images = engine.allocate('uint8', data.images.length);
    const labels = engine.allocate('int64', data.labels.length);
    engine.write(images, data.images);
    engine.write(labels, BigInt64Array.from(data.labels, BigInt));
    this.#storages = [images, labels];
    const source = { images, labels, table, channels, height, width, moves, seed };
    this.#images = engine.images(source);
    this.stream = this.#images.stream?.bind(this.#images);
  }

  read({ indices, epoch, inputs, targets }: BatchRequest): void {
    this.#images.gather(indices, epoch, { inputs, targets });
  }

  dispose(): void {
    for (const storage of this.#storages) storage.dispose();
  }
}
