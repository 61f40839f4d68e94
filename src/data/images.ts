/** Images of one size with a class each, held in memory as bytes. */

import { ArgumentError } from '../base/errors.ts';
import type { Engine, Storage } from '../engine/engine.ts';
import type { BatchReader, BatchRequest, Dataset, Field } from './dataset.ts';
import { byteTable, type Transform } from './transforms.ts';

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

  /**
   * `transforms` say what a byte becomes on its way into the model. Throws an `ArgumentError` when
   * sizes do not fit or a label is no class, a `ConfigError` when the transforms do not fit.
   */
  constructor(data: ImageData, transforms: readonly Transform[]) {
    const { classes, channels, height, width, images, labels } = data;
    const expected = labels.length * channels * height * width;
    if (images.length !== expected) {
      throw new ArgumentError(
        `[ImageDataset] ${labels.length} images of ${channels}x${height}x${width} take ${expected} bytes, got ${images.length}`,
      );
    }
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
    this.input = { dtype: 'float32', shape: [channels, height, width] };
    this.table = byteTable(transforms, channels);
  }

  open(engine: Engine): BatchReader {
    return new ImageReader(engine, this);
  }
}

/** Keeps the bytes in the engine, which gathers and normalises a batch in one pass. */
class ImageReader implements BatchReader {
  readonly #engine: Engine;
  readonly #data: ImageDataset;
  readonly #source: Storage;
  /** The labels in the dtype of the targets. */
  readonly #labels: BigInt64Array;

  constructor(engine: Engine, data: ImageDataset) {
    this.#engine = engine;
    this.#data = data;
    this.#source = engine.allocate('uint8', data.images.length);
    engine.write(this.#source, data.images);
    this.#labels = BigInt64Array.from(data.labels, BigInt);
  }

  read({ indices, inputs, targets }: BatchRequest): void {
    const { channels, height, width, table } = this.#data;
    this.#engine.gatherRows({
      source: this.#source,
      indices,
      table,
      channels,
      pixels: height * width,
      destination: inputs,
    });
    const labels = new BigInt64Array(indices.length);
    for (let i = 0; i < labels.length; i++) labels[i] = this.#labels[indices[i]!]!;
    this.#engine.write(targets, labels);
  }

  dispose(): void {
    this.#source.dispose();
  }
}
