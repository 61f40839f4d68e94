/**
 * What all data sets of images have in common: their arguments, and how what they read becomes an
 * `ImageDataset`. A kind of its own says where images come from and which classes there are.
 */

import { z } from 'zod';
import type { DatasetSource } from '../dataset.ts';
import { limitArguments, limitedPlaces } from '../loading/split.ts';
import { gather } from '../rows.ts';
import { imageField } from '../transforms/pipeline.ts';
import {
  buildTransforms,
  type Given,
  type Transform,
  transformList,
} from '../transforms/transforms.ts';
import { ImageDataset } from './image-dataset.ts';
import { imageEncoder } from './image-encoder.ts';
import type { Size } from './pixels.ts';

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

export interface LabelledBytes {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** Images that all have one size and are read together. */
export interface PixelImages extends Size {
  readonly classes: readonly string[];
  readonly channels: number;
  /** Reads all of them, or at least the first `limit` if given. */
  read(limit: number | undefined): Promise<LabelledBytes>;
}

/** A data set of such images. Throws a `BuildError` when the transforms do not fit them. */
export function pixelSource(images: PixelImages, options: ImageOptions): DatasetSource {
  const { classes, channels, height, width, read } = images;
  const pipeline = buildTransforms(options.transforms);
  const { limit, limit_per_class } = options;
  return {
    ...imageDescription(classes, pipeline, { channels, size: { height, width } }),
    load: async () => {
      const all = await read(limit_per_class === undefined ? limit : undefined);
      const places = limitedPlaces(all.labels, options);
      const isWhole = places.length === all.labels.length;
      const data = isWhole ? all : taken(all, channels * height * width, places);
      return new ImageDataset({ classes, channels, height, width, ...data }, pipeline);
    },
  };
}

/** The images of `places`, each of `area` bytes. */
export function taken(all: LabelledBytes, area: number, places: Int32Array): LabelledBytes {
  return { images: gather(all.images, area, places), labels: gather(all.labels, 1, places) };
}

/** What samples of images look like. */
export function imageDescription(
  classes: readonly string[],
  pipeline: readonly Transform[],
  given: Given,
) {
  return {
    input: imageField(pipeline, given),
    target: { dtype: 'int64', shape: [] },
    classes,
    encoder: imageEncoder(pipeline, given),
  } as const;
}
