/** Ops on one image, one pixel after the other: what `native/runtime/image_ops.cc` must give. */

import {
  autocontrast,
  brightness,
  clampByte,
  contrast,
  equalize,
  grayscale,
  hue,
  invert,
  posterize,
  saturation,
  solarize,
} from './color.ts';
import { gaussianBlur, sharpness } from './filter.ts';
import { crop, horizontalFlip, pad, rot90, verticalFlip } from './move.ts';
import type { ImageOp, MixOp } from './op.ts';
import type { Pixels } from './pixels.ts';
import { resize } from './resample.ts';
import { affine, perspective } from './warp.ts';

/** Throws an `EngineError` where an op does not fit the image. */
export function applyOps(image: Pixels, ops: readonly ImageOp[]): Pixels {
  return ops.reduce(applyOp, image);
}

function applyOp(image: Pixels, op: ImageOp): Pixels {
  switch (op.kind) {
    case 'crop':
      return crop(image, op);
    case 'pad':
      return pad(image, op);
    case 'resize':
      return resize(crop(image, op), op);
    case 'horizontal_flip':
      return horizontalFlip(image);
    case 'vertical_flip':
      return verticalFlip(image);
    case 'rot90':
      return rot90(image, op.turns);
    case 'affine':
      return affine(image, op);
    case 'perspective':
      return perspective(image, op);
    case 'brightness':
      return brightness(image, op.factor);
    case 'contrast':
      return contrast(image, op.factor);
    case 'saturation':
      return saturation(image, op.factor);
    case 'hue':
      return hue(image, op.factor);
    case 'sharpness':
      return sharpness(image, op.factor);
    case 'grayscale':
      return grayscale(image, op.channels, op.as);
    case 'invert':
      return invert(image);
    case 'autocontrast':
      return autocontrast(image);
    case 'equalize':
      return equalize(image);
    case 'posterize':
      return posterize(image, op.bits);
    case 'solarize':
      return solarize(image, op.threshold);
    case 'gaussian_blur':
      return gaussianBlur(image, op);
    case 'mix':
      return mix(image, op);
  }
}

function mix(image: Pixels, { own, chains }: MixOp): Pixels {
  const { channels, height, width, data } = image;
  const sum = Float32Array.from(data, (value) => Math.fround(own) * value);
  for (const { share, ops } of chains) {
    const part = applyOps(image, ops).data;
    for (let i = 0; i < sum.length; i++) {
      sum[i] = sum[i]! + Math.fround(Math.fround(share) * part[i]!);
    }
  }
  return { channels, height, width, data: Uint8Array.from(sum, clampByte) };
}
