/**
 * Transforms that give images of any size the size a model takes. They draw nothing, so they are
 * applied once, when a data set is read, and what they give is what is kept.
 */

import { z } from 'zod';
import { ArgumentError } from '../../base/errors.ts';
import { crop, type Pixels, type Size } from '../images/pixels.ts';
import { INTERPOLATIONS, type Interpolation, resize } from './resample.ts';
import { type PrepareTransform, side, sizeOf, sizeOption, transforms } from './transforms.ts';

const resizeOptions = z.strictObject({
  size: sizeOption.describe('(height, width), or one number for the shorter side.'),
  interpolation: z.enum(INTERPOLATIONS).default('bilinear').describe('The filter.'),
  max_size: side
    .nullable()
    .default(null)
    .describe('The longer side is at most this, where `size` is one number.'),
});

/** https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Resize.html */
transforms.register('Resize', {
  schema: resizeOptions,
  create: ({ size, interpolation, max_size }: z.output<typeof resizeOptions>) => {
    if (max_size !== null && (typeof size !== 'number' || max_size <= size)) {
      const message = 'needs a size of one number, and to be greater than it';
      throw new ArgumentError(`[Resize] max_size ${max_size} ${message}`);
    }
    const wanted = (given: Size): Size =>
      typeof size === 'number' ? shorterSide(given, size, max_size) : sizeOf(size);
    return preparing('Resize', {
      size: (given) =>
        given === undefined && typeof size === 'number' ? undefined : wanted(given!),
      apply: (image) => resize(image, wanted(image), interpolation as Interpolation),
    });
  },
});

/** The shorter side becomes `length`, the other keeps the ratio. */
function shorterSide({ height, width }: Size, length: number, most: number | null): Size {
  const [short, long] = height < width ? [height, width] : [width, height];
  let [newShort, newLong] = [length, Math.trunc((length * long) / short)];
  if (most !== null && newLong > most) {
    [newShort, newLong] = [Math.trunc((most * newShort) / newLong), most];
  }
  const [newHeight, newWidth] = height < width ? [newShort, newLong] : [newLong, newShort];
  return { height: Math.max(1, newHeight), width: Math.max(1, newWidth) };
}

const cropOptions = z.strictObject({
  size: sizeOption.describe('(height, width), or one number for both.'),
});

/** https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CenterCrop.html */
transforms.register('CenterCrop', {
  schema: cropOptions,
  create: ({ size }: z.output<typeof cropOptions>) => {
    const window = sizeOf(size);
    return preparing('CenterCrop', {
      size: () => window,
      apply: (image) => centerCrop(image, window),
    });
  },
});

/** The window in the middle, with black around it where it is larger than the image. */
export function centerCrop(image: Pixels, window: Size): Pixels {
  const top = beforeMiddle(image.height, window.height);
  return crop(image, top, beforeMiddle(image.width, window.width), window);
}

/** Where a window in the middle begins; negative where it is larger than the image. */
function beforeMiddle(length: number, window: number): number {
  const rest = length - window;
  if (rest < 0) return -Math.floor(-rest / 2);
  // Halves are rounded to the even number, as Python does.
  return rest % 4 === 3 ? (rest + 1) / 2 : Math.floor(rest / 2);
}

/** torchvision's weights: the luma of ITU-R 601-2, in 16 fractional bits. */
const LUMA = [19595, 38470, 7471] as const;

const grayscaleOptions = z.strictObject({
  num_output_channels: z
    .union([z.literal(1), z.literal(3)])
    .default(1)
    .describe('Channels, all of them alike.'),
});

/** https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Grayscale.html */
transforms.register('Grayscale', {
  schema: grayscaleOptions,
  create: ({ num_output_channels }: z.output<typeof grayscaleOptions>) =>
    preparing('Grayscale', {
      channels: num_output_channels,
      size: (given) => given,
      apply: (image) => grayscale(image, num_output_channels),
    }),
});

/** The luma of an image, in as many channels as wanted. */
export function grayscale(image: Pixels, channels: number): Pixels {
  const { height, width, data } = image;
  const area = height * width;
  const gray = new Uint8Array(channels * area);
  for (let i = 0; i < area; i++) {
    gray[i] =
      image.channels === 1
        ? data[i]!
        : (LUMA[0] * data[i]! +
            LUMA[1] * data[area + i]! +
            LUMA[2] * data[2 * area + i]! +
            0x8000) >>
          16;
  }
  for (let channel = 1; channel < channels; channel++) {
    gray.copyWithin(channel * area, 0, area);
  }
  return { channels, height, width, data: gray };
}

function preparing(name: string, rest: Omit<PrepareTransform, 'name' | 'takes'>): PrepareTransform {
  return { name, takes: 'pixels', ...rest };
}
