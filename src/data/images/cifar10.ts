/** The CIFAR-10 data set: 60,000 colour images of 32x32 in 10 classes. */

import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { datasets } from '../dataset.ts';
import { CIFAR10, findSet } from '../known-sets.ts';
import {
  CHANNELS,
  CIFAR10_CLASSES,
  expectedFiles,
  IMAGE_BYTES,
  readRecords,
  SIDE,
  type Split,
  SUBSET_MANIFEST,
} from './cifar10-format.ts';
import type { ImageData } from './image-dataset.ts';
import { imageArguments, pixelSource, rootArgument, splitArgument } from './image-set.ts';

const schema = z.strictObject({ root: rootArgument, split: splitArgument, ...imageArguments });

datasets.register('CIFAR10', {
  schema,
  create: ({ root, split, ...options }: z.output<typeof schema>) => {
    const size = { channels: CHANNELS, height: SIDE, width: SIDE };
    const read = async (limit: number | undefined) =>
      readCifar10(findSet(CIFAR10, root, [SUBSET_MANIFEST]), { split, limit });
    return pixelSource({ classes: CIFAR10_CLASSES, ...size, read }, options);
  },
});

/**
 * Reads one split from the binary files in `folder`, the first `limit` samples if given. Samples
 * are numbered through the files in order: sample 10,000 is the first of `data_batch_2.bin`.
 * Throws a `FileError` when a file is missing, cut off or malformed.
 */
export function readCifar10(
  folder: string,
  { split, limit = Number.POSITIVE_INFINITY }: { split: Split; limit?: number | undefined },
): ImageData {
  const files = expectedFiles(folder).filter((file) => file.split === split);
  const available = files.reduce((sum, file) => sum + file.records, 0);
  if (available === 0) throw new FileError(`${folder} holds no samples of the ${split} split`);
  const length = Math.min(available, limit);
  const images = new Uint8Array(length * IMAGE_BYTES);
  const labels = new Int32Array(length);
  let start = 0;
  for (const file of files) {
    // A file past the limit is still opened: whether a folder is whole must not depend on `limit`.
    const count = Math.min(file.records, length - start);
    readRecords(folder, file, { images, labels, start, count });
    start += count;
  }
  return {
    classes: CIFAR10_CLASSES,
    channels: CHANNELS,
    height: SIDE,
    width: SIDE,
    images,
    labels,
  };
}
