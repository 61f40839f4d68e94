/** Images with a class each, as bytes. */

import { isDeepStrictEqual } from 'node:util';
import { ArgumentError } from '../../base/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ImageShape } from '../../engine/image-ops/pixels.ts';
import type { PixelMove, WorkOf } from '../../engine/images.ts';
import type { BatchReader, Dataset, Field, OpenOptions } from '../dataset.ts';
import { concatenated, gather } from '../rows.ts';
import {
  imageField,
  preparations,
  prepareImage,
  type SampleWork,
  sampleWork,
} from '../transforms/pipeline.ts';
import type { ImageTransform, Transform } from '../transforms/transforms.ts';
import { ImageReader } from './image-reader.ts';
import { type ImagePixels, ImageStore, joined, joinedStores } from './image-store.ts';
import type { Pixels } from './pixels.ts';

export interface ImageData extends ImagePixels {
  readonly classes: readonly string[];
  /** (length,): an index into `classes` each. */
  readonly labels: Int32Array;
}

export class ImageDataset implements Dataset {
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly input: Field;
  readonly target: Field = { dtype: 'int64', shape: [] };
  /** The images as the transforms that draw nothing and come first made them. */
  readonly store: ImageStore;
  /** (channels, 256): the float32 value each byte becomes. */
  readonly table: Float32Array;
  readonly moves: readonly PixelMove[];
  /** What is done to every sample: all transforms but those that prepared the images. */
  readonly transforms: readonly Transform[];
  readonly #work: SampleWork;

  /**
   * `transforms` say what a byte becomes on its way into the model. Throws an `ArgumentError` when
   * sizes do not fit or a label is no class, a `BuildError` when the transforms do not fit.
   */
  constructor({ classes, labels, ...pixels }: ImageData, transforms: readonly Transform[]) {
    const steps = preparations(transforms);
    this.store = prepared(new ImageStore(labels.length, pixels), steps);
    const wrong = labels.findIndex((label) => label < 0 || label >= classes.length);
    if (wrong >= 0) {
      throw new ArgumentError(
        `[ImageDataset] label ${labels[wrong]} of sample ${wrong} is not one of ${classes.length} classes`,
      );
    }
    this.classes = classes;
    this.labels = labels;
    this.length = labels.length;
    this.transforms = transforms.slice(steps.length);
    const { channels, height, width, sizes } = this.store;
    const size = sizes === undefined ? { height, width } : undefined;
    this.#work = sampleWork(this.transforms, { channels, size });
    this.input = imageField(this.transforms, { channels, size });
    this.table = this.#work.table;
    this.moves = this.#work.moves;
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

  get channels(): number {
    return this.store.channels;
  }

  /** The bytes of all images, one after the other; those of a file are read. */
  get images(): Uint8Array {
    return this.store.bytes();
  }

  take(places: Int32Array): ImageDataset {
    const { classes } = this;
    const chosen = Array.from(places, (place) => this.image(place));
    const labels = gather(this.labels, 1, places);
    return new ImageDataset({ classes, labels, ...joined(chosen, this.store) }, this.transforms);
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
    const pixels = joinedStores(parts.map(({ store }) => store));
    return new ImageDataset({ classes, labels, ...pixels }, this.transforms);
  }

  shape(sample: number): ImageShape {
    return this.store.shape(sample);
  }

  /** A stored image, before anything random is done to it. */
  image(sample: number): Pixels {
    return this.store.image(sample);
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

/** Every image as the steps make it. */
function prepared(store: ImageStore, steps: readonly ImageTransform[]): ImageStore {
  if (steps.length === 0) return store;
  const { length } = store;
  const results = Array.from({ length }, (_, i) => prepareImage(store.image(i), steps));
  return new ImageStore(length, joined(results, store));
}
