/** Boxes of an image's floats erased. */

import { philox4x32 } from '../../base/philox.ts';
import type { EraseOp } from './op.ts';
import type { ImageShape } from './pixels.ts';

/** @param values (channels, height, width). */
export function eraseBox(op: EraseOp, shape: ImageShape, values: Float32Array): void {
  const { top, left, value } = op;
  let drawn = 0;
  for (let channel = 0; channel < shape.channels; channel++) {
    for (let y = top; y < top + op.height; y++) {
      const row = (channel * shape.height + y) * shape.width + left;
      for (let x = 0; x < op.width; x++) {
        values[row + x] = 'key' in value ? normalNoise(value.key, drawn++) : value[channel]!;
      }
    }
  }
}

/** Number `i` of normal noise: four come from a block. Box and Muller, 1958. */
function normalNoise(key: readonly [number, number], i: number): number {
  const words = philox4x32([Math.floor(i / 4), Math.floor(i / 2 ** 34), 0, 0], key);
  const pair = (i % 4) - (i % 2);
  const radius = Math.sqrt(-2 * Math.log((words[pair]! + 1) / 2 ** 32));
  const angle = (2 * Math.PI * words[pair + 1]!) / 2 ** 32;
  return Math.fround(radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)));
}
