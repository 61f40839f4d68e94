/** Sets of images that are decoded one by one, and where the decoded ones are kept. */

import { z } from 'zod';
import type { CacheOptions, CacheReport, DatasetSource } from '../dataset.ts';
import { limitedPlaces } from '../loading/split.ts';
import { givenAfter, preparations, prepareImage } from '../transforms/pipeline.ts';
import {
  buildTransforms,
  type Given,
  type ImageTransform,
  type Transform,
} from '../transforms/transforms.ts';
import { type CachedImages, cachePath, Fingerprint, loadCached, makeCache } from './image-cache.ts';
import { ImageDataset } from './image-dataset.ts';
import { imageArguments, imageDescription } from './image-set.ts';
import { type ImagePixels, joined } from './image-store.ts';
import type { Pixels } from './pixels.ts';

export const encodedArguments = {
  ...imageArguments,
  cache: z
    .union([z.boolean(), z.string().min(1)])
    .default(false)
    .describe(
      'Keep the decoded images in a file, which later runs map into memory: in this folder, or ' +
        'with true where data sets are fetched to.',
    ),
};

const schema = z.strictObject(encodedArguments);
export type EncodedOptions = z.output<typeof schema>;

/** Images of 3 channels and a size of its own each. */
export interface EncodedImages {
  readonly classes: readonly string[];
  /** What the name of a cache file begins with. */
  readonly name: string;
  /** What tells the set from all others, limits and transforms aside, as JSON can hold it. */
  readonly identity: readonly unknown[];
  /** The class of each image, in order, once they are asked for. */
  list(): Promise<EncodedList>;
}

export interface EncodedList {
  readonly labels: Int32Array;
  /** The file that image `place` is in. */
  file(place: number): string;
  /** Decodes image `place`. Throws a `FileError` that names it. */
  decode(place: number): Promise<Pixels>;
}

/**
 * A data set of such images, decoded and prepared once, and kept as bytes. Throws a `ConfigError`
 * when the transforms do not fit them or leave them sizes of their own.
 */
export function encodedSource(images: EncodedImages, options: EncodedOptions): DatasetSource {
  const pipeline = buildTransforms(options.transforms);
  const set = new EncodedSet(images, options, pipeline);
  const makeCaches = async (how?: CacheOptions) => [await set.makeCache(how)];
  return {
    ...imageDescription(images.classes, pipeline, DECODED),
    load: () => set.load(),
    makeCaches: options.cache === false ? undefined : makeCaches,
  };
}

const DECODED: Given = { channels: 3, size: undefined };

/** The images within the limits. */
interface Choice {
  readonly list: EncodedList;
  readonly places: Int32Array;
  readonly labels: Int32Array;
}

class EncodedSet {
  readonly #steps: readonly ImageTransform[];
  /** What they make of the images. */
  readonly #given: Given;

  constructor(
    readonly images: EncodedImages,
    readonly options: EncodedOptions,
    readonly pipeline: readonly Transform[],
  ) {
    this.#steps = preparations(pipeline);
    this.#given = givenAfter(this.#steps, DECODED);
  }

  async load(): Promise<ImageDataset> {
    const choice = await this.#choose();
    const data =
      this.options.cache === false
        ? await readAll(this.#read(choice), choice.places.length, this.#given)
        : await loadCached(this.#cached(choice));
    const { classes } = this.images;
    const rest = this.pipeline.slice(this.#steps.length);
    return new ImageDataset({ classes, labels: choice.labels, ...data }, rest);
  }

  async makeCache(options?: CacheOptions): Promise<CacheReport> {
    return makeCache(this.#cached(await this.#choose()), options);
  }

  async #choose(): Promise<Choice> {
    const list = await this.images.list();
    const places = limitedPlaces(list.labels, this.options);
    return { list, places, labels: places.map((place) => list.labels[place]!) };
  }

  #read({ list, places }: Choice): AsyncGenerator<Pixels> {
    const steps = this.#steps;
    return inOrder(places.length, async (i) => prepareImage(await list.decode(places[i]!), steps));
  }

  #cached(choice: Choice): CachedImages {
    const { name, identity, classes } = this.images;
    const { cache, limit = null, limit_per_class = null, transforms } = this.options;
    const steps = transforms.slice(0, this.#steps.length);
    const fingerprint = new Fingerprint(classes, steps);
    for (const [i, place] of choice.places.entries()) {
      fingerprint.add(place, choice.labels[i]!, choice.list.file(place));
    }
    const folder = typeof cache === 'string' ? cache : undefined;
    return {
      path: cachePath(folder, name, [identity, limit, limit_per_class, steps]),
      fingerprint: fingerprint.digest,
      count: choice.places.length,
      channels: this.#given.channels,
      images: () => this.#read(choice),
    };
  }
}

/** Images decoded at a time. */
const AT_ONCE = 8;

/** What `read` gives for 0 to `count - 1`, several of which are read at a time. */
async function* inOrder<T>(count: number, read: (i: number) => Promise<T>): AsyncGenerator<T> {
  const pending: Promise<T>[] = [];
  let next = 0;
  const start = () => {
    const result = read(next++);
    result.catch(() => undefined); // who waits for it hears of it
    pending.push(result);
  };
  while (next < Math.min(AT_ONCE, count)) start();
  while (pending.length > 0) {
    const result = await pending.shift()!;
    if (next < count) start();
    yield result;
  }
}

/** All images in memory; `given` is what they are alike in. */
async function readAll(
  images: AsyncIterable<Pixels>,
  count: number,
  { channels, size }: Given,
): Promise<ImagePixels> {
  if (size === undefined) {
    const all: Pixels[] = [];
    for await (const image of images) all.push(image);
    return joined(all, { channels, height: 1, width: 1 });
  }
  // Where the place of each is known, no second copy is kept.
  const bytes = channels * size.height * size.width;
  const whole = new Uint8Array(count * bytes);
  let at = 0;
  for await (const image of images) {
    whole.set(image.data, at);
    at += bytes;
  }
  return { channels, ...size, images: whole };
}
