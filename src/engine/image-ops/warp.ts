/**
 * Ops that read an image at other places. Places are float32, from -1 to 1 over the image, with the
 * roundings of torchvision's grids and of PyTorch's `grid_sample`.
 */

import { roundHalfEven } from '../../base/rounding.ts';
import type { AffineOp, PerspectiveOp, WarpFill, WarpInterpolation } from './op.ts';
import type { Pixels, Size } from './pixels.ts';

const { fround, floor } = Math;

/** Column and row of the image, in pixels, for a column and row of the result. */
type Places = (x: number, y: number) => readonly [number, number];

export function affine(image: Pixels, { matrix, to, interpolation, fill }: AffineOp): Pixels {
  const sizes = [image.width, image.height] as const;
  const rows = sizes.map((size, i) =>
    matrix.slice(3 * i, 3 * i + 3).map((value) => fround(fround(value) / fround(0.5 * size))),
  );
  const places: Places = (x, y) => {
    const [px, py] = [x - (to.width - 1) * 0.5, y - (to.height - 1) * 0.5];
    const [u, v] = rows.map((row) => product(row, px, py));
    return [unnormalized(u!, sizes[0]), unnormalized(v!, sizes[1])];
  };
  return warp(image, to, places, interpolation, fill);
}

export function perspective(
  image: Pixels,
  { coefficients, interpolation, fill }: PerspectiveOp,
): Pixels {
  const { height, width } = image;
  const [a, b, c, d, e, f, g, h] = coefficients.map(fround);
  const across = [a!, b!, c!].map((value) => fround(value / fround(0.5 * width)));
  const down = [d!, e!, f!].map((value) => fround(value / fround(0.5 * height)));
  const places: Places = (x, y) => {
    const [px, py] = [x + 0.5, y + 0.5];
    const below = product([g!, h!, 1], px, py);
    const place = (row: number[]) => fround(fround(product(row, px, py) / below) - 1);
    return [unnormalized(place(across), width), unnormalized(place(down), height)];
  };
  return warp(image, { height, width }, places, interpolation, fill);
}

function product(row: readonly number[], x: number, y: number): number {
  return fround(fround(fround(x * row[0]!) + fround(y * row[1]!)) + row[2]!);
}

function unnormalized(place: number, size: number): number {
  return fround(fround(fround(place + 1) * fround(size / 2)) - 0.5);
}

function warp(
  image: Pixels,
  to: Size,
  places: Places,
  interpolation: WarpInterpolation,
  fill: WarpFill,
): Pixels {
  const { channels, height, width, data } = image;
  const area = to.height * to.width;
  const result = new Uint8Array(channels * area);
  for (let i = 0; i < area; i++) {
    const [x, y] = places(i % to.width, floor(i / to.width));
    const taps = (interpolation === 'nearest' ? nearestTap(x, y) : bilinearTaps(x, y)).filter(
      (tap) => tap.x >= 0 && tap.x < width && tap.y >= 0 && tap.y < height,
    );
    const mask = taps.reduce((sum, { share }) => fround(sum + share), 0);
    for (let channel = 0; channel < channels; channel++) {
      const plane = channel * height * width;
      const value = taps.reduce(
        (sum, tap) => fround(tap.share * data[plane + tap.y * width + tap.x]! + sum),
        0,
      );
      result[channel * area + i] = filled(value, mask, fill?.[channel], interpolation);
    }
  }
  return { channels, ...to, data: result };
}

interface Tap {
  readonly x: number;
  readonly y: number;
  readonly share: number;
}

function nearestTap(x: number, y: number): Tap[] {
  return [{ x: roundHalfEven(x), y: roundHalfEven(y), share: 1 }];
}

function bilinearTaps(x: number, y: number): Tap[] {
  const [left, top] = [floor(x), floor(y)];
  const [w, n] = [fround(x - left), fround(y - top)];
  const [e, s] = [fround(1 - w), fround(1 - n)];
  return [
    { x: left, y: top, share: fround(e * s) },
    { x: left + 1, y: top, share: fround(w * s) },
    { x: left, y: top + 1, share: fround(e * n) },
    { x: left + 1, y: top + 1, share: fround(w * n) },
  ];
}

/** What lies outside is black until it is filled in by the share of it. */
function filled(
  value: number,
  mask: number,
  fill: number | undefined,
  interpolation: WarpInterpolation,
): number {
  if (fill === undefined) return byte(value);
  const colour = fround(fill);
  if (interpolation === 'nearest') return byte(mask < 0.5 ? colour : value);
  return byte(fround(fround(fround(value - colour) * mask) + colour));
}

/** `fill` is from 0 to 255, so that no value is far outside of it. */
function byte(value: number): number {
  return Math.max(0, Math.min(255, roundHalfEven(value)));
}
