/** Ops that make a pixel of its neighbours. */

import { EngineError } from '../../base/errors.ts';
import { roundHalfEven } from '../../base/rounding.ts';
import { clampByte } from './color.ts';
import type { BlurOp } from './op.ts';
import type { Pixels } from './pixels.ts';

const { floor, fround } = Math;

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

/**
 * Reflects at the edges. The kernels are multiplied, and the terms are summed in float32 row by row
 * from the first weight on, as torchvision's convolution does.
 */
export function gaussianBlur(image: Pixels, { kernel_x, kernel_y }: BlurOp): Pixels {
  const { channels, height, width, data } = image;
  checkReach(kernel_x, width);
  checkReach(kernel_y, height);
  const kernel = kernel_y.map((down) =>
    kernel_x.map((across) => fround(fround(down) * fround(across))),
  );
  const result = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    const plane = data.subarray(channel * height * width, (channel + 1) * height * width);
    for (let i = 0; i < plane.length; i++) {
      const [top, left] = [floor(i / width) - half(kernel_y), (i % width) - half(kernel_x)];
      let sum = 0;
      for (const [y, weights] of kernel.entries()) {
        const row = reflected(top + y, height) * width;
        for (const [x, weight] of weights.entries()) {
          sum = fround(weight * plane[row + reflected(left + x, width)]! + sum);
        }
      }
      result[channel * height * width + i] = Math.min(255, roundHalfEven(sum));
    }
  }
  return { channels, height, width, data: result };
}

const half = (kernel: readonly number[]) => (kernel.length - 1) / 2;

function reflected(at: number, length: number): number {
  if (at < 0) return -at;
  return at < length ? at : 2 * (length - 1) - at;
}

function checkReach(kernel: readonly number[], length: number): void {
  if (half(kernel) < length) return;
  throw new EngineError(
    `[images] a kernel of ${kernel.length} reaches over ${length} reflected pixels`,
  );
}
