/** Street View House Numbers: colour images of 32x32, each of a digit. Netzer et al. 2011. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { readMat } from '../../io/mat.ts';
import { datasets } from '../dataset.ts';
import { SVHN, SVHN_EXTRA } from '../known-set-table.ts';
import { fetchHint, findSet, readingFiles } from '../known-sets.ts';
import { imageArguments, pixelSource, rootArgument } from './image-set.ts';
import { transposePlanes } from './pixels.ts';

const SIDE = 32;
const CHANNELS = 3;
const CLASSES = [...'0123456789'];

const schema = z.strictObject({
  root: rootArgument,
  split: z
    .enum(['train', 'test', 'extra'])
    .default('train')
    .describe('Which of its three parts; extra is more to train on, 531,131 easier images.'),
  ...imageArguments,
});

datasets.register('SVHN', {
  schema,
  create: ({ root, split, ...options }: z.output<typeof schema>) => {
    const read = async () => {
      const set = split === 'extra' ? SVHN_EXTRA : SVHN;
      const folder = findSet(set, root);
      const path = join(folder, `${split}_32x32.mat`);
      return readingFiles(fetchHint(set, folder), () => {
        if (existsSync(path)) return readSvhn(path);
        throw new FileError(`${path} is missing`);
      });
    };
    const size = { channels: CHANNELS, height: SIDE, width: SIDE };
    return pixelSource({ classes: CLASSES, ...size, read }, options);
  },
});

/**
 * The images and labels of one file: `X`, MATLAB's 32x32x3xN, and `y`, where 10 stands for the
 * digit 0. Throws a `FileError` when they are not that.
 */
export function readSvhn(path: string): { images: Uint8Array; labels: Int32Array } {
  const arrays = readMat(path, ['X', 'y']);
  const { shape, data: pixels } = arrays.get('X')!;
  const labels = Int32Array.from(arrays.get('y')!.data as ArrayLike<number>);
  const expected = [labels.length, CHANNELS, SIDE, SIDE];
  if (!(pixels instanceof Uint8Array) || shape.join() !== expected.join()) {
    throw new FileError(
      `${path}: X is ${formatShape(shape)} in reverse, expected bytes of ${formatShape(expected)}`,
    );
  }
  const wrong = labels.findIndex((label) => label < 1 || label > 10);
  if (wrong >= 0) {
    throw new FileError(`${path}: label ${labels[wrong]} of sample ${wrong} is none of 1 to 10`);
  }
  transposePlanes(pixels, SIDE);
  return { images: pixels, labels: labels.map((label) => label % 10) };
}
