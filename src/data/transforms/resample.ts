/**
 * Resampling of images of bytes. Each output is a weighted mean of the inputs below a filter that
 * is as wide as the step between outputs, so that shrinking does not alias; rows first, then
 * columns, each result rounded to a byte. Weights have 22 fractional bits: the same integers, and
 * so the same bytes, as Pillow's `Image.resize`, on which torchvision's transforms of images rest.
 * https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters
 */

import type { Pixels, Size } from '../images/pixels.ts';

interface Filter {
  /** Beyond this distance from its middle the filter is 0. */
  readonly support: number;
  at(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Of Keys' cubic. */
const A = -0.5;

function bicubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((A + 2) * d - (A + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
}

function hamming(x: number): number {
  const d = Math.abs(x);
  if (d === 0) return 1;
  return d >= 1 ? 0 : sinc(d) * (0.54 + 0.46 * Math.cos(d * Math.PI));
}

const FILTERS = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: hamming },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Filter>;

/** torchvision's InterpolationMode, as far as it applies to images of bytes. */
export const INTERPOLATIONS = [
  'nearest',
  'box',
  'bilinear',
  'hamming',
  'bicubic',
  'lanczos',
] as const;

export type Interpolation = (typeof INTERPOLATIONS)[number];

export function resize(image: Pixels, size: Size, interpolation: Interpolation): Pixels {
  if (interpolation === 'nearest') return nearest(image, size);
  const filter = FILTERS[interpolation];
  const { channels, height, width } = image;
  let { data } = image;
  if (size.width !== width) {
    const rows = channels * height;
    data = alongRows(data, rows, width, weights(width, size.width, filter));
  }
  if (size.height !== height) {
    data = alongColumns(data, channels, size.width, height, weights(height, size.height, filter));
  }
  return { channels, ...size, data };
}

/** What each output is made of: the first input, and the weights from there on. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** (outputs, most): integers of `BITS` fractional bits. */
  readonly values: Int32Array;
  readonly most: number;
}

const BITS = 22;
const HALF = 1 << (BITS - 1);

function weights(inputs: number, outputs: number, { support, at }: Filter): Weights {
  const scale = inputs / outputs;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const most = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const values = new Int32Array(outputs * most);
  for (let i = 0; i < outputs; i++) {
    const middle = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(middle - reach + 0.5));
    const end = Math.min(inputs, Math.trunc(middle + reach + 0.5));
    const row = Array.from({ length: end - start }, (_, k) =>
      at((k + start - middle + 0.5) * (1 / stretch)),
    );
    const sum = row.reduce((total, weight) => total + weight, 0);
    first[i] = start;
    count[i] = row.length;
    for (const [k, weight] of row.entries()) {
      const share = (sum === 0 ? weight : weight / sum) * (1 << BITS);
      values[i * most + k] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
  }
  return { first, count, values, most };
}

function toByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> BITS));
}

/** (rows, inputs) to (rows, outputs). */
function alongRows(data: Uint8Array, rows: number, inputs: number, by: Weights): Uint8Array {
  const { first, count, values, most } = by;
  const outputs = first.length;
  const result = new Uint8Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < outputs; i++) {
      const from = row * inputs + first[i]!;
      let sum = HALF;
      for (let k = 0; k < count[i]!; k++) sum += data[from + k]! * values[i * most + k]!;
      result[row * outputs + i] = toByte(sum);
    }
  }
  return result;
}

/** (channels, inputs, width) to (channels, outputs, width). */
function alongColumns(
  data: Uint8Array,
  channels: number,
  width: number,
  inputs: number,
  { first, count, values, most }: Weights,
): Uint8Array {
  const outputs = first.length;
  const result = new Uint8Array(channels * outputs * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < outputs; i++) {
      const from = (channel * inputs + first[i]!) * width;
      const to = (channel * outputs + i) * width;
      for (let x = 0; x < width; x++) {
        let sum = HALF;
        for (let k = 0; k < count[i]!; k++) {
          sum += data[from + k * width + x]! * values[i * most + k]!;
        }
        result[to + x] = toByte(sum);
      }
    }
  }
  return result;
}

/** The input below the middle of each output. */
function nearest({ channels, height, width, data }: Pixels, size: Size): Pixels {
  const rows = nearestPlaces(height, size.height);
  const columns = nearestPlaces(width, size.width);
  const result = new Uint8Array(channels * size.height * size.width);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const row of rows) {
      const from = (channel * height + row) * width;
      for (const column of columns) result[to++] = data[from + column]!;
    }
  }
  return { channels, ...size, data: result };
}

/** Steps are added one by one, as Pillow does: where a sum falls on an edge, rounding decides. */
function nearestPlaces(inputs: number, outputs: number): Int32Array {
  const scale = inputs / outputs;
  const places = new Int32Array(outputs);
  let middle = scale * 0.5;
  for (let i = 0; i < outputs; i++, middle += scale) {
    places[i] = Math.min(inputs - 1, Math.trunc(middle));
  }
  return places;
}
