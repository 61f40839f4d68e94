/**
 * Transforms that draw nothing. Where they come first they are applied once, when a data set is
 * read, and what they give is what is kept.
 */

import { z } from 'zod';
import { INTERPOLATIONS, type Interpolation, type ResizeOp } from '../../engine/image-ops/op.ts';
import type { Size } from '../../engine/image-ops/pixels.ts';
import {
  checkFill,
  type Fill,
  fillOf,
  fillOption,
  paddingMode,
  paddingOf,
  paddingOption,
  side,
  sizeArgument,
  sizeOf,
  sizeOption,
  sizeText,
} from './options.ts';
import {
  argumentFault,
  checkColours,
  type Given,
  type ImageTransform,
  transforms,
} from './transforms.ts';

type Work = Pick<ImageTransform, 'gives' | 'draw'>;

function always(name: string, work: Work): ImageTransform {
  return { name, takes: 'image', random: false, ...work };
}

const resizeOptions = z.strictObject({
  size: sizeOption.describe('(height, width), or one number for the shorter side.'),
  interpolation: z.enum(INTERPOLATIONS).default('bilinear').describe('The filter.'),
  max_size: side
    .nullable()
    .default(null)
    .describe('The longer side is at most this, where `size` is one number.'),
});

/**
 * With Pillow's arithmetic, as for images that are read from files.
 * https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Resize.html
 */
transforms.register('Resize', {
  schema: resizeOptions,
  create: ({ size, interpolation, max_size }: z.output<typeof resizeOptions>) => {
    if (max_size !== null && (typeof size !== 'number' || max_size <= size)) {
      const message = 'needs a size of one number, and to be greater than it';
      throw argumentFault('Resize', 'max_size', `max_size ${max_size} ${message}`);
    }
    const wanted = (given: Size): Size =>
      typeof size === 'number' ? shorterSide(given, size, max_size) : sizeOf(size);
    return always('Resize', {
      gives: ({ channels, size: given }) => ({
        channels,
        size: given === undefined && typeof size === 'number' ? undefined : wanted(given!),
      }),
      draw: (_, image) => [resizeOp(image, wanted(image), interpolation)],
    });
  },
});

/** The whole image at another size, as Pillow resizes it. */
export function resizeOp(image: Size, to: Size, interpolation: Interpolation): ResizeOp {
  const { height, width } = image;
  const box = { top: 0, left: 0, height, width };
  return { kind: 'resize', ...box, to, interpolation, antialias: true, as: 'PIL' };
}

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

const cropOptions = z.strictObject({ size: sizeArgument() });

/** https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.CenterCrop.html */
transforms.register('CenterCrop', {
  schema: cropOptions,
  create: ({ size }: z.output<typeof cropOptions>) => {
    const window = sizeOf(size);
    return always('CenterCrop', {
      gives: ({ channels }) => ({ channels, size: window }),
      draw: (_, image) => [centerCropOp(image, window)],
    });
  },
});

/** The window in the middle, with black around the image where it is larger. */
export function centerCropOp(image: Size, window: Size) {
  const top = beforeMiddle(image.height, window.height);
  return { kind: 'crop', top, left: beforeMiddle(image.width, window.width), ...window } as const;
}

/** Where a window in the middle begins; negative where it is larger than the image. */
function beforeMiddle(length: number, window: number): number {
  const rest = length - window;
  if (rest < 0) return -Math.floor(-rest / 2);
  // Halves are rounded to the even number, as Python does.
  return rest % 4 === 3 ? (rest + 1) / 2 : Math.floor(rest / 2);
}

const grayscaleOptions = z.strictObject({
  num_output_channels: z
    .union([z.literal(1), z.literal(3)])
    .default(1)
    .describe('Channels, all of them alike.'),
});

/**
 * With Pillow's arithmetic, as for images that are read from files.
 * https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Grayscale.html
 */
transforms.register('Grayscale', {
  schema: grayscaleOptions,
  create: ({ num_output_channels: channels }: z.output<typeof grayscaleOptions>) =>
    always('Grayscale', {
      gives: (given) => {
        checkColours('Grayscale', given);
        return { channels, size: given.size };
      },
      draw: () => [{ kind: 'grayscale', channels, as: 'PIL' }],
    }),
});

const padOptions = z.strictObject({
  padding: paddingOption.describe(
    'Pixels put around the image: at all sides; left and right, top and bottom; or left, top, ' +
      'right, bottom.',
  ),
  fill: fillOption(),
  padding_mode: paddingMode(),
});

/** https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.Pad.html */
transforms.register('Pad', {
  schema: padOptions,
  create: ({ padding, fill, padding_mode }: z.output<typeof padOptions>) =>
    always('Pad', padWork(paddingOf(padding), fill, padding_mode)),
});

function padWork(
  sides: ReturnType<typeof paddingOf>,
  fill: Fill,
  mode: z.output<typeof padOptions>['padding_mode'],
): Work {
  return {
    gives: (given) => {
      checkFill('Pad', fill, given.channels);
      return padded('Pad', given, sides, mode);
    },
    draw: (_, { channels }) => [{ kind: 'pad', ...sides, mode, fill: padFill(fill, channels) }],
  };
}

/** A byte for each channel. */
export function padFill(fill: Fill, channels: number): number[] {
  return (fillOf(fill, channels) ?? new Array<number>(channels).fill(0)).map(Math.trunc);
}

/** Padded images. Throws a `BuildError` when there is too little to mirror. */
export function padded(
  name: string,
  { channels, size }: Given,
  { left, top, right, bottom }: ReturnType<typeof paddingOf>,
  mode: z.output<typeof padOptions>['padding_mode'],
): Given {
  if (size === undefined) return { channels, size };
  const kept = mode === 'reflect' ? 1 : 0;
  const mirrors = mode === 'reflect' || mode === 'symmetric';
  if (
    mirrors &&
    (Math.max(top, bottom) > size.height - kept || Math.max(left, right) > size.width - kept)
  ) {
    throw argumentFault(
      name,
      'padding',
      `padding_mode ${mode} mirrors at most ${size.height - kept} rows and ${size.width - kept} columns of images of ${sizeText(size)}; padding asks for ${Math.max(top, bottom)} and ${Math.max(left, right)}`,
    );
  }
  return {
    channels,
    size: { height: size.height + top + bottom, width: size.width + left + right },
  };
}
