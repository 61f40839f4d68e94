/** `hashed` of the fixtures' scripts: numbers in [-1, 1), the same in every language. */
export function hashed(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (i + seed * 1000003) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}
