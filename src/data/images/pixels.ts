/** One decoded image, and what may be done to it before it becomes part of a data set. */

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface Pixels extends Size {
  readonly channels: number;
  /** (channels, height, width), row-major. */
  readonly data: Uint8Array;
}

/** The window of `size` at `top`, `left`, which may reach over the edges: black there. */
export function crop(image: Pixels, top: number, left: number, size: Size): Pixels {
  const { channels } = image;
  const data = new Uint8Array(channels * size.height * size.width);
  const first = Math.max(0, left);
  const end = Math.min(image.width, left + size.width);
  if (first < end) {
    for (let channel = 0; channel < channels; channel++) {
      for (let row = Math.max(0, -top); row < size.height && top + row < image.height; row++) {
        const from = (channel * image.height + top + row) * image.width;
        const to = (channel * size.height + row) * size.width;
        data.set(image.data.subarray(from + first, from + end), to + first - left);
      }
    }
  }
  return { channels, ...size, data };
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
