/** Transforms that turn, shift, shear and tilt an image. */

import { z } from 'zod';
import { roundHalfEven } from '../../base/rounding.ts';
import type { ImageOp, WarpInterpolation } from '../../engine/image-ops/op.ts';
import type { ImageShape, Size } from '../../engine/image-ops/pixels.ts';
import {
  checkFill,
  type Fill,
  fillOf,
  fillOption,
  probability,
  type Range,
  range,
  warpInterpolation,
} from './options.ts';
import { type ImageTransform, keepsShape, transforms } from './transforms.ts';

const { fround } = Math;

/** (x, y) in pixels from the upper left corner. */
type Point = readonly [number, number];

const centerOption = z
  .tuple([z.number(), z.number()])
  .nullable()
  .default(null)
  .describe('What stays in place: (x, y) in pixels from the upper left. Default: the middle.');

const degreesOption = z
  .union([z.number().min(0), range()])
  .describe('Degrees to the left: from -degrees to degrees, or a range.');

const around = (value: number | Range): Range =>
  typeof value === 'number' ? [-value, value] : value;

/** How an image is warped. */
export interface Warp {
  readonly interpolation: WarpInterpolation;
  readonly fill: Fill;
  readonly center: Point | null;
}

const rotationOptions = z.strictObject({
  degrees: degreesOption,
  interpolation: warpInterpolation('nearest'),
  expand: z
    .boolean()
    .default(false)
    .describe('Makes the image as large as the turned one; its size varies then.'),
  center: centerOption,
  fill: fillOption(),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomRotation.html */
transforms.register('RandomRotation', {
  schema: rotationOptions,
  create: ({ degrees, expand, ...warp }: z.output<typeof rotationOptions>): ImageTransform => {
    const bounds = around(degrees);
    return {
      name: 'RandomRotation',
      takes: 'image',
      random: true,
      gives: (given) => {
        checkFill('RandomRotation', warp.fill, given.channels);
        return expand ? { ...given, size: undefined } : given;
      },
      draw: (draws, image) => rotateOps(image, draws.uniform(...bounds), warp, expand),
    };
  },
});

/** Turned to the left by `angle` degrees. */
export function rotateOps(
  image: ImageShape,
  angle: number,
  { interpolation, fill, center }: Warp,
  expand = false,
): ImageOp[] {
  const turned = ((angle % 360) + 360) % 360;
  if (center === null && turned % 90 === 0) {
    const turns = turned / 90;
    if (turns === 0) return [];
    if (turns === 2 || expand || image.width === image.height) return [{ kind: 'rot90', turns }];
  }
  const matrix = inverseMatrix(fromMiddle(center, image), -turned, [0, 0], 1, [0, 0]);
  const to = expand ? sizeAround(matrix, image) : { height: image.height, width: image.width };
  return [{ kind: 'affine', matrix, to, interpolation, fill: fillOf(fill, image.channels) }];
}

/** The size of a turned image, computed in float32 as torchvision does. */
function sizeAround(matrix: readonly number[], { height, width }: Size): Size {
  const [halfWidth, halfHeight] = [width / 2, height / 2];
  const length = (row: number, half: number) => {
    const [a, b] = matrix.slice(3 * row).map(fround) as [number, number];
    const ends = [-1, 1].flatMap((x) =>
      [-1, 1].map((y) => fround(fround(a * x * halfWidth) + fround(b * y * halfHeight)) + half),
    );
    // Without the last digits, which would make 1 of a little more than 0.
    const cut = (value: number) => fround(Math.trunc(fround(fround(value) * 1e4)) * fround(1e-4));
    return Math.ceil(cut(Math.max(...ends))) - Math.floor(cut(Math.min(...ends)));
  };
  return { height: length(1, halfHeight), width: length(0, halfWidth) };
}

const affineOptions = z.strictObject({
  degrees: degreesOption,
  translate: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .nullable()
    .default(null)
    .describe('The greatest shift across and down, as parts of the width and the height.'),
  scale: range(z.number().positive()).nullable().default(null).describe('The range of the size.'),
  shear: z
    .union([z.number().min(0), range(), z.tuple([z.number(), z.number(), z.number(), z.number()])])
    .nullable()
    .default(null)
    .describe('Degrees along x: from -shear to shear, or a range; four numbers: along y too.'),
  interpolation: warpInterpolation('nearest'),
  fill: fillOption(),
  center: centerOption,
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html */
transforms.register('RandomAffine', {
  schema: affineOptions,
  create: (options: z.output<typeof affineOptions>) => {
    const { translate, scale, shear, ...warp } = options;
    const degrees = around(options.degrees);
    const shears = typeof shear === 'number' ? [-shear, shear] : (shear ?? []);
    return keepsShape('RandomAffine', {
      check: ({ channels }) => checkFill('RandomAffine', warp.fill, channels),
      draw: (draws, image) => {
        const angle = draws.uniform(...degrees);
        const shift = (part: number, length: number) =>
          roundHalfEven(draws.uniform(-part * length, part * length));
        const shifts: Point =
          translate === null
            ? [0, 0]
            : [shift(translate[0], image.width), shift(translate[1], image.height)];
        const size = scale === null ? 1 : draws.uniform(...scale);
        const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = shears;
        const sheared = [draws.uniform(x0, x1), draws.uniform(y0, y1)] as const;
        return [affineOp(image, { angle, shifts, scale: size, shear: sheared }, warp)];
      },
    });
  },
});

export interface Motion {
  /** Degrees to the right. */
  readonly angle: number;
  /** Pixels. */
  readonly shifts: Point;
  readonly scale: number;
  /** Degrees along x and y. */
  readonly shear: Point;
}

export function affineOp(image: ImageShape, motion: Motion, warp: Warp): ImageOp {
  const { angle, shifts, scale, shear } = motion;
  const center = fromMiddle(warp.center, image);
  return {
    kind: 'affine',
    matrix: inverseMatrix(center, angle, shifts, scale, shear),
    to: { height: image.height, width: image.width },
    interpolation: warp.interpolation,
    fill: fillOf(warp.fill, image.channels),
  };
}

function fromMiddle(center: Point | null, { height, width }: Size): Point {
  return center === null ? [0, 0] : [center[0] - width * 0.5, center[1] - height * 0.5];
}

/** Of the places of the result to those of the image, as torchvision's function of this name. */
function inverseMatrix(
  [cx, cy]: Point,
  angle: number,
  [tx, ty]: Point,
  scale: number,
  shear: Point,
): number[] {
  const [rotation, sx, sy] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const a = Math.cos(rotation - sy) / Math.cos(sy);
  const b = -(a * Math.tan(sx) + Math.sin(rotation));
  const c = Math.sin(rotation - sy) / Math.cos(sy);
  const d = Math.cos(rotation) - c * Math.tan(sx);
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale];
  const m2 = cx - m0 * (cx + tx) - m1 * (cy + ty);
  const m5 = cy - m3 * (cx + tx) - m4 * (cy + ty);
  return [m0, m1, m2, m3, m4, m5];
}

const perspectiveOptions = z.strictObject({
  distortion_scale: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('How far the corners move inwards, of half the width and the height.'),
  p: probability(0.5, 'an image is tilted'),
  interpolation: warpInterpolation('bilinear'),
  fill: fillOption(),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPerspective.html */
transforms.register('RandomPerspective', {
  schema: perspectiveOptions,
  create: (options: z.output<typeof perspectiveOptions>) => {
    const { distortion_scale, p, interpolation, fill } = options;
    return keepsShape('RandomPerspective', {
      check: ({ channels }) => checkFill('RandomPerspective', fill, channels),
      draw: (draws, image) => {
        if (!draws.chance(p)) return [];
        const { height, width } = image;
        const across = Math.trunc(distortion_scale * Math.floor(width / 2)) + 1;
        const down = Math.trunc(distortion_scale * Math.floor(height / 2)) + 1;
        const corner = (right: boolean, bottom: boolean): Point => [
          draws.below(across) + (right ? width - across : 0),
          draws.below(down) + (bottom ? height - down : 0),
        ];
        const corners = [
          corner(false, false),
          corner(true, false),
          corner(true, true),
          corner(false, true),
        ];
        const coefficients = perspectiveCoefficients(image, corners);
        const colours = fillOf(fill, image.channels);
        return [{ kind: 'perspective', coefficients, interpolation, fill: colours }];
      },
    });
  },
});

/**
 * Of the map from these corners (upper left, upper right, lower right, lower left) to those of the
 * image. The map does nothing where the corners are too close to say.
 */
export function perspectiveCoefficients(
  { height, width }: Size,
  corners: readonly Point[],
): number[] {
  const [right, bottom] = [width - 1, height - 1];
  const ends: readonly Point[] = [
    [0, 0],
    [right, 0],
    [right, bottom],
    [0, bottom],
  ];
  const rows = corners.flatMap(([x, y], i) => {
    const [u, v] = ends[i]!;
    return [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ];
  });
  return (solved(rows) ?? [1, 0, 0, 0, 1, 0, 0, 0]).map(fround);
}

/** The solution of linear equations, each with its right side; nothing where there is not one. */
function solved(rows: number[][]): number[] | undefined {
  const count = rows.length;
  for (let i = 0; i < count; i++) {
    let pivot = i;
    for (let j = i + 1; j < count; j++) {
      if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    }
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    const row = rows[i]!;
    if (Math.abs(row[i]!) < 1e-12) return undefined;
    for (const other of rows) {
      if (other === row) continue;
      const share = other[i]! / row[i]!;
      for (let k = i; k <= count; k++) other[k] = other[k]! - share * row[k]!;
    }
  }
  return rows.map((row, i) => row[count]! / row[i]!);
}
