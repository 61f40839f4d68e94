/**
 * What may be done to the bytes of one image before it becomes part of a batch. An op is plain
 * numbers: whatever is random about it was drawn before. Each does what the function of
 * torchvision's `v2.functional` with its name does to a uint8 tensor; `apply.ts` computes them,
 * `native/runtime/image_ops.h` the same ones fast.
 */

import type { ImageShape, Size } from './pixels.ts';

export const PADDING_MODES = ['constant', 'edge', 'reflect', 'symmetric'] as const;
export type PaddingMode = (typeof PADDING_MODES)[number];

/** How warped images are read between pixels. */
export const WARP_INTERPOLATIONS = ['nearest', 'bilinear'] as const;
export type WarpInterpolation = (typeof WARP_INTERPOLATIONS)[number];

/** torchvision's InterpolationMode. */
export const INTERPOLATIONS = [
  'nearest',
  'nearest-exact',
  'box',
  'bilinear',
  'hamming',
  'bicubic',
  'lanczos',
] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/**
 * Whose integers a resized image is computed with: Pillow's, as torchvision does for PIL images, or
 * PyTorch's, which have fewer bits.
 */
export const ARITHMETICS = ['PIL', 'tensor'] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];

/** A box of pixels: rows [top, top + height), columns [left, left + width). */
export interface Box extends Size {
  readonly top: number;
  readonly left: number;
}

/** One number for each channel; null leaves what lies outside black, without blending it in. */
export type WarpFill = readonly number[] | null;

export interface ResizeOp extends Box {
  readonly kind: 'resize';
  /** What is taken of the image, inside it. */
  readonly to: Size;
  readonly interpolation: Interpolation;
  /** Whether the filter widens where the image shrinks; always so in Pillow's. */
  readonly antialias: boolean;
  readonly as: Arithmetic;
}

export interface PadOp {
  readonly kind: 'pad';
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly mode: PaddingMode;
  /** A byte for each channel, for the mode `constant`. */
  readonly fill: readonly number[];
}

export interface AffineOp {
  readonly kind: 'affine';
  /** Of the places of the result to those of the image, both from their middles: (2, 3). */
  readonly matrix: readonly number[];
  readonly to: Size;
  readonly interpolation: WarpInterpolation;
  readonly fill: WarpFill;
}

export interface PerspectiveOp {
  readonly kind: 'perspective';
  /** (ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1), as a, b, c, d, e, f, g, h. */
  readonly coefficients: readonly number[];
  readonly interpolation: WarpInterpolation;
  readonly fill: WarpFill;
}

export interface BlurOp {
  readonly kind: 'gaussian_blur';
  /** Weights along the columns and the rows, of odd length each, whose sum is 1. */
  readonly kernel_x: readonly number[];
  readonly kernel_y: readonly number[];
}

export interface MixOp {
  readonly kind: 'mix';
  /** The share of the image itself. */
  readonly own: number;
  /** The shares of what ops make of it, which keep its shape. */
  readonly chains: readonly { readonly share: number; readonly ops: readonly ImageOp[] }[];
}

export type ImageOp =
  /** May reach over the edges: black there. */
  | ({ readonly kind: 'crop' } & Box)
  | PadOp
  | ResizeOp
  | { readonly kind: 'horizontal_flip' | 'vertical_flip' }
  /** Quarter turns to the left. */
  | { readonly kind: 'rot90'; readonly turns: number }
  | AffineOp
  | PerspectiveOp
  | {
      readonly kind: 'brightness' | 'contrast' | 'saturation' | 'hue' | 'sharpness';
      readonly factor: number;
    }
  | { readonly kind: 'grayscale'; readonly channels: 1 | 3; readonly as: Arithmetic }
  | { readonly kind: 'invert' | 'autocontrast' | 'equalize' }
  | { readonly kind: 'posterize'; readonly bits: number }
  | { readonly kind: 'solarize'; readonly threshold: number }
  | BlurOp
  | MixOp;

/** Done to the float32 values that the bytes have become. */
export interface EraseOp extends Box {
  /** One value for each channel; or normal noise from this Philox key. */
  readonly value: readonly number[] | { readonly key: readonly [number, number] };
}

/** What is done to one image of a batch. */
export interface ImageWork {
  readonly ops: readonly ImageOp[];
  readonly erase: readonly EraseOp[];
}

/** The shape of what an op makes of an image. */
export function shapeAfter(op: ImageOp, shape: ImageShape): ImageShape {
  switch (op.kind) {
    case 'crop':
      return { ...shape, height: op.height, width: op.width };
    case 'pad': {
      const height = shape.height + op.top + op.bottom;
      return { ...shape, height, width: shape.width + op.left + op.right };
    }
    case 'resize':
    case 'affine':
      return { ...shape, ...op.to };
    case 'rot90':
      return op.turns % 2 === 0 ? shape : { ...shape, height: shape.width, width: shape.height };
    case 'grayscale':
      return { ...shape, channels: op.channels };
    default:
      return shape;
  }
}

export function shapeAfterAll(ops: readonly ImageOp[], shape: ImageShape): ImageShape {
  return ops.reduce((given, op) => shapeAfter(op, given), shape);
}

export function sameShape(a: ImageShape, b: ImageShape): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}
