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
 */

import { z } from 'zod';
import { ConfigError } from '../base/errors.ts';
import { Registry } from '../base/registry.ts';
import type { PixelMove } from '../engine/images.ts';
import type { Field } from './dataset.ts';

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

export type Transform = PixelTransform | MoveTransform;

export const transforms = new Registry<Transform>('transform');

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html */
transforms.register('ToTensor', {
  schema: z.strictObject({}),
  create: (): Transform => ({
    name: 'ToTensor',
    takes: 'bytes',
    apply: (value) => Math.fround(value / 255),
  }),
});

const channelValues = z.array(z.number()).min(1);

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

const side = z.int().min(1).max(4096);
const pad = z.int().min(0).max(4096);
const cropOptions = z.strictObject({
  /** (height, width), or one number for both. */
  size: z.union([side, z.tuple([side, side])]),
  /** Of all sides, (left and right, top and bottom), or (left, top, right, bottom). */
  padding: z
    .union([pad, z.tuple([pad, pad]), z.tuple([pad, pad, pad, pad])])
    .nullable()
    .default(null),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html */
transforms.register('RandomCrop', {
  schema: cropOptions,
  create: ({ size, padding }: z.output<typeof cropOptions>): Transform => {
    const [height, width] = typeof size === 'number' ? [size, size] : size;
    const list = typeof padding === 'number' ? [padding] : (padding ?? [0]);
    const [left, top = left!, right = left!, bottom = top] = list as [number, ...number[]];
    const move = { kind: 'crop', height, width, left, top, right, bottom } as const;
    return { name: 'RandomCrop', takes: 'image', move };
  },
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomHorizontalFlip.html */
transforms.register('RandomHorizontalFlip', {
  schema: z.strictObject({ p: z.number().min(0).max(1).default(0.5) }),
  create: ({ p }: { p: number }): Transform => ({
    name: 'RandomHorizontalFlip',
    takes: 'image',
    move: { kind: 'flip', probability: p },
  }),
});

/** The moves of a pipeline, in order. */
export function pixelMoves(pipeline: readonly Transform[]): PixelMove[] {
  return pipeline.flatMap((transform) => (transform.takes === 'image' ? [transform.move] : []));
}

/**
 * What a pipeline gives for images of these sizes. Throws a `ConfigError` as `byteTable` does, and
 * when a crop is larger than the padded image.
 */
export function imageField(
  pipeline: readonly Transform[],
  [channels, height, width]: readonly [number, number, number],
): Field {
  byteTable(pipeline, channels);
  let size = { height, width };
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
  const pipeline = transforms.filter((transform) => transform.takes !== 'image');
  if (pipeline.length === 0) {
    throw new ConfigError(`[transforms] images need ToTensor; got ${names || 'none'}`);
  }
  const moves = transforms.length - pipeline.length;
  if (transforms.slice(0, moves).some((transform) => transform.takes !== 'image')) {
    throw new ConfigError(`[transforms] crops and flips must come before ToTensor; got ${names}`);
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
