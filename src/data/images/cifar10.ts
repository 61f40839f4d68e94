/** The CIFAR-10 data set: 60,000 colour images of 32x32 in 10 classes. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { datasets } from '../dataset.ts';
import { cacheFolder, resolveRoot } from '../paths.ts';
import {
  CHANNELS,
  CIFAR10_CLASSES,
  CIFAR10_FILES,
  CIFAR10_FOLDER,
  expectedFiles,
  IMAGE_BYTES,
  readRecords,
  SIDE,
  type Split,
  SUBSET_MANIFEST,
} from './cifar10-format.ts';
import type { ImageData } from './image-dataset.ts';
import { imageArguments, pixelSource } from './image-set.ts';

const schema = z.strictObject({
  root: z
    .string()
    .default('datasets')
    .describe(
      'The folder it is in, relative to the working directory or to the package; the cache is ' +
        'searched too.',
    ),
  split: z.enum(['train', 'test']).default('train').describe('Which of its two parts.'),
  ...imageArguments,
});

datasets.register('CIFAR10', {
  schema,
  create: ({ root, split, ...options }: z.output<typeof schema>) => {
    const size = { channels: CHANNELS, height: SIDE, width: SIDE };
    const read = async (limit: number | undefined) =>
      readCifar10(findCifar10(root), { split, limit });
    return pixelSource({ classes: CIFAR10_CLASSES, ...size, read }, options);
  },
});

/**
 * The folder that holds CIFAR-10's files: `root` itself, `cifar-10-batches-bin` in it, or the one
 * in the cache; the first that holds any of the files. Throws a `FileError` when there is none.
 */
export function findCifar10(root: string): string {
  const resolved = resolveRoot(root);
  const candidates = [
    resolved,
    join(resolved, CIFAR10_FOLDER),
    join(cacheFolder(), CIFAR10_FOLDER),
  ];
  const names = [SUBSET_MANIFEST, ...CIFAR10_FILES.map((file) => file.name)];
  const found = candidates.find((folder) => names.some((name) => existsSync(join(folder, name))));
  if (found === undefined) {
    throw new FileError(
      `CIFAR-10 was not found in ${candidates.join(', ')}; fetch it with: torchts data fetch cifar10`,
    );
  }
  return found;
}

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
