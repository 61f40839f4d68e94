/** Tensors as pictures. */

import { PNG } from 'pngjs';
import { ArgumentError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { HostTensor } from '../host-tensor.ts';
import type { ImageSummary } from './events.ts';

/** Images side by side in a grid of several. */
const COLUMNS = 8;

/**
 * A picture of an image (or a grid of several, eight a row) whose dimensions are those of
 * `dataformats`, one of PyTorch's: `CHW`, `HWC`, `HW`, `NCHW`, `NHWC`, ... with 1, 3 or 4 channels.
 * uint8 is taken as it is, everything else as numbers from 0 to 1; what lies beyond is cut off.
 *
 * @throws ArgumentError when shape and `dataformats` do not fit.
 */
export function imageSummary(image: HostTensor, dataformats = 'CHW'): ImageSummary {
  const layout = layoutOf(image, dataformats);
  const { count, channels, height: rows, width: columns } = layout;
  const across = Math.min(count, COLUMNS);
  const [width, height] = [columns * across, rows * Math.ceil(count / across)];
  const png = new PNG({ width, height });
  for (let n = 0; n < count; n++) {
    const left = (n % across) * columns;
    const top = Math.floor(n / across) * rows;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const at = ((top + y) * width + left + x) * 4;
        for (let c = 0; c < 3; c++) png.data[at + c] = layout.byte(n, channels === 1 ? 0 : c, y, x);
        png.data[at + 3] = channels === 4 ? layout.byte(n, 3, y, x) : 255;
      }
    }
  }
  return {
    height,
    width,
    colorspace: channels === 4 ? 4 : 3,
    encoded_image_string: PNG.sync.write(png, { colorType: channels === 4 ? 6 : 2 }),
  };
}

function layoutOf({ dtype, shape, data }: HostTensor, dataformats: string) {
  const letters = [...dataformats.toUpperCase()];
  const known = letters.every((letter) => 'NCHW'.includes(letter));
  const complete = letters.includes('H') && letters.includes('W');
  if (!known || !complete || new Set(letters).size < letters.length) {
    throw new ArgumentError(`[addImage] dataformats are letters of NCHW, got "${dataformats}"`);
  }
  if (letters.length !== shape.length) {
    throw new ArgumentError(`[addImage] ${formatShape(shape)} is not an image of ${dataformats}`);
  }
  const sizeOf = (letter: string) => shape[letters.indexOf(letter)] ?? 1;
  const [count, channels, height, width] = [...'NCHW'].map(sizeOf) as [
    number,
    number,
    number,
    number,
  ];
  if (![1, 3, 4].includes(channels) || count * height * width === 0) {
    throw new ArgumentError(
      `[addImage] needs pixels of 1, 3 or 4 channels, got ${formatShape(shape)} as ${dataformats}`,
    );
  }
  const strides = [...'NCHW'].map((letter) => {
    const at = letters.indexOf(letter);
    return at < 0 ? 0 : shape.slice(at + 1).reduce((product, size) => product * size, 1);
  });
  const scale = dtype === 'uint8' ? 1 : 255;
  const byte = (...at: [n: number, c: number, y: number, x: number]) => {
    const offset = at.reduce((sum, index, i) => sum + index * strides[i]!, 0);
    return Math.max(0, Math.min(255, Number(data[offset]) * scale));
  };
  return { count, channels, height, width, byte };
}
