/** One decoded image. */

import type { Pixels, Size } from '../../engine/image-ops/pixels.ts';

export type { ImageShape, Pixels, Size } from '../../engine/image-ops/pixels.ts';

/** Exchanges rows and columns of each square plane of `side`, in place. */
export function transposePlanes(planes: Uint8Array, side: number): void {
  const area = side * side;
  for (let plane = 0; plane < planes.length; plane += area) {
    for (let row = 1; row < side; row++) {
      for (let column = 0; column < row; column++) {
        const [a, b] = [plane + row * side + column, plane + column * side + row];
        const value = planes[a]!;
        planes[a] = planes[b]!;
        planes[b] = value;
      }
    }
  }
}

/** From (height, width, channels), as decoders give it. */
export function planar(interleaved: Uint8Array, channels: number, size: Size): Pixels {
  const area = size.height * size.width;
  const data = new Uint8Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    const plane = data.subarray(channel * area, (channel + 1) * area);
    for (let i = 0, from = channel; i < area; i++, from += channels) plane[i] = interleaved[from]!;
  }
  return { channels, ...size, data };
}
