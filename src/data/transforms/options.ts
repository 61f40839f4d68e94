/** Arguments that several transforms have. */

import { z } from 'zod';
import {
  PADDING_MODES,
  WARP_INTERPOLATIONS,
  type WarpFill,
  type WarpInterpolation,
} from '../../engine/image-ops/op.ts';
import type { Size } from '../../engine/image-ops/pixels.ts';
import { argumentFault } from './transforms.ts';

/** Pixels. */
export const side = z.int().min(1).max(4096);
/** (height, width), or one number. */
export const sizeOption = z.union([side, z.tuple([side, side])]);

export const sizeArgument = () => sizeOption.describe('(height, width), or one number for both.');

export function sizeOf(option: z.output<typeof sizeOption>): Size {
  const [height, width] = typeof option === 'number' ? [option, option] : option;
  return { height, width };
}

export const sizeText = ({ height, width }: Size) => `${height} x ${width}`;

export const probability = (value: number, what: string) =>
  z.number().min(0).max(1).default(value).describe(`How likely ${what}.`);

const pad = z.int().min(0).max(4096);
export const paddingOption = z.union([pad, z.tuple([pad, pad]), z.tuple([pad, pad, pad, pad])]);

/** Pixels on each side. */
export function paddingOf(option: z.output<typeof paddingOption> | null) {
  const list = typeof option === 'number' ? [option] : (option ?? [0]);
  const [left, top = left!, right = left!, bottom = top] = list as [number, ...number[]];
  return { left, top, right, bottom };
}

export const paddingMode = () =>
  z
    .enum(PADDING_MODES)
    .default('constant')
    .describe(
      'What the padding shows: `fill`, the pixel at the edge, or the image mirrored, without the ' +
        'pixel at the edge (reflect) or with it (symmetric).',
    );

const level = z.number().min(0).max(255);
const levels = z.union([level, z.array(level).min(1)]);
export type Fill = z.output<typeof levels> | null;

const FILL = 'What is shown outside the image, from 0 to 255: one number, or one for each channel.';
export const fillOption = () => levels.nullable().default(0).describe(FILL);
/** torchvision's default where a transform is one of many: black, not blended in. */
export const noFillOption = () => levels.nullable().default(null).describe(`${FILL} Null: black.`);

/** A number for each channel. */
export function fillOf(fill: Fill, channels: number): WarpFill {
  if (fill === null) return null;
  const list = typeof fill === 'number' ? [fill] : fill;
  return list.length === 1 ? new Array<number>(channels).fill(list[0]!) : list;
}

/** Throws a `BuildError` when there is not a number for each channel. */
export function checkFill(name: string, fill: Fill, channels: number): void {
  if (!Array.isArray(fill) || fill.length === 1 || fill.length === channels) return;
  throw argumentFault(
    name,
    'fill',
    `fill has ${fill.length} numbers, but the images have ${channels} channels`,
  );
}

export const warpInterpolation = (value: WarpInterpolation) =>
  z.enum(WARP_INTERPOLATIONS).default(value).describe('How the image is read between its pixels.');

/** (least, greatest). */
export type Range = readonly [number, number];

export const range = (number = z.number()) =>
  z.tuple([number, number]).refine(([low, high]) => low <= high, {
    message: 'the first number must not be greater than the second',
  });
