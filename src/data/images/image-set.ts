/**
 * What all data sets of images have in common: their arguments, and how what they read becomes an
 * `ImageDataset`. A kind of its own says where images come from and which classes there are.
 */

import { z } from 'zod';
import type { DatasetSource } from '../dataset.ts';
import { limitArguments, limitedPlaces } from '../loading/split.ts';
import { givenAfter, imageField, preparations, prepareImage } from '../transforms/pipeline.ts';
import {
  buildTransforms,
  type Given,
  type Transform,
  transformList,
} from '../transforms/transforms.ts';
import { type ImageData, ImageDataset, joined, taken } from './image-dataset.ts';
import { imageEncoder } from './image-encoder.ts';
import type { Pixels, Size } from './pixels.ts';

/** The arguments of every data set of images. */
export const imageArguments = { transforms: transformList(), ...limitArguments };

/** Of sets that are looked for by name. */
export const rootArgument = z
  .string()
  .default('datasets')
  .describe(
    'The folder it is in, relative to the working directory or to the package; the cache is ' +
      'searched too.',
  );

export const splitArgument = z
  .enum(['train', 'test'])
  .default('train')
  .describe('Which of its two parts.');

const options = z.strictObject(imageArguments);
export type ImageOptions = z.output<typeof options>;

/** Images that all have one size and are read together. */
export interface PixelImages extends Size {
  readonly classes: readonly string[];
  readonly channels: number;
  /** Reads all of them, or at least the first `limit` if given. */
  read(limit: number | undefined): Promise<Pick<ImageData, 'images' | 'labels'>>;
}

/** A data set of such images. Throws a `ConfigError` when the transforms do not fit them. */
export function pixelSource(images: PixelImages, options: ImageOptions): DatasetSource {
  const { classes, channels, height, width, read } = images;
  const pipeline = buildTransforms(options.transforms);
  const { limit, limit_per_class } = options;
  return {
    ...description(classes, pipeline, { channels, size: { height, width } }),
    load: async () => {
      const all = await read(limit_per_class === undefined ? limit : undefined);
      const places = limitedPlaces(all.labels, options);
      const isWhole = places.length === all.labels.length;
      const data = isWhole ? all : taken(all, channels * height * width, places);
      return new ImageDataset({ classes, channels, height, width, ...data }, pipeline);
    },
  };
}

/** Images that are decoded one by one, of 3 channels and a size of its own each. */
export interface EncodedImages {
  readonly classes: readonly string[];
  /** The class of each image, in order, once they are asked for. */
  list(): Promise<EncodedList>;
}

export interface EncodedList {
  readonly labels: Int32Array;
  /** Decodes image `place`. Throws a `FileError` that names it. */
  decode(place: number): Promise<Pixels>;
}

/** Images decoded at a time. */
const AT_ONCE = 8;

/**
 * A data set of such images, decoded and prepared once, and kept in memory as bytes. Throws a
 * `ConfigError` when the transforms do not fit them or leave them sizes of their own.
 */
export function encodedSource(images: EncodedImages, options: ImageOptions): DatasetSource {
  const { classes } = images;
  const pipeline = buildTransforms(options.transforms);
  const given = { channels: 3, size: undefined };
  const steps = preparations(pipeline);
  const prepared = givenAfter(steps, given);
  return {
    ...description(classes, pipeline, given),
    load: async () => {
      const { labels, decode } = await images.list();
      const places = limitedPlaces(labels, options);
      const read = async (i: number) => prepareImage(await decode(places[i]!), steps);
      const data = await readImages(places.length, prepared, read);
      const chosen = places.map((place) => labels[place]!);
      const rest = pipeline.slice(steps.length);
      return new ImageDataset({ classes, labels: chosen, ...data }, rest);
    },
  };
}

/** Reads images that end with `given`, several at a time. */
async function readImages(
  count: number,
  { channels, size }: Given,
  read: (place: number) => Promise<Pixels>,
): Promise<ReturnType<typeof joined>> {
  const results = new Array<Pixels>(count);
  const bytes = size && channels * size.height * size.width;
  const images = new Uint8Array(count * (bytes ?? 0));
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      const image = await read(i);
      // Where the place of each is known, no second copy is kept.
      if (bytes === undefined) results[i] = image;
      else images.set(image.data, i * bytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return size === undefined
    ? joined(results, { channels, height: 1, width: 1 })
    : { channels, ...size, images };
}

function description(classes: readonly string[], pipeline: readonly Transform[], given: Given) {
  return {
    input: imageField(pipeline, given),
    target: { dtype: 'int64', shape: [] },
    classes,
    encoder: imageEncoder(pipeline, given),
  } as const;
}
