import { describe, expect, it } from 'vitest';
import { decodeWords, encodeWords, isHalfWidth, roundTo } from '../../src/base/half-width.ts';

const WORDS = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** Where a dtype's NaNs begin, and the bit that makes one quiet. */
const NAN = {
  bfloat16: { above: 0x7f80, quiet: (word: number) => word | 0x40 },
  // Its payload is lost: decoding gives the one NaN that JavaScript has.
  float16: { above: 0x7c00, quiet: (word: number) => (word & 0x8000) | 0x7e00 },
};

describe.each(['bfloat16', 'float16'] as const)('%s', (dtype) => {
  it('keeps every word through float32 and back, except that NaNs become quiet', () => {
    const back = encodeWords(dtype, decodeWords(dtype, WORDS));
    const { above, quiet } = NAN[dtype];
    const isNan = (word: number) => (word & 0x7fff) > above;
    const sign = (word: number) => (dtype === 'float16' && isNan(word) ? word & 0x7fff : word);
    expect(back.map(sign)).toEqual(WORDS.map((w) => sign(isNan(w) ? quiet(w) : w)));
  });

  it('rounds every middle of two neighbours to the even one, and all else to the nearest', () => {
    // Positive finite words, whose numbers ascend; the numbers between are float32 exactly.
    const words = WORDS.filter((word) => word < NAN[dtype].above - 1);
    const numbers = decodeWords(dtype, words);
    const between = (part: number) =>
      Float32Array.from(words, (_, i) => {
        const next = numbers[i + 1] ?? 2 * numbers[i]! - numbers[i - 1]!;
        return numbers[i]! + part * (next - numbers[i]!);
      });
    const upTo = words.length - 1;
    const near = (part: number) => encodeWords(dtype, between(part)).subarray(0, upTo);
    const down = words.subarray(0, upTo);
    expect(near(0.25)).toEqual(down);
    expect(near(0.75)).toEqual(down.map((word) => word + 1));
    expect(near(0.5)).toEqual(down.map((word) => word + (word % 2)));
  });

  it('keeps the sign of what becomes zero', () => {
    expect([...roundTo(dtype, [0, -0, -1e-45])]).toEqual([0, -0, -0]);
  });
});

it('numbers too large become infinite', () => {
  const { MAX_VALUE } = Number;
  expect([...roundTo('bfloat16', [3.4028235e38, -MAX_VALUE])]).toEqual([Infinity, -Infinity]);
  // 65504 is the largest float16, 65520 the middle of it and 2^16.
  const values = [65504, 65519.996, 65520, -65520, 1e10, -Infinity, NaN];
  const expected = [65504, 65504, Infinity, -Infinity, Infinity, -Infinity, NaN];
  expect([...roundTo('float16', values)]).toEqual(expected);
});

it('numbers too small become subnormal, then zero', () => {
  const least = 2 ** -24;
  const values = [least, 0.75 * least, 0.5 * least, 1.5 * least, 2 ** -14 - 0.25 * least];
  expect([...roundTo('float16', values)]).toEqual([least, least, 0, 2 * least, 2 ** -14]);
});

it('no other dtype is of half width', () => {
  expect((['float32', 'float64', 'int32', 'uint8', 'bool'] as const).filter(isHalfWidth)).toEqual(
    [],
  );
});
