/** Images with a class each, as bytes. */

import { isDeepStrictEqual } from 'node:util';
import { ArgumentError } from '../../base/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ImageWork } from '../../engine/image-ops/op.ts';
import type { ImageShape } from '../../engine/image-ops/pixels.ts';
import type { PixelMove } from '../../engine/images.ts';
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
import { commonSize, type ImagePixels, ImageStore, joined } from './image-store.ts';
import type { Pixels } from './pixels.ts';

export interface ImageData extends ImagePixels {
  readonly classes: readonly string[];
  /** (length,): an index into `classes` each. */
  readonly labels: Int32Array;
}

/** Images of several stores of as many channels, one after the other. */
interface StoredImages extends Pick<ImageData, 'classes' | 'labels'> {
  readonly stores: readonly ImageStore[];
}

export class ImageDataset implements Dataset {
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly input: Field;
  readonly target: Field = { dtype: 'int64', shape: [] };
  /**
   * The images as the transforms that draw nothing and come first made them: those of the first
   * store, then those of the next.
   */
  readonly stores: readonly ImageStore[];
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
  constructor(data: ImageData | StoredImages, transforms: readonly Transform[]) {
    const { classes, labels } = data;
    const steps = preparations(transforms);
    const given = 'stores' in data ? data.stores : [new ImageStore(labels.length, data)];
    this.stores = given.map((store) => prepared(store, steps));
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
    const { channels } = this;
    const size = commonSize(this.stores);
    this.#work = sampleWork(this.transforms, { channels, size });
    this.input = imageField(this.transforms, { channels, size });
    this.table = this.#work.table;
    this.moves = this.#work.moves;
    if (size === undefined) this.#checkSizes();
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
    return this.stores[0]!.channels;
  }

  /** The bytes of all images, one after the other; those of files are read. */
  get images(): Uint8Array {
    const [first, ...others] = this.stores.map((store) => store.bytes());
    return others.length === 0 ? first! : concatenated([first!, ...others]);
  }

  take(places: Int32Array): ImageDataset {
    const { classes } = this;
    const labels = gather(this.labels, 1, places);
    const [first, ...others] = this.stores as [ImageStore, ...ImageStore[]];
    const copied = () => Array.from(places, (place) => this.image(place));
    const pixels = others.length === 0 ? first.take(places) : joined(copied(), first);
    return new ImageDataset({ classes, labels, ...pixels }, this.transforms);
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
    const stores = parts.flatMap((part) => part.stores);
    return new ImageDataset({ classes, labels, stores }, this.transforms);
  }

  shape(sample: number): ImageShape {
    const { store, place } = this.#at(sample);
    return store.shape(place);
  }

  /** A stored image, before anything random is done to it. */
  image(sample: number): Pixels {
    const { store, place } = this.#at(sample);
    return store.image(place);
  }

  #at(sample: number): { store: ImageStore; place: number } {
    let place = sample;
    for (const store of this.stores) {
      if (place < store.length) return { store, place };
      place -= store.length;
    }
    throw new ArgumentError(`[ImageDataset] there is no sample ${sample} of ${this.length}`);
  }

  /** What a batch reader does to a sample under a seed; nothing where the engine draws. */
  work(sample: number, { seed, epoch }: { seed: number; epoch: number }): ImageWork {
    if (this.workShape === undefined) return NO_WORK;
    return this.#work.draw(this.shape(sample), { seed, epoch, sample });
  }

  /** The shape that work gives every sample; nothing where the engine draws. */
  get workShape(): ImageShape | undefined {
    return this.#work.to;
  }

  open(engine: Engine, options: OpenOptions = {}): BatchReader {
    return new ImageReader(engine, [this], options);
  }

  /** Where all are images. */
  openWith(
    others: readonly Dataset[],
    engine: Engine,
    options: OpenOptions = {},
  ): BatchReader | undefined {
    const sets = [this, ...others];
    if (!sets.every((set) => set instanceof ImageDataset)) return undefined;
    return new ImageReader(engine, sets, options);
  }
}

const NO_WORK: ImageWork = { ops: [], erase: [] };

/** Every image as the steps make it. */
function prepared(store: ImageStore, steps: readonly ImageTransform[]): ImageStore {
  if (steps.length === 0) return store;
  const { length } = store;
  const results = Array.from({ length }, (_, i) => prepareImage(store.image(i), steps));
  return new ImageStore(length, joined(results, store));
}
