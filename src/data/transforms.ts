/**
 * Transforms of image samples, by torchvision's names.
 *
 * Every transform so far maps a stored byte to a number knowing only its channel, so a whole
 * pipeline collapses into 256 float32 values a channel, and an engine normalises a batch by table
 * look-up. The table is computed with the float32 operations PyTorch would do, one rounding each,
 * so that the pixels a model sees are bit-equal with torchvision's.
 *
 * Random transforms (flips, crops) will be a second kind, beside `PixelTransform` in `Transform`:
 * they move bytes of a whole image, before the table, and draw from Philox keyed by
 * (seed, epoch, sample index), so that an epoch can be replayed from its middle. `BatchRequest`
 * is then where the loader passes the seed and epoch on.
 */

import { z } from 'zod';
import { ConfigError } from '../base/errors.ts';
import { Registry } from '../base/registry.ts';

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

export type Transform = PixelTransform;

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

/**
 * The values bytes become: (channels, 256) float32. Throws a `ConfigError` when the pipeline does
 * not begin with `ToTensor`, has it again later, or is made for another number of channels.
 */
export function byteTable(pipeline: readonly Transform[], channels: number): Float32Array {
  if (pipeline.length === 0) throw new ConfigError('[transforms] images need ToTensor; got none');
  pipeline.forEach((transform, i) => {
    if (transform.takes !== (i === 0 ? 'bytes' : 'floats')) {
      const rule = 'ToTensor must come first, and once';
      throw new ConfigError(`[transforms] ${rule}; got ${pipeline.map((t) => t.name).join(', ')}`);
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
