/** Layers that change the size of images, and take and fold their patches. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import { unflatten } from '../ops/dimensions.ts';
import { fold, unfold } from '../ops/folding.ts';
import { interpolate } from './functional/interpolate.ts';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from './functional/shuffle.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { argumentsText, floatText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const whole = z.union([schemas.size, z.array(schemas.size).min(1)]);
const factor = z.union([z.number().positive(), z.array(z.number().positive()).min(1)]);
const wanted = {
  size: whole.nullable().default(null),
  scale_factor: factor.nullable().default(null),
};

/** What is wanted: a factor, or else a size. */
function sizeText(given: z.output<ReturnType<typeof strict<typeof wanted>>>, mode: string): string {
  const { size, scale_factor } = given;
  if (scale_factor === null) return argumentsText({ size, mode });
  const factors = typeof scale_factor === 'number' ? scale_factor : scale_factor.map(floatText);
  const text = typeof factors === 'number' ? floatText(factors) : `(${factors.join(', ')})`;
  return `scale_factor=${text}, ${argumentsText({ mode })}`;
}

/** https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html */
export class Upsample extends layerOf(
  strict({
    ...wanted,
    mode: z
      .enum(['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear', 'area'])
      .default('nearest'),
    align_corners: z.boolean().nullable().default(null),
    recompute_scale_factor: z.boolean().nullable().default(null),
  }),
  ({ size, scale_factor, mode, align_corners, recompute_scale_factor }, x) =>
    interpolate(x, size, scale_factor, mode, align_corners, recompute_scale_factor),
  (options) => sizeText(options, options.mode),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html */
export class UpsamplingNearest2d extends layerOf(
  strict(wanted),
  ({ size, scale_factor }, x) => interpolate(x, size, scale_factor, 'nearest'),
  (options) => sizeText(options, 'nearest'),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html */
export class UpsamplingBilinear2d extends layerOf(
  strict(wanted),
  ({ size, scale_factor }, x) => interpolate(x, size, scale_factor, 'bilinear', true),
  (options) => sizeText(options, 'bilinear'),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html */
export class PixelShuffle extends layerOf(
  strict({ upscale_factor: schemas.size }),
  ({ upscale_factor }, x) => pixelShuffle(x, upscale_factor),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html */
export class PixelUnshuffle extends layerOf(
  strict({ downscale_factor: schemas.size }),
  ({ downscale_factor }, x) => pixelUnshuffle(x, downscale_factor),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html */
export class ChannelShuffle extends layerOf(strict({ groups: schemas.size }), ({ groups }, x) =>
  channelShuffle(x, groups),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Unflatten.html */
export class Unflatten extends layerOf(
  strict({ dim: z.int(), unflattened_size: z.array(z.int()).min(1) }),
  ({ dim, unflattened_size }, x) => unflatten(x, dim, unflattened_size),
) {}

const patches = {
  kernel_size: schemas.sizes(2),
  dilation: schemas.sizes(2).default(1),
  padding: schemas.sizes(2, 0).default(0),
  stride: schemas.sizes(2).default(1),
};

/** https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html */
export class Unfold extends layerOf(
  strict(patches),
  ({ kernel_size, dilation, padding, stride }, x) =>
    unfold(x, kernel_size, dilation, padding, stride),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Fold.html */
export class Fold extends layerOf(
  strict({ output_size: schemas.sizes(2), ...patches }),
  ({ output_size, kernel_size, dilation, padding, stride }, x) =>
    fold(x, output_size, kernel_size, dilation, padding, stride),
) {}

registerLayers(modules, {
  ...{ ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unflatten, Unfold },
  ...{ Upsample, UpsamplingBilinear2d, UpsamplingNearest2d },
});
