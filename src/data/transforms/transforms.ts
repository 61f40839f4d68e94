/**
 * Transforms of image samples, by torchvision's names.
 *
 * A pixel transform maps a stored byte to a number knowing only its channel, so all of them
 * collapse into 256 float32 values a channel, and an engine normalises a batch by table look-up.
 * The table is computed with the float32 operations PyTorch would do, one rounding each, so that
 * the pixels a model sees are bit-equal with torchvision's.
 *
 * A move transform (a crop, a flip) comes before the table and moves the bytes of a whole image. It
 * draws from the seed, the epoch and the sample alone; its numbers are not torchvision's.
 *
 * A preparing transform (a resize) comes before both, and is applied when the data are read.
 */

import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import type { PixelMove } from '../../engine/images.ts';
import type { Field } from '../dataset.ts';
import type { Pixels, Size } from '../images/pixels.ts';

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

/** Moves the pixels of a whole image of bytes. */
export interface MoveTransform {
  readonly name: string;
  readonly takes: 'image';
  readonly move: PixelMove;
}

/** Makes an image into another one, always in the same way. */
export interface PrepareTransform {
  readonly name: string;
  readonly takes: 'pixels';
  /** The number of channels it gives; `undefined` when it leaves them as they are. */
  readonly channels?: number;
  /** The size it gives for images of `given`, or of unknown sizes; `undefined` if that varies. */
  size(given: Size | undefined): Size | undefined;
  apply(image: Pixels): Pixels;
}

export type Transform = PixelTransform | MoveTransform | PrepareTransform;

export const transforms = new Registry<Transform>(
  'transform',
  {},
  'https://pytorch.org/vision/stable/generated/torchvision.transforms.*.html',
);

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html */
transforms.register('ToTensor', {
  schema: z.strictObject({}),
  create: (): Transform => ({
    name: 'ToTensor',
    takes: 'bytes',
    apply: (value) => Math.fround(value / 255),
  }),
});

const channelValues = z
  .array(z.number())
  .min(1)
  .describe('One value for all channels, or one for each.');

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html */
transforms.register('Normalize', {
  schema: z.strictObject({ mean: channelValues, std: channelValues }),
  create: (options: { mean: number[]; std: number[] }): Transform => normalize(options),
});

function normalize({ mean, std }: { mean: number[]; std: number[] }): Transform {
  const channels = Math.max(mean.length, std.length);
  for (const [name, list] of Object.entries({ mean, std })) {
    if (list.length !== 1 && list.length !== channels) {
      throw new ConfigError(
        `[Normalize] mean has ${mean.length} values and std ${std.length}: ${name} needs 1 or ${channels}`,
      );
    }
  }
  if (std.some((value) => Math.fround(value) === 0)) {
    throw new ConfigError(`[Normalize] std [${std.join(', ')}] has a zero in float32`);
  }
  const of = (list: number[], channel: number) =>
    Math.fround(list.length === 1 ? list[0]! : list[channel]!);
  return {
    name: 'Normalize',
    takes: 'floats',
    channels: channels === 1 ? undefined : channels,
    apply: (value, channel) =>
      Math.fround(Math.fround(value - of(mean, channel)) / of(std, channel)),
  };
}

/** Pixels. */
export const side = z.int().min(1).max(4096);
/** (height, width), or one number. */
export const sizeOption = z.union([side, z.tuple([side, side])]);

export function sizeOf(option: z.output<typeof sizeOption>): Size {
  const [height, width] = typeof option === 'number' ? [option, option] : option;
  return { height, width };
}

const pad = z.int().min(0).max(4096);
const cropOptions = z.strictObject({
  size: sizeOption.describe('(height, width), or one number for both.'),
  padding: z
    .union([pad, z.tuple([pad, pad]), z.tuple([pad, pad, pad, pad])])
    .nullable()
    .default(null)
    .describe(
      'Black pixels put around the image first: at all sides; left and right, top and bottom; or ' +
        'left, top, right, bottom.',
    ),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html */
transforms.register('RandomCrop', {
  schema: cropOptions,
  create: ({ size, padding }: z.output<typeof cropOptions>): Transform => {
    const { height, width } = sizeOf(size);
    const list = typeof padding === 'number' ? [padding] : (padding ?? [0]);
    const [left, top = left!, right = left!, bottom = top] = list as [number, ...number[]];
    const move = { kind: 'crop', height, width, left, top, right, bottom } as const;
    return { name: 'RandomCrop', takes: 'image', move };
  },
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html */
transforms.register('RandomHorizontalFlip', {
  schema: z.strictObject({
    p: z.number().min(0).max(1).default(0.5).describe('How likely an image is flipped.'),
  }),
  create: ({ p }: { p: number }): Transform => ({
    name: 'RandomHorizontalFlip',
    takes: 'image',
    move: { kind: 'flip', probability: p },
  }),
});

/** The schema of a data set's `transforms`. */
export const transformList = () =>
  z
    .array(transforms.spec())
    .default([{ type: 'ToTensor' }])
    .describe(
      'What is done to every image, in order: crops, flips, ToTensor, Normalize. Default: ToTensor.',
    );

/** The moves of a pipeline, in order. */
export function pixelMoves(pipeline: readonly Transform[]): PixelMove[] {
  return pipeline.flatMap((transform) => (transform.takes === 'image' ? [transform.move] : []));
}

/** The preparing transforms of a pipeline, in order. */
export function preparations(pipeline: readonly Transform[]): PrepareTransform[] {
  return pipeline.filter((transform) => transform.takes === 'pixels');
}

/**
 * What images of `channels` and `size` are once they are prepared. Throws a `ConfigError` when
 * their sizes are unknown and nothing makes them equal.
 */
export function preparedSize(
  pipeline: readonly Transform[],
  { channels, size }: { channels: number; size: Size | undefined },
): Size & { channels: number } {
  const steps = preparations(pipeline);
  const prepared = steps.reduce((given, step) => step.size(given), size);
  if (prepared === undefined) {
    throw new ConfigError(
      '[transforms] the images have sizes of their own; add CenterCrop, or Resize with [height, width]',
    );
  }
  return { ...prepared, channels: steps.findLast((step) => step.channels)?.channels ?? channels };
}

/**
 * What a pipeline gives for prepared images of this size. Throws a `ConfigError` as `byteTable`
 * does, and when a crop is larger than the padded image.
 */
export function imageField(
  pipeline: readonly Transform[],
  { channels, ...prepared }: Size & { channels: number },
): Field {
  byteTable(pipeline, channels);
  let size: Size = prepared;
  for (const move of pixelMoves(pipeline)) {
    if (move.kind !== 'crop') continue;
    const padded = [size.height + move.top + move.bottom, size.width + move.left + move.right];
    if (move.height > padded[0]! || move.width > padded[1]!) {
      throw new ConfigError(
        `[RandomCrop] size ${move.height} x ${move.width} is larger than the padded image, ${padded[0]} x ${padded[1]}`,
      );
    }
    size = move;
  }
  return { dtype: 'float32', shape: [channels, size.height, size.width] };
}

/**
 * The values bytes become: (channels, 256) float32. Throws a `ConfigError` when `ToTensor`
 * is missing, comes twice or between the wrong ones, or one is made for another number of channels.
 */
export function byteTable(transforms: readonly Transform[], channels: number): Float32Array {
  const names = transforms.map((transform) => transform.name).join(', ');
  const pipeline = transforms.filter(isPixelTransform);
  if (pipeline.length === 0) {
    throw new ConfigError(`[transforms] images need ToTensor; got ${names || 'none'}`);
  }
  const ranks = transforms.map(({ takes }) => RANKS[takes]);
  if (ranks.some((rank, i) => rank < (ranks[i - 1] ?? 0))) {
    throw new ConfigError(
      `[transforms] the order is sizes, then crops and flips, then ToTensor; got ${names}`,
    );
  }
  pipeline.forEach((transform, i) => {
    if (transform.takes !== (i === 0 ? 'bytes' : 'floats')) {
      throw new ConfigError(`[transforms] ToTensor must come first, and once; got ${names}`);
    }
    if (transform.channels !== undefined && transform.channels !== channels) {
      throw new ConfigError(
        `[${transform.name}] is given for ${transform.channels} channels, but the images have ${channels}`,
      );
    }
  });
  const table = new Float32Array(channels * 256);
  for (let i = 0; i < table.length; i++) {
    const channel = i >> 8;
    table[i] = pipeline.reduce((value, transform) => transform.apply(value, channel), i & 255);
  }
  return table;
}

/** Where in a pipeline a transform may stand. */
const RANKS: Record<Transform['takes'], number> = { pixels: 0, image: 1, bytes: 2, floats: 2 };

function isPixelTransform(transform: Transform): transform is PixelTransform {
  return transform.takes === 'bytes' || transform.takes === 'floats';
}
