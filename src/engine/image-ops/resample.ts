/**
 * Resampling of images of bytes. Each output is a weighted mean of the inputs below a filter that
 * is as wide as the step between outputs, so that shrinking does not alias; rows first, then
 * columns, each result rounded to a byte. The weights are integers: with 22 fractional bits the
 * same, and so the same bytes, as Pillow's `Image.resize`, on which torchvision's transforms of PIL
 * images rest; for tensors, with as many bits as fit in 16, as PyTorch's `interpolate`.
 * https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters
 */

import type { Arithmetic, Interpolation, ResizeOp } from './op.ts';
import type { Pixels, Size } from './pixels.ts';

interface Filter {
  /** Beyond this distance from its middle the filter is 0. */
  readonly support: number;
  at(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Keys' cubic. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
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
  bicubic: { support: 2, at: (x) => cubic(x, -0.5) },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Filter>;

/** The whole image at the size of the op. */
export function resize(
  image: Pixels,
  { to, interpolation, antialias, as }: Pick<ResizeOp, 'to' | 'interpolation' | 'antialias' | 'as'>,
): Pixels {
  if (interpolation === 'nearest' || interpolation === 'nearest-exact') {
    const places = interpolation === 'nearest' ? edges : middles;
    return nearest(image, to, as === 'PIL' ? pillowPlaces : places);
  }
  const { channels, height, width } = image;
  const between = (inputs: number, outputs: number) =>
    integers(
      as === 'tensor' && !antialias
        ? sharpWeights(inputs, outputs, interpolation)
        : smoothWeights(inputs, outputs, FILTERS[interpolation]),
      as,
    );
  let { data } = image;
  if (to.width !== width) {
    data = alongRows(data, channels * height, width, between(width, to.width));
  }
  if (to.height !== height) {
    data = alongColumns(data, channels, to.width, height, between(height, to.height));
  }
  return { channels, ...to, data };
}

/** What each output is made of: the first input, and the weights from there on. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** (outputs, most): integers of `bits` fractional bits. */
  readonly values: Int32Array;
  readonly most: number;
  readonly bits: number;
}

/** The weights of one output, from input `start` on. */
interface Share {
  readonly start: number;
  readonly weights: readonly number[];
}

function smoothWeights(inputs: number, outputs: number, { support, at }: Filter): Share[] {
  const scale = inputs / outputs;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  return Array.from({ length: outputs }, (_, i) => {
    const middle = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(middle - reach + 0.5));
    const end = Math.min(inputs, Math.trunc(middle + reach + 0.5));
    const row = Array.from({ length: end - start }, (_, k) =>
      at((k + start - middle + 0.5) * (1 / stretch)),
    );
    const sum = row.reduce((total, weight) => total + weight, 0);
    return { start, weights: sum === 0 ? row : row.map((weight) => weight / sum) };
  });
}

/** Of the two or four inputs around an output, whatever the step; outside, the last one counts. */
function sharpWeights(inputs: number, outputs: number, interpolation: Interpolation): Share[] {
  const isCubic = interpolation === 'bicubic';
  const reach = isCubic ? 2 : 1;
  const scale = inputs / outputs;
  return Array.from({ length: outputs }, (_, i) => {
    const middle = scale * (i + 0.5) - 0.5;
    const place = isCubic ? middle : Math.max(0, middle);
    const at = Math.min(Math.floor(place), inputs - 1);
    const rest = Math.min(Math.max(place - at, 0), 1);
    const start = Math.max(0, at - reach + 1);
    const weights = new Array<number>(Math.min(inputs, at + reach + 1) - start).fill(0);
    for (let k = 0; k < 2 * reach; k++) {
      const distance = k + 1 - reach - rest;
      const weight = isCubic ? cubic(distance, -0.75) : Math.max(0, 1 - Math.abs(distance));
      const input = Math.max(0, Math.min(inputs - 1, at - reach + 1 + k));
      weights[input - start]! += weight;
    }
    return { start, weights };
  });
}

/** Pillow's fractional bits. */
const MOST_BITS = 22;

function integers(shares: readonly Share[], as: Arithmetic): Weights {
  const most = Math.max(...shares.map(({ weights }) => weights.length));
  const greatest = Math.max(...shares.flatMap(({ weights }) => weights));
  let bits = as === 'PIL' ? MOST_BITS : 0;
  while (bits < MOST_BITS && Math.trunc(0.5 + greatest * 2 ** (bits + 1)) < 2 ** 15) bits++;
  const values = new Int32Array(shares.length * most);
  for (const [i, { weights }] of shares.entries()) {
    for (const [k, weight] of weights.entries()) {
      const share = weight * 2 ** bits;
      values[i * most + k] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
  }
  const first = Int32Array.from(shares, ({ start }) => start);
  return { first, count: Int32Array.from(shares, (s) => s.weights.length), values, most, bits };
}

function toByte(sum: number, bits: number): number {
  return Math.max(0, Math.min(255, sum >> bits));
}

/** (rows, inputs) to (rows, outputs). */
function alongRows(data: Uint8Array, rows: number, inputs: number, by: Weights): Uint8Array {
  const { first, count, values, most, bits } = by;
  const outputs = first.length;
  const result = new Uint8Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < outputs; i++) {
      const from = row * inputs + first[i]!;
      let sum = 2 ** (bits - 1);
      for (let k = 0; k < count[i]!; k++) sum += data[from + k]! * values[i * most + k]!;
      result[row * outputs + i] = toByte(sum, bits);
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
  { first, count, values, most, bits }: Weights,
): Uint8Array {
  const outputs = first.length;
  const result = new Uint8Array(channels * outputs * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < outputs; i++) {
      const from = (channel * inputs + first[i]!) * width;
      const to = (channel * outputs + i) * width;
      for (let x = 0; x < width; x++) {
        let sum = 2 ** (bits - 1);
        for (let k = 0; k < count[i]!; k++) {
          sum += data[from + k * width + x]! * values[i * most + k]!;
        }
        result[to + x] = toByte(sum, bits);
      }
    }
  }
  return result;
}

/** Which input each output shows. */
type NearestPlaces = (inputs: number, outputs: number) => Int32Array;

function nearest({ channels, height, width, data }: Pixels, to: Size, of: NearestPlaces): Pixels {
  const rows = of(height, to.height);
  const columns = of(width, to.width);
  const result = new Uint8Array(channels * to.height * to.width);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const row of rows) {
      const from = (channel * height + row) * width;
      for (const column of columns) result[at++] = data[from + column]!;
    }
  }
  return { channels, ...to, data: result };
}

/** Steps are added one by one, as Pillow does: where a sum falls on an edge, rounding decides. */
function pillowPlaces(inputs: number, outputs: number): Int32Array {
  const scale = inputs / outputs;
  const places = new Int32Array(outputs);
  let middle = scale * 0.5;
  for (let i = 0; i < outputs; i++, middle += scale) {
    places[i] = Math.min(inputs - 1, Math.trunc(middle));
  }
  return places;
}

/** The input below the beginning of each output, in float32 as PyTorch's `nearest`. */
function edges(inputs: number, outputs: number): Int32Array {
  const scale = Math.fround(inputs / outputs);
  return Int32Array.from({ length: outputs }, (_, i) =>
    Math.min(inputs - 1, Math.floor(Math.fround(i * scale))),
  );
}

/** The input below the middle of each output, in float32 as PyTorch's `nearest-exact`. */
function middles(inputs: number, outputs: number): Int32Array {
  const scale = Math.fround(inputs / outputs);
  return Int32Array.from({ length: outputs }, (_, i) =>
    Math.min(inputs - 1, Math.floor(Math.fround((i + 0.5) * scale))),
  );
}
