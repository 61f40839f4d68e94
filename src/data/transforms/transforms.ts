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
import { BuildError, partError, type SpecPath } from '../../base/build-error.ts';
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
   * What it makes of such images; a size that varies is `undefined`. Throws an error when it
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
  /** Throws a `TorchtsError` when it cannot be done to such images. */
  check(channels: number): void;
  /** Values are those where it stands. Nothing is erased where it gives none. */
  draw(draws: Draws, image: ImageShape): EraseOp | undefined;
}

/** `spec` is what it was built from, where it was, and `place` where that stands. */
export type Transform = (ImageTransform | PixelTransform | ErasingTransform) & {
  readonly spec?: Spec;
  readonly place?: SpecPath;
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

/** Those of an argument `transforms`. Throws a `BuildError` at the one that is wrong. */
export function buildTransforms(specs: readonly Spec[]): Transform[] {
  return specs.map((spec, i) => {
    const place = ['transforms', i];
    try {
      return { ...transforms.build(spec), spec, place };
    } catch (error) {
      throw partError(error, place);
    }
  });
}

/** The same, all of which must make images into images. */
export function buildImageTransforms(name: string, specs: readonly Spec[]): ImageTransform[] {
  return buildTransforms(specs).map((transform) => {
    if (transform.takes === 'image') return transform;
    const message = `[${name}] ${transform.name} cannot be one of its transforms`;
    throw new BuildError(message, transform.place!);
  });
}

/** Runs `body`; what it finds wrong is said of the transform, where that has a place. */
export function atTransform<T>({ place }: Transform, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw place === undefined ? error : partError(error, place);
  }
}

/** What is wrong with one argument of a transform. */
export function argumentFault(name: string, key: string, message: string): BuildError {
  return new BuildError(`[${name}] ${message}`, [key]);
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
