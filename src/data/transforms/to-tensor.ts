/** Transforms that make bytes into numbers, and numbers into others. */

import { z } from 'zod';
import {
  argumentFault,
  type ImageTransform,
  type PixelTransform,
  transforms,
} from './transforms.ts';

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html */
transforms.register('ToTensor', {
  schema: z.strictObject({}),
  page: 'https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html',
  create: (): PixelTransform => ({
    name: 'ToTensor',
    takes: 'bytes',
    apply: (value) => Math.fround(value / 255),
  }),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToImage.html */
transforms.register('ToImage', {
  schema: z.strictObject({}),
  create: () => unchanged('ToImage'),
});

const toDtype = z.strictObject({
  dtype: z
    .enum(['float32', 'uint8'])
    .describe('float32 makes bytes into numbers; uint8 leaves them as they are.'),
  scale: z.boolean().default(false).describe('Whether 0 to 255 becomes 0 to 1.'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.ToDtype.html */
transforms.register('ToDtype', {
  schema: toDtype,
  create: ({ dtype, scale }: z.output<typeof toDtype>): ImageTransform | PixelTransform => {
    if (dtype === 'uint8') return unchanged('ToDtype');
    // PyTorch multiplies here, and divides in ToTensor.
    const unit = scale ? Math.fround(1 / 255) : 1;
    return { name: 'ToDtype', takes: 'bytes', apply: (value) => Math.fround(value * unit) };
  },
});

function unchanged(name: string): ImageTransform {
  return { name, takes: 'image', random: false, gives: (given) => given, draw: () => [] };
}

const channelValues = z
  .array(z.number())
  .min(1)
  .describe('One value for all channels, or one for each.');

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.Normalize.html */
transforms.register('Normalize', {
  schema: z.strictObject({ mean: channelValues, std: channelValues }),
  create: (options: { mean: number[]; std: number[] }): PixelTransform => normalize(options),
});

function normalize({ mean, std }: { mean: number[]; std: number[] }): PixelTransform {
  const channels = Math.max(mean.length, std.length);
  for (const [name, list] of Object.entries({ mean, std })) {
    if (list.length !== 1 && list.length !== channels) {
      throw argumentFault(
        'Normalize',
        name,
        `mean has ${mean.length} values and std ${std.length}: ${name} needs 1 or ${channels}`,
      );
    }
  }
  if (std.some((value) => Math.fround(value) === 0)) {
    throw argumentFault('Normalize', 'std', `std [${std.join(', ')}] has a zero in float32`);
  }
  const of = (list: number[], channel: number) =>
    Math.fround(list.length === 1 ? list[0]! : list[channel]!);
  return {
    name: 'Normalize',
    takes: 'floats',
    ...(channels > 1 && { channels }),
    apply: (value, channel) =>
      Math.fround(Math.fround(value - of(mean, channel)) / of(std, channel)),
  };
}
