/** Ops that make a pixel of its neighbours. */

import { EngineError } from '../../base/errors.ts';
import { roundHalfEven } from '../../base/rounding.ts';
import { clampByte } from './color.ts';
import type { BlurOp } from './op.ts';
import type { Pixels } from './pixels.ts';

const { fround } = Math;

/** Between the image (factor 1) and its mean over 3 x 3 pixels, where the own counts fivefold. */
export function sharpness(image: Pixels, factor: number): Pixels {
  const { channels, height, width, data } = image;
  if (channels !== 1 && channels !== 3) {
    throw new EngineError(`[images] sharpness needs 1 or 3 channels, got ${channels}`);
  }
  if (height <= 2 || width <= 2) return image;
  const result = Uint8Array.from(data);
  for (let row = 0; row < channels * height; row++) {
    if (row % height === 0 || row % height === height - 1) continue;
    for (let x = 1; x < width - 1; x++) {
      const at = row * width + x;
      let sum = 4 * data[at]!;
      for (const line of [at - width, at, at + width]) {
        sum += data[line - 1]! + data[line]! + data[line + 1]!;
      }
      const blurred = Math.round(sum / 13);
      const value = data[at]!;
      result[at] = clampByte(fround(fround(1 - factor) * (blurred - value) + value));
    }
  }
  return { channels, height, width, data: result };
}

/** Reflects at the edges. torchvision multiplies the kernels first, so a sum may round apart. */
export function gaussianBlur(image: Pixels, { kernel_x, kernel_y }: BlurOp): Pixels {
  const { channels, height, width, data } = image;
  const along = filtered(data, channels * height, width, kernel_x);
  const result = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let x = 0; x < width; x++) {
      const at = (y: number) => (channel * height + y) * width + x;
      const column = Array.from({ length: height }, (_, y) => along[at(y)]!);
      filtered(column, 1, height, kernel_y).forEach((value, y) => {
        result[at(y)] = roundHalfEven(value);
      });
    }
  }
  return { channels, height, width, data: result };
}

/** (rows, length) with every row filtered, summed in float32 from the first weight on. */
function filtered(
  data: ArrayLike<number>,
  rows: number,
  length: number,
  kernel: readonly number[],
): Float32Array {
  const half = (kernel.length - 1) / 2;
  if (half > length - 1) {
    throw new EngineError(
      `[images] a kernel of ${kernel.length} reaches over ${length} reflected pixels`,
    );
  }
  const result = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const [k, weight] of kernel.entries()) {
        const at = i + k - half;
        const place = at < 0 ? -at : at < length ? at : 2 * (length - 1) - at;
        sum = fround(fround(weight) * data[row * length + place]! + sum);
      }
      result[row * length + i] = sum;
    }
  }
  return result;
}
