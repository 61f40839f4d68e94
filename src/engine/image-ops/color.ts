/**
 * Ops on the colours of an image. The arithmetic is float32 with the roundings of torchvision's
 * `v2.functional` on uint8 tensors, where `a.add(b, alpha)` is rounded once.
 */

import { EngineError } from '../../base/errors.ts';
import type { Arithmetic } from './op.ts';
import type { Pixels } from './pixels.ts';

const { fround, floor, min, max, trunc } = Math;

/** Of the products of a float32 value and a byte with another float32, rounded once. */
const fma = (a: number, b: number, c: number) => fround(a * b + c);

export function clampByte(value: number): number {
  return max(0, min(255, trunc(value)));
}

/** Every byte of channel c becomes of(byte, c). */
export function mapBytes(image: Pixels, of: (byte: number, channel: number) => number): Pixels {
  const { channels, height, width, data } = image;
  const area = height * width;
  const result = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    const table = Uint8Array.from({ length: 256 }, (_, byte) => of(byte, channel));
    for (let i = channel * area; i < (channel + 1) * area; i++) result[i] = table[data[i]!]!;
  }
  return { channels, height, width, data: result };
}

/** Every pixel of three channels becomes of(r, g, b). */
function mapPixels(
  image: Pixels,
  of: (r: number, g: number, b: number) => readonly [number, number, number],
): Pixels {
  const { channels, height, width, data } = image;
  const area = height * width;
  const result = new Uint8Array(data.length);
  for (let i = 0; i < area; i++) {
    const pixel = of(data[i]!, data[area + i]!, data[2 * area + i]!);
    for (const [channel, value] of pixel.entries()) result[channel * area + i] = value;
  }
  return { channels, height, width, data: result };
}

function checkColours({ channels }: Pixels, op: string): void {
  if (channels === 1 || channels === 3) return;
  throw new EngineError(`[images] ${op} needs 1 or 3 channels, got ${channels}`);
}

/** image * ratio + other * (1 - ratio) */
function blend(value: number, other: number, ratio: number): number {
  return clampByte(fma(fround(1 - ratio), other, fround(value * fround(ratio))));
}

const GRAY = [fround(0.2989), fround(0.587), fround(0.114)] as const;

/** The luma of a pixel, in whole numbers. */
function luma(r: number, g: number, b: number): number {
  return floor(fma(GRAY[2], b, fma(GRAY[1], g, fround(GRAY[0] * r))));
}

/** Pillow's weights: the luma of ITU-R 601-2, in 16 fractional bits. */
function pillowLuma(r: number, g: number, b: number): number {
  return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
}

/** One channel, or three alike. */
export function grayscale(image: Pixels, channels: 1 | 3, as: Arithmetic): Pixels {
  checkColours(image, 'grayscale');
  const { height, width, data } = image;
  const area = height * width;
  const of = as === 'PIL' ? pillowLuma : luma;
  const gray = new Uint8Array(channels * area);
  for (let i = 0; i < area; i++) {
    gray[i] = image.channels === 1 ? data[i]! : of(data[i]!, data[area + i]!, data[2 * area + i]!);
  }
  for (let channel = 1; channel < channels; channel++) gray.copyWithin(channel * area, 0, area);
  return { channels, height, width, data: gray };
}

export function brightness(image: Pixels, factor: number): Pixels {
  checkColours(image, 'brightness');
  return mapBytes(image, (byte) => clampByte(fround(byte * fround(factor))));
}

export function contrast(image: Pixels, factor: number): Pixels {
  checkColours(image, 'contrast');
  const { data } = grayscale(image, 1, 'tensor');
  const mean = fround(data.reduce((sum, value) => sum + value, 0) / data.length);
  return mapBytes(image, (byte) => blend(byte, mean, factor));
}

export function saturation(image: Pixels, factor: number): Pixels {
  checkColours(image, 'saturation');
  if (image.channels === 1) return image;
  return mapPixels(image, (r, g, b) => {
    const gray = luma(r, g, b);
    return [blend(r, gray, factor), blend(g, gray, factor), blend(b, gray, factor)];
  });
}

export function invert(image: Pixels): Pixels {
  return mapBytes(image, (byte) => 255 - byte);
}

export function posterize(image: Pixels, bits: number): Pixels {
  return mapBytes(image, (byte) => byte & (((1 << bits) - 1) << (8 - bits)));
}

export function solarize(image: Pixels, threshold: number): Pixels {
  return mapBytes(image, (byte) => (byte >= threshold ? 255 - byte : byte));
}

/** Stretches every channel to 0 to 255. */
export function autocontrast(image: Pixels): Pixels {
  checkColours(image, 'autocontrast');
  const ranges = planes(image).map((plane) => {
    const least = plane.reduce((a, b) => min(a, b), 255);
    const most = plane.reduce((a, b) => max(a, b), 0);
    return { least, scale: fround((most - least) * fround(1 / 255)) };
  });
  return mapBytes(image, (byte, channel) => {
    const { least, scale } = ranges[channel]!;
    return scale === 0 ? byte : clampByte(fround((byte - least) / scale));
  });
}

/** Makes every brightness of a channel as frequent as any other, as Pillow does. */
export function equalize(image: Pixels): Pixels {
  const tables = planes(image).map((plane) => {
    const counts = new Int32Array(256);
    for (const byte of plane) counts[byte]!++;
    const brightest = counts.findLastIndex((count) => count > 0);
    const step = floor((plane.length - counts[brightest]!) / 255);
    let below = 0;
    return Array.from(counts, (count, byte) => {
      const value = step === 0 ? byte : min(255, floor((below + floor(step / 2)) / step));
      below += count;
      return value;
    });
  });
  return mapBytes(image, (byte, channel) => tables[channel]![byte]!);
}

function planes({ channels, height, width, data }: Pixels): Uint8Array[] {
  const area = height * width;
  return Array.from({ length: channels }, (_, c) => data.subarray(c * area, (c + 1) * area));
}

/** Turns the colours by `factor` of a circle, in HSV. */
export function hue(image: Pixels, factor: number): Pixels {
  checkColours(image, 'hue');
  if (image.channels === 1) return image;
  const unit = fround(1 / 255);
  const byte = (value: number) => trunc(fround(value * fround(256 - 1e-3)));
  return mapPixels(image, (r, g, b) => {
    const pixel = [r, g, b].map((value) => fround(value * unit)) as [number, number, number];
    const [h, s, v] = toHsv(...pixel);
    let turned = fround(h + fround(factor)) % 1;
    if (turned < 0) turned = fround(turned + 1);
    return toRgb(turned, s, v).map(byte) as [number, number, number];
  });
}

function toHsv(r: number, g: number, b: number): [number, number, number] {
  const most = max(r, g, b);
  const range = fround(most - min(r, g, b));
  if (range === 0) return [0, 0, most];
  const [rc, gc, bc] = [r, g, b].map((value) => fround(fround(most - value) / range));
  let h: number;
  if (most === r) h = fround(bc! - gc!);
  else if (most === g) h = fround(fround(rc! + 2) - bc!);
  else h = fround(fround(gc! + 4) - rc!);
  return [fround(fround(h * fround(1 / 6)) + 1) % 1, fround(range / most), most];
}

function toRgb(h: number, s: number, v: number): [number, number, number] {
  const sixth = fround(h * 6);
  const i = floor(sixth);
  const unit = (value: number) => max(0, min(1, fround(value * v)));
  const sf = fround(s * fround(sixth - i));
  const rest = fround(1 - s);
  const [q, t, p] = [unit(fround(1 - sf)), unit(fround(sf + rest)), unit(rest)];
  const colours = [
    [v, t, p],
    [q, v, p],
    [p, v, t],
    [p, q, v],
    [t, p, v],
    [v, p, q],
  ] as const;
  return [...colours[i % 6]!];
}
