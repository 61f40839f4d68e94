/**
 * Floating dtypes of 16 bits. Typed arrays have none, so the host holds their numbers as float32,
 * and their words, as they lie in memory and in files, as `Uint16Array`. Rounding is to nearest
 * even.
 */

import type { DType } from './dtype.ts';

export type HalfWidth = 'bfloat16' | 'float16';

interface Codec {
  /** The numbers that little-endian words stand for; exact. */
  decode(words: Uint16Array): Float32Array<ArrayBuffer>;
  /** The nearest words; a NaN stays a (quiet) NaN. */
  encode(values: Float32Array): Uint16Array<ArrayBuffer>;
}

const CODECS: Readonly<Record<HalfWidth, Codec>> = {
  /** The upper half of a float32. */
  bfloat16: {
    decode(words) {
      const bits = new Uint32Array(words.length);
      for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
      return new Float32Array(bits.buffer);
    },
    encode: (values) =>
      wordsOf(values, (bits) => {
        const nan = (bits & 0x7fff_ffff) > 0x7f80_0000;
        return nan ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
      }),
  },
  /** IEEE 754's binary16: a sign, 5 bits of exponent, 10 of mantissa. */
  float16: {
    decode(words) {
      const values = new Float32Array(words.length);
      for (let i = 0; i < words.length; i++) values[i] = numberOfFloat16(words[i]!);
      return values;
    },
    encode: (values) =>
      wordsOf(values, (bits, value) => {
        const sign = (bits >>> 16) & 0x8000;
        const magnitude = bits & 0x7fff_ffff;
        if (magnitude > 0x7f80_0000) return sign | 0x7e00;
        if (magnitude >= HALFWAY_TO_2_16) return sign | 0x7c00;
        if (magnitude < SMALLEST_NORMAL) return sign | roundToEven(Math.abs(value) * 2 ** 24);
        return sign | ((magnitude - EXPONENT_SHIFT + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
      }),
  },
};

/** As bits of float32: 65520, 2^-14, and the difference of the exponents' biases. */
const HALFWAY_TO_2_16 = 0x477f_f000;
const SMALLEST_NORMAL = 113 << 23;
const EXPONENT_SHIFT = 112 << 23;

export function isHalfWidth(dtype: DType): dtype is HalfWidth {
  return Object.hasOwn(CODECS, dtype);
}

/** The numbers that little-endian words of `dtype` stand for; exact. */
export function decodeWords(dtype: HalfWidth, words: Uint16Array): Float32Array<ArrayBuffer> {
  return CODECS[dtype].decode(words);
}

/** The words of `dtype` nearest to `values`; a NaN stays a (quiet) NaN. */
export function encodeWords(dtype: HalfWidth, values: Float32Array): Uint16Array<ArrayBuffer> {
  return CODECS[dtype].encode(values);
}

/** The numbers of `dtype` nearest to `values`, which are rounded to float32 first. */
export function roundTo(dtype: HalfWidth, values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  return decodeWords(dtype, encodeWords(dtype, Float32Array.from(values)));
}

function wordsOf(values: Float32Array, word: (bits: number, value: number) => number) {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const words = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) words[i] = word(bits[i]!, values[i]!);
  return words;
}

function numberOfFloat16(word: number): number {
  const exponent = (word >>> 10) & 31;
  const mantissa = word & 0x3ff;
  const magnitude =
    exponent === 31
      ? mantissa === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? mantissa * 2 ** -24
        : (1024 + mantissa) * 2 ** (exponent - 25);
  return word & 0x8000 ? -magnitude : magnitude;
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
