/** CIFAR-10 and CIFAR-100: 60,000 colour images of 32x32 each, in 10 and in 100 classes. */

import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { datasets } from '../dataset.ts';
import { fetchHint, findVersion, namesOf, readingFiles, type SetVersion } from '../known-sets.ts';
import {
  CHANNELS,
  CIFAR10_LAYOUT,
  CIFAR100_LAYOUTS,
  type CifarLayout,
  type DataFile,
  expectedFiles,
  IMAGE_BYTES,
  readRecords,
  SIDE,
  type Split,
  SUBSET_MANIFEST,
} from './cifar-format.ts';
import { pythonFiles, readPickledRecords } from './cifar-python.ts';
import type { ImageData } from './image-dataset.ts';
import {
  imageArguments,
  type LabelledBytes,
  pixelSource,
  rootArgument,
  splitArgument,
} from './image-set.ts';

const cifar10 = z.strictObject({ root: rootArgument, split: splitArgument, ...imageArguments });

const cifar100 = z.strictObject({
  root: rootArgument,
  split: splitArgument,
  labels: z
    .enum(['fine', 'coarse'])
    .default('fine')
    .describe('The 100 classes, or the 20 superclasses that they belong to.'),
  ...imageArguments,
});

datasets.register('CIFAR10', {
  schema: cifar10,
  create: (options: z.output<typeof cifar10>) => source(CIFAR10_LAYOUT, options),
});

datasets.register('CIFAR100', {
  schema: cifar100,
  create: ({ labels, ...options }: z.output<typeof cifar100>) =>
    source(CIFAR100_LAYOUTS[labels], options),
});

function source(layout: CifarLayout, { root, split, ...options }: z.output<typeof cifar10>) {
  const { set, classes } = layout;
  const size = { channels: CHANNELS, height: SIDE, width: SIDE };
  const versions = [binaryVersion(layout), pythonVersion(layout)];
  const read = async (limit: number | undefined) => {
    const { folder, version } = findVersion(set, root, versions);
    return readCifar(folder, layout, { split, limit, version });
  };
  return pixelSource({ classes, ...size, read }, options);
}

/** A form of the files, and how they are read. */
interface CifarVersion extends SetVersion {
  filesOf(folder: string): readonly DataFile[];
  readonly read: typeof readRecords;
}

function binaryVersion(layout: CifarLayout): CifarVersion {
  const { folder, files } = layout.set;
  return {
    folder,
    names: [SUBSET_MANIFEST, ...files.flatMap(namesOf)],
    filesOf: (found) => expectedFiles(found, layout),
    read: readRecords,
  };
}

/** It is complete: only the binary version has subsets. */
function pythonVersion(layout: CifarLayout): CifarVersion {
  const files = pythonFiles(layout);
  return {
    folder: layout.python.folder,
    names: files.map(({ name }) => name),
    filesOf: () => files,
    read: readPickledRecords,
  };
}

/**
 * Reads one split from the files in `folder`, of the binary version unless another is given, the
 * first `limit` samples if given. Samples are numbered through the files in order: sample 10,000 is
 * the first of `data_batch_2.bin`. Throws a `FileError` when a file is missing, cut off or
 * malformed.
 */
export function readCifar(
  folder: string,
  layout: CifarLayout,
  {
    split,
    limit = Number.POSITIVE_INFINITY,
    version = binaryVersion(layout),
  }: { split: Split; limit?: number | undefined; version?: CifarVersion },
): ImageData & LabelledBytes {
  const files = version.filesOf(folder).filter((file) => file.split === split);
  const available = files.reduce((sum, file) => sum + file.records, 0);
  if (available === 0) throw new FileError(`${folder} holds no samples of the ${split} split`);
  const length = Math.min(available, limit);
  const images = new Uint8Array(length * IMAGE_BYTES);
  const labels = new Int32Array(length);
  let start = 0;
  for (const file of files) {
    // A file past the limit is still opened: whether a folder is whole must not depend on `limit`.
    const count = Math.min(file.records, length - start);
    readingFiles(fetchHint(layout.set, folder), () =>
      version.read(folder, file, layout, { images, labels, start, count }),
    );
    start += count;
  }
  const size = { channels: CHANNELS, height: SIDE, width: SIDE };
  return { classes: layout.classes, ...size, images, labels };
}
