/** Ops on images as the numbers that `native/runtime/image_parse.cc` reads. */

import {
  ARITHMETICS,
  type Box,
  type EraseOp,
  type ImageOp,
  type ImageWork,
  INTERPOLATIONS,
  PADDING_MODES,
  WARP_INTERPOLATIONS,
  type WarpFill,
} from '../image-ops/op.ts';
import type { Size } from '../image-ops/pixels.ts';

/** In the order of `ImageOpCode` in `native/runtime/image_ops.h`. */
const CODES = [
  'crop',
  'pad',
  'resize',
  'horizontal_flip',
  'vertical_flip',
  'rot90',
  'affine',
  'perspective',
  'brightness',
  'contrast',
  'saturation',
  'hue',
  'sharpness',
  'grayscale',
  'invert',
  'autocontrast',
  'equalize',
  'posterize',
  'solarize',
  'gaussian_blur',
  'mix',
  'erase',
] as const satisfies readonly (ImageOp['kind'] | 'erase')[];

/** The work on each image, its length before it. */
export function encodeWork(batch: readonly ImageWork[]): Float64Array {
  const numbers: number[] = [];
  for (const { ops, erase } of batch) {
    const before = numbers.length;
    numbers.push(0);
    for (const op of ops) encodeOp(numbers, op);
    for (const op of erase) encodeErase(numbers, op);
    numbers[before] = numbers.length - before - 1;
  }
  return Float64Array.from(numbers);
}

/** Of one image; nothing is erased. */
export function encodeOps(ops: readonly ImageOp[]): Float64Array {
  const numbers: number[] = [];
  for (const op of ops) encodeOp(numbers, op);
  return Float64Array.from(numbers);
}

function encodeOp(to: number[], op: ImageOp): void {
  to.push(CODES.indexOf(op.kind));
  switch (op.kind) {
    case 'crop':
      to.push(...box(op));
      break;
    case 'pad':
      to.push(op.left, op.top, op.right, op.bottom, PADDING_MODES.indexOf(op.mode), ...op.fill);
      break;
    case 'resize':
      to.push(...box(op), ...size(op.to), INTERPOLATIONS.indexOf(op.interpolation));
      to.push(Number(op.antialias), ARITHMETICS.indexOf(op.as));
      break;
    case 'rot90':
      to.push(op.turns);
      break;
    case 'affine':
      to.push(...size(op.to), ...op.matrix, ...warp(op));
      break;
    case 'perspective':
      to.push(...op.coefficients, ...warp(op));
      break;
    case 'brightness':
    case 'contrast':
    case 'saturation':
    case 'hue':
    case 'sharpness':
      to.push(op.factor);
      break;
    case 'grayscale':
      to.push(Number(op.channels === 3), ARITHMETICS.indexOf(op.as));
      break;
    case 'posterize':
      to.push(op.bits);
      break;
    case 'solarize':
      to.push(op.threshold);
      break;
    case 'gaussian_blur':
      to.push(op.kernel_x.length, ...op.kernel_x, op.kernel_y.length, ...op.kernel_y);
      break;
    case 'mix':
      to.push(op.own, op.chains.length);
      for (const { share, ops } of op.chains) {
        to.push(share, ops.length);
        for (const each of ops) encodeOp(to, each);
      }
      break;
  }
}

function encodeErase(to: number[], op: EraseOp): void {
  to.push(CODES.indexOf('erase'), ...box(op));
  if ('key' in op.value) to.push(1, ...op.value.key);
  else to.push(0, ...op.value);
}

const box = ({ top, left, height, width }: Box) => [top, left, height, width];
const size = ({ height, width }: Size) => [height, width];

function warp({
  interpolation,
  fill,
}: {
  interpolation: (typeof WARP_INTERPOLATIONS)[number];
  fill: WarpFill;
}): number[] {
  return [WARP_INTERPOLATIONS.indexOf(interpolation), Number(fill !== null), ...(fill ?? [])];
}
