/** bfloat16 is the upper half of a float32. */

/** Reads little-endian bfloat16 words as float32; exact. */
export function bfloat16ToFloat32(words: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Rounds float32 to bfloat16 words, to nearest even; a NaN stays a (quiet) NaN. */
export function float32ToBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const words = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = bits[i]!;
    const nan = (word & 0x7fff_ffff) > 0x7f80_0000;
    words[i] = nan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return words;
}
