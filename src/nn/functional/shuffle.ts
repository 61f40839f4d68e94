/** Channels rearranged, among themselves or into images. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { permute, reshape } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';

function checkFactor(op: string, name: string, factor: number): void {
  if (Number.isInteger(factor) && factor >= 1) return;
  throw opError(ArgumentError, op, `${name} must be a positive integer, got ${factor}`);
}

function imageSizes(op: string, { shape }: Tensor): [number[], number, number, number] {
  if (shape.length < 3) {
    throw opError(ShapeError, op, `input must be (..., C, H, W), got ${formatShape(shape)}`);
  }
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  return [shape.slice(0, -3), channels, height, width];
}

/** The order that keeps `lead` dimensions and then takes `order`. */
const after = (lead: readonly number[], order: readonly number[]) => [
  ...lead.map((_, i) => i),
  ...order.map((i) => lead.length + i),
];

/**
 * x (..., C r r, H, W) -> (..., C, H r, W r). Shi et al. 2016.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html
 *
 * @throws ShapeError unless the channels can be divided by r squared.
 */
export const pixelShuffle = named(
  'pixel_shuffle',
  ['input', 'upscale_factor'],
  (input: Tensor, upscale_factor: number): Tensor => {
    const [lead, channels, height, width] = imageSizes('pixel_shuffle', input);
    const r = upscale_factor;
    checkFactor('pixel_shuffle', 'upscale_factor', r);
    if (channels % (r * r) !== 0) {
      const message = `${channels} channels cannot be divided by ${r} * ${r}`;
      throw opError(ShapeError, 'pixel_shuffle', `${message}: ${formatShape(input.shape)}`);
    }
    const out = channels / (r * r);
    const parts = reshape(input, [...lead, out, r, r, height, width]);
    const ordered = permute(parts, after(lead, [0, 3, 1, 4, 2]));
    return reshape(ordered, [...lead, out, height * r, width * r]);
  },
);

/**
 * x (..., C, H r, W r) -> (..., C r r, H, W): what `pixelShuffle` undoes.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html
 *
 * @throws ShapeError unless height and width can be divided by r.
 */
export const pixelUnshuffle = named(
  'pixel_unshuffle',
  ['input', 'downscale_factor'],
  (input: Tensor, downscale_factor: number): Tensor => {
    const [lead, channels, height, width] = imageSizes('pixel_unshuffle', input);
    const r = downscale_factor;
    checkFactor('pixel_unshuffle', 'downscale_factor', r);
    if (height % r !== 0 || width % r !== 0) {
      const message = `(${height}, ${width}) cannot be divided by ${r}`;
      throw opError(ShapeError, 'pixel_unshuffle', `${message}: ${formatShape(input.shape)}`);
    }
    const parts = reshape(input, [...lead, channels, height / r, r, width / r, r]);
    const ordered = permute(parts, after(lead, [0, 2, 4, 1, 3]));
    return reshape(ordered, [...lead, channels * r * r, height / r, width / r]);
  },
);

function shuffled(op: string, input: Tensor, groups: number): Tensor {
  checkFactor(op, 'groups', groups);
  const [n, channels, ...sizes] = input.shape;
  if (input.ndim < 3 || channels! % groups !== 0) {
    const message = `input must be (N, C, L, ...) of channels that ${groups} divides`;
    throw opError(ShapeError, op, `${message}, got ${formatShape(input.shape)}`);
  }
  const parts = reshape(input, [n!, groups, channels! / groups, ...sizes]);
  return reshape(permute(parts, [0, 2, 1, ...sizes.map((_, i) => i + 3)]), input.shape);
}

/**
 * x (N, C, ...) with the channels of `groups` groups dealt out in turn. Zhang et al. 2018.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.channel_shuffle.html
 *
 * @throws ShapeError unless `groups` divides the channels.
 */
export const channelShuffle = named(
  'channel_shuffle',
  ['input', 'groups'],
  (input: Tensor, groups: number): Tensor => shuffled('channel_shuffle', input, groups),
);

/** `channelShuffle`. https://pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html */
export const nativeChannelShuffle = named(
  'native_channel_shuffle',
  ['input', 'groups'],
  (input: Tensor, groups: number): Tensor => shuffled('native_channel_shuffle', input, groups),
);
