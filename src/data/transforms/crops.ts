/** Transforms that choose a part of an image, or turn it over. */

import { z } from 'zod';
import { ArgumentError } from '../../base/errors.ts';
import { roundHalfEven } from '../../base/rounding.ts';
import type { Box, ImageOp } from '../../engine/image-ops/op.ts';
import type { Size } from '../../engine/image-ops/pixels.ts';
import type { Draws } from './draws.ts';
import {
  checkFill,
  fillOption,
  paddingMode,
  paddingOf,
  paddingOption,
  probability,
  type Range,
  range,
  sizeArgument,
  sizeOf,
  sizeText,
} from './options.ts';
import { padded, padFill } from './preparing.ts';
import { argumentFault, type ImageTransform, keepsShape, transforms } from './transforms.ts';

const cropOptions = z.strictObject({
  size: sizeArgument(),
  padding: paddingOption
    .nullable()
    .default(null)
    .describe(
      'Pixels put around the image first: at all sides; left and right, top and bottom; or ' +
        'left, top, right, bottom.',
    ),
  pad_if_needed: z
    .boolean()
    .default(false)
    .describe('Pads an image that is still smaller than `size`, on both sides.'),
  fill: fillOption(),
  padding_mode: paddingMode(),
});

type CropOptions = z.output<typeof cropOptions>;

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomCrop.html */
transforms.register('RandomCrop', { schema: cropOptions, create: randomCrop });

function randomCrop(options: CropOptions): ImageTransform {
  const { size, padding, pad_if_needed, fill, padding_mode } = options;
  const window = sizeOf(size);
  const sidesFor = (image: Size) => cropPadding(image, window, paddingOf(padding), pad_if_needed);
  const isBlack = padding_mode === 'constant' && padFill(fill, 1)[0] === 0 && !Array.isArray(fill);
  return {
    name: 'RandomCrop',
    takes: 'image',
    random: true,
    ...(isBlack && !pad_if_needed && { move: { kind: 'crop', ...window, ...paddingOf(padding) } }),
    gives: (given) => {
      checkFill('RandomCrop', fill, given.channels);
      if (given.size !== undefined) {
        const around = padded('RandomCrop', given, sidesFor(given.size), padding_mode).size!;
        const message = cropFault(around, window, given.size);
        if (message !== undefined) throw argumentFault('RandomCrop', 'size', message);
      }
      return { channels: given.channels, size: window };
    },
    draw: (draws, image) => {
      const sides = sidesFor(image);
      const { channels } = image;
      const around = padded('RandomCrop', { channels, size: image }, sides, padding_mode).size!;
      const message = cropFault(around, window, image);
      if (message !== undefined) throw new ArgumentError(`[RandomCrop] ${message}`);
      const top = draws.below(around.height - window.height + 1);
      const left = draws.below(around.width - window.width + 1);
      if (Object.values(sides).every((side) => side === 0)) {
        return [{ kind: 'crop', top, left, ...window }];
      }
      const pad = { kind: 'pad', ...sides, mode: padding_mode } as const;
      const crop = { kind: 'crop', top, left, ...window } as const;
      return [{ ...pad, fill: padFill(fill, image.channels) }, crop];
    },
  };
}

function cropPadding(
  image: Size,
  window: Size,
  sides: ReturnType<typeof paddingOf>,
  padIfNeeded: boolean,
) {
  const { left, top, right, bottom } = sides;
  if (!padIfNeeded) return sides;
  const down = Math.max(0, window.height - (image.height + top + bottom));
  const across = Math.max(0, window.width - (image.width + left + right));
  return { left: left + across, top: top + down, right: right + across, bottom: bottom + down };
}

function cropFault(padded: Size, { height, width }: Size, image: Size): string | undefined {
  if (height <= padded.height && width <= padded.width) return undefined;
  const isPadded = padded.height > image.height || padded.width > image.width;
  const what = isPadded ? `the padded image, ${sizeText(padded)}` : `the image, ${sizeText(image)}`;
  return `size ${sizeText({ height, width })} is larger than ${what}; give it padding, or pad_if_needed: true`;
}

const flips = [
  ['RandomHorizontalFlip', 'horizontal_flip', 'left to right'],
  ['RandomVerticalFlip', 'vertical_flip', 'upside down'],
] as const;

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html */
for (const [name, kind, how] of flips) {
  transforms.register(name, {
    schema: z.strictObject({ p: probability(0.5, `an image is turned ${how}`) }),
    create: ({ p }: { p: number }): ImageTransform => ({
      ...keepsShape(name, { draw: (draws) => (draws.chance(p) ? [{ kind }] : []) }),
      ...(kind === 'horizontal_flip' && { move: { kind: 'flip', probability: p } }),
    }),
  });
}

const positive = z.number().positive();

const resizedCropOptions = z.strictObject({
  size: sizeArgument(),
  scale: range(z.number().min(0).max(1))
    .default([0.08, 1])
    .describe("The part of the image's area that is chosen: least and most."),
  ratio: range(positive)
    .default([3 / 4, 4 / 3])
    .describe('The width over the height of what is chosen: least and most.'),
  interpolation: z
    .enum(['nearest', 'nearest-exact', 'bilinear', 'bicubic'])
    .default('bilinear')
    .describe('The filter that gives it its size.'),
  antialias: z
    .boolean()
    .default(true)
    .describe('Whether the filter widens where the image shrinks.'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResizedCrop.html */
transforms.register('RandomResizedCrop', {
  schema: resizedCropOptions,
  create: (options: z.output<typeof resizedCropOptions>): ImageTransform => {
    const { scale, ratio, interpolation, antialias } = options;
    const to = sizeOf(options.size);
    return {
      name: 'RandomResizedCrop',
      takes: 'image',
      random: true,
      gives: ({ channels }) => ({ channels, size: to }),
      draw: (draws, image): ImageOp[] => {
        const box = randomBox(draws, image, scale, ratio);
        return [{ kind: 'resize', ...box, to, interpolation, antialias, as: 'tensor' }];
      },
    };
  },
});

/** Tries before the middle is taken. */
const TRIES = 10;

/** A box of random area and ratio; where ten do not fit, the middle, in a ratio close to these. */
export function randomBox(draws: Draws, image: Size, scale: Range, ratio: Range): Box {
  for (let i = 0; i < TRIES; i++) {
    const area = image.height * image.width * draws.uniform(...scale);
    const shape = Math.exp(draws.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = roundHalfEven(Math.sqrt(area * shape));
    const height = roundHalfEven(Math.sqrt(area / shape));
    if (width > 0 && width <= image.width && height > 0 && height <= image.height) {
      const top = draws.below(image.height - height + 1);
      return { top, left: draws.below(image.width - width + 1), height, width };
    }
  }
  let { height, width } = image;
  if (width / height < ratio[0]) height = Math.max(1, roundHalfEven(width / ratio[0]));
  else if (width / height > ratio[1]) width = Math.max(1, roundHalfEven(height * ratio[1]));
  const top = Math.floor((image.height - height) / 2);
  return { top, left: Math.floor((image.width - width) / 2), height, width };
}
