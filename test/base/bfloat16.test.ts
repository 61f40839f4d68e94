import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../src/base/bfloat16.ts';

describe('bfloat16', () => {
  it('keeps every word through float32 and back, except that NaNs become quiet', () => {
    const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = float32ToBfloat16(bfloat16ToFloat32(words));
    const expected = words.map((word) => ((word & 0x7fff) > 0x7f80 ? word | 0x40 : word));
    expect(back).toEqual(expected);
  });

  it('rounds to nearest, ties to even', () => {
    const cases: [number, number][] = [
      [1 + 2 ** -9, 1], // below the middle of 1 and its neighbour 1 + 2^-7
      [1 + 2 ** -8, 1], // the middle: 1 is even
      [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6], // the middle of two others: upwards is even
      [3.4028235e38, Infinity], // beyond the middle of the largest value and 2^128
      [-(1 + 2 ** -8 + 2 ** -20), -(1 + 2 ** -7)],
    ];
    const rounded = bfloat16ToFloat32(
      float32ToBfloat16(Float32Array.from(cases, ([value]) => value)),
    );
    expect([...rounded]).toEqual(cases.map(([, expected]) => expected));
  });
});
