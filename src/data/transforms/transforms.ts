/**
 * Transforms of image samples, by torchvision's names.
 *
 * An image transform makes bytes into bytes: a crop, a flip, a change of colours. What it does to
 * one sample it draws from the seed, the epoch and the sample alone, as ops that engines compute;
 * its numbers are not torchvision's, but their distributions are. Those that draw nothing and come
 * first (a resize) are applied once, when the data are read.
 *
 * A pixel transform maps a byte to a number knowing only its channel, so all of them collapse into
 * 256 float32 values a channel, and an engine normalises a batch by table look-up. The table is
 * computed with the float32 operations PyTorch would do, one rounding each, so that the pixels a
 * model sees are bit-equal with torchvision's.
 *
 * An erasing transform comes between or after pixel transforms, and writes over some of the floats.
 */

import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { Registry, type Spec } from '../../base/registry.ts';
import type { EraseOp, ImageOp } from '../../engine/image-ops/op.ts';
import type { ImageShape, Size } from '../../engine/image-ops/pixels.ts';
import type { PixelMove } from '../../engine/images.ts';
import type { Draws } from './draws.ts';

/** What is known of images before they are read: their size, if they all have one. */
export interface Given {
  readonly channels: number;
  readonly size: Size | undefined;
}

/** Makes an image of bytes into another one. */
export interface ImageTransform {
  readonly name: string;
  readonly takes: 'image';
  /** Whether it draws. */
  readonly random: boolean;
  /** The same for engines, where it only moves pixels of images that all have one size. */
  readonly move?: PixelMove;
  /**
   * What it makes of such images; a size that varies is `undefined`. Throws a `ConfigError` when it
   * cannot be done to them.
   */
  gives(given: Given): Given;
  /** What is done to one image. */
  draw(draws: Draws, image: ImageShape): readonly ImageOp[];
}

/** Maps each value of a channel on its own. */
export interface PixelTransform {
  readonly name: string;
  /** Whether it takes bytes (0 to 255) or float32 values. It gives float32 values. */
  readonly takes: 'bytes' | 'floats';
  /** The number of channels it is made for; `undefined` when any number will do. */
  readonly channels?: number;
  /** The new value, rounded to float32 after every operation. */
  apply(value: number, channel: number): number;
}

/** Writes over a part of the floats. */
export interface ErasingTransform {
  readonly name: string;
  readonly takes: 'tensor';
  /** Whether it writes noise, which no later transform may change. */
  readonly noise: boolean;
  /** Throws a `ConfigError` when it cannot be done to such images. */
  check(channels: number): void;
  /** Values are those where it stands. Nothing is erased where it gives none. */
  draw(draws: Draws, image: ImageShape): EraseOp | undefined;
}

/** `spec` is what it was built from, where it was. */
export type Transform = (ImageTransform | PixelTransform | ErasingTransform) & {
  readonly spec?: Spec;
};

export const transforms = new Registry<Transform>(
  'transform',
  {},
  'https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.*.html',
);

/** A list of transforms as an argument of another one. */
export const transformsArgument = (what: string) =>
  z
    .array(z.lazy((): z.ZodType<Spec> => transforms.spec()))
    .min(1)
    .describe(what);

/** The schema of a data set's `transforms`. */
export const transformList = () =>
  z
    .array(transforms.spec())
    .default([{ type: 'ToTensor' }])
    .describe(
      'What is done to every image, in order: sizes, crops, flips and colours, then ToTensor or ' +
        'ToDtype, then Normalize and RandomErasing. Default: ToTensor.',
    );

export function buildTransforms(specs: readonly Spec[]): Transform[] {
  return specs.map((spec) => ({ ...transforms.build(spec), spec }));
}

/** The transforms of a list, all of which must make images into images. */
export function buildImageTransforms(name: string, specs: readonly Spec[]): ImageTransform[] {
  return specs.map((spec) => {
    const transform = transforms.build(spec);
    if (transform.takes === 'image') return transform;
    throw new ConfigError(`[${name}] ${transform.name} cannot be one of its transforms`);
  });
}

/** A transform that keeps the shape of an image. */
export function keepsShape(
  name: string,
  { check, draw }: Pick<ImageTransform, 'draw'> & { readonly check?: (given: Given) => void },
): ImageTransform {
  const gives = (given: Given) => {
    check?.(given);
    return given;
  };
  return { name, takes: 'image', random: true, gives, draw };
}

/** Throws a `ConfigError` unless images are gray or in colour. */
export function checkColours(name: string, { channels }: Given): void {
  if (channels === 1 || channels === 3) return;
  throw new ConfigError(`[${name}] needs images of 1 or 3 channels, got ${channels}`);
}
