/** Ops that only move the pixels of an image. */

import { EngineError } from '../../base/errors.ts';
import type { Box, PaddingMode, PadOp } from './op.ts';
import type { Pixels } from './pixels.ts';

/** For each row or column of a result, the one of the image that it shows; -1 for none. */
type Places = readonly number[];

/** Rows and columns of `image`, chosen; `fill` where there are none. */
function pick(image: Pixels, rows: Places, columns: Places, fill?: readonly number[]): Pixels {
  const { channels, height, width } = image;
  const data = new Uint8Array(channels * rows.length * columns.length);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const y of rows) {
      const from = (channel * height + y) * width;
      for (const x of columns) {
        data[to++] = y < 0 || x < 0 ? (fill?.[channel] ?? 0) : image.data[from + x]!;
      }
    }
  }
  return { channels, height: rows.length, width: columns.length, data };
}

function range(length: number, from: (i: number) => number): Places {
  return Array.from({ length }, (_, i) => from(i));
}

const inside = (at: number, length: number) => (at >= 0 && at < length ? at : -1);

export function crop(image: Pixels, { top, left, height, width }: Box): Pixels {
  const rows = range(height, (i) => inside(top + i, image.height));
  return pick(
    image,
    rows,
    range(width, (i) => inside(left + i, image.width)),
  );
}

const PADDED: Record<PaddingMode, (at: number, length: number) => number> = {
  constant: inside,
  edge: (at, length) => Math.max(0, Math.min(length - 1, at)),
  reflect: (at, length) => (at < 0 ? -at : at < length ? at : 2 * (length - 1) - at),
  symmetric: (at, length) => (at < 0 ? -1 - at : at < length ? at : 2 * length - 1 - at),
};

export function pad(image: Pixels, { left, top, right, bottom, mode, fill }: PadOp): Pixels {
  const { height, width } = image;
  checkPadding(mode, Math.max(top, bottom), height);
  checkPadding(mode, Math.max(left, right), width);
  const rows = range(top + height + bottom, (i) => PADDED[mode](i - top, height));
  return pick(
    image,
    rows,
    range(left + width + right, (i) => PADDED[mode](i - left, width)),
    fill,
  );
}

function checkPadding(mode: PaddingMode, padding: number, length: number): void {
  const most = { constant: Infinity, edge: Infinity, reflect: length - 1, symmetric: length };
  if (padding <= most[mode]) return;
  throw new EngineError(`[images] a padding of ${padding} is too much to ${mode} ${length} pixels`);
}

export function horizontalFlip(image: Pixels): Pixels {
  const { height, width } = image;
  return pick(
    image,
    range(height, (i) => i),
    range(width, (i) => width - 1 - i),
  );
}

export function verticalFlip(image: Pixels): Pixels {
  const { height, width } = image;
  return pick(
    image,
    range(height, (i) => height - 1 - i),
    range(width, (i) => i),
  );
}

/** Quarter turns to the left. */
export function rot90(image: Pixels, turns: number): Pixels {
  if (turns === 0) return image;
  return rot90(verticalFlip(transposed(image)), turns - 1);
}

function transposed({ channels, height, width, data }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [channel, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width), i % width];
    result[(channel * width + x) * height + (y % height)] = data[i]!;
  }
  return { channels, height: width, width: height, data: result };
}
