/**
 * The changes that AutoAugment and its successors choose from: how strong each can be, and what it
 * does to an image.
 */

import { roundHalfEven } from '../../base/rounding.ts';
import type { ImageOp, WarpInterpolation } from '../../engine/image-ops/op.ts';
import type { ImageShape, Size } from '../../engine/image-ops/pixels.ts';
import type { Draws } from './draws.ts';
import type { Fill } from './options.ts';
import { affineOp, rotateOps } from './warps.ts';

const { fround } = Math;

export const CHANGES = [
  'Identity',
  'ShearX',
  'ShearY',
  'TranslateX',
  'TranslateY',
  'Rotate',
  'Brightness',
  'Color',
  'Contrast',
  'Sharpness',
  'Posterize',
  'Solarize',
  'AutoContrast',
  'Equalize',
  'Invert',
] as const;
export type ChangeName = (typeof CHANGES)[number];

/** The magnitude of a change at step `step` of `steps`. */
export type Magnitude = (step: number, steps: number, image: Size) => number;

/** Changes and their magnitudes; those of the second kind go both ways. */
export type Space = Partial<Record<ChangeName, Magnitude | { readonly signed: Magnitude } | null>>;

/** Number `step` of `steps` numbers from `low` to `high`, in float32 as PyTorch's linspace. */
export function linspace(low: number, high: number, step: number, steps: number): number {
  if (steps === 1) return fround(low);
  const size = fround(fround(fround(high) - fround(low)) / (steps - 1));
  return step < Math.floor(steps / 2)
    ? fround(fround(low) + size * step)
    : fround(fround(high) - size * (steps - 1 - step));
}

export const upTo = (most: number | ((image: Size) => number)) => ({
  signed: (step: number, steps: number, image: Size) =>
    linspace(0, typeof most === 'number' ? most : most(image), step, steps),
});

/** Bits from `first` on, `fewer` fewer at the end. */
export const bitsFrom =
  (first: number, fewer: number): Magnitude =>
  (step, steps) =>
    steps === 1 ? first : roundHalfEven(fround(first - fround(step / fround((steps - 1) / fewer))));

export const thresholds: Magnitude = (step, steps) => linspace(1, 0, step, steps);

/** How images are warped. */
export interface ChangeOptions {
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill;
}

/** A change of the space at this step, one way or the other. */
export function drawChange(
  draws: Draws,
  image: ImageShape,
  [name, space]: readonly [ChangeName, Space],
  [step, steps]: readonly [number, number],
  options: ChangeOptions,
): ImageOp[] {
  const magnitude = space[name] ?? null;
  if (magnitude === null) return changeOps(name, 0, image, options);
  if (typeof magnitude === 'function') {
    return changeOps(name, magnitude(step, steps, image), image, options);
  }
  const sign = draws.chance(0.5) ? -1 : 1;
  return changeOps(name, sign * magnitude.signed(step, steps, image), image, options);
}

/** What a change of this magnitude does to an image. */
export function changeOps(
  name: ChangeName,
  magnitude: number,
  image: ImageShape,
  options: ChangeOptions,
): ImageOp[] {
  const moved = (shifts: readonly [number, number], shear: readonly [number, number]) => {
    // Sheared from the upper left corner, moved as a whole.
    const center = shear[0] === 0 && shear[1] === 0 ? null : ([0, 0] as const);
    return [affineOp(image, { angle: 0, shifts, scale: 1, shear }, { ...options, center })];
  };
  const shear = (Math.atan(magnitude) * 180) / Math.PI;
  switch (name) {
    case 'Identity':
      return [];
    case 'ShearX':
      return moved([0, 0], [shear, 0]);
    case 'ShearY':
      return moved([0, 0], [0, shear]);
    case 'TranslateX':
      return moved([Math.trunc(magnitude), 0], [0, 0]);
    case 'TranslateY':
      return moved([0, Math.trunc(magnitude)], [0, 0]);
    case 'Rotate':
      return rotateOps(image, magnitude, { ...options, center: null });
    case 'Brightness':
      return [{ kind: 'brightness', factor: 1 + magnitude }];
    case 'Color':
      return [{ kind: 'saturation', factor: 1 + magnitude }];
    case 'Contrast':
      return [{ kind: 'contrast', factor: 1 + magnitude }];
    case 'Sharpness':
      return [{ kind: 'sharpness', factor: 1 + magnitude }];
    case 'Posterize':
      return [{ kind: 'posterize', bits: magnitude }];
    case 'Solarize':
      return [{ kind: 'solarize', threshold: 255 * magnitude }];
    case 'AutoContrast':
      return [{ kind: 'autocontrast' }];
    case 'Equalize':
      return [{ kind: 'equalize' }];
    case 'Invert':
      return [{ kind: 'invert' }];
  }
}
