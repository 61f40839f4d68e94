/** QMNIST: MNIST made again from NIST's digits, with 50,000 more tests. Yadav & Bottou 2019. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { datasets } from '../dataset.ts';
import { QMNIST } from '../known-set-table.ts';
import { findSet } from '../known-sets.ts';
import { DIGITS, fetchable, type IdxPair, type NeededFile, readPair, SIDE } from './idx-files.ts';
import {
  imageArguments,
  type LabelledBytes,
  pixelSource,
  rootArgument,
  taken,
} from './image-set.ts';

/** Of a label: the class, where in NIST's files the digit is, and who wrote it. */
const COLUMNS = 8;

/** The first samples of the test files are those of MNIST's. */
const TESTS_OF_MNIST = 10_000;

const schema = z.strictObject({
  root: rootArgument,
  what: z
    .enum(['train', 'test', 'test10k', 'test50k', 'nist'])
    .optional()
    .describe(
      "Which samples: MNIST's for training, 60,000 to test on, of these MNIST's 10,000 or the " +
        'other 50,000, or all 402,953 digits of NIST. Default: train or test, as train says.',
    ),
  train: z
    .boolean()
    .default(true)
    .describe('Where what is not given: the samples for training, or those for testing.'),
  ...imageArguments,
});

/** The target is the class alone, as torchvision gives it with `compat=True`. */
datasets.register('QMNIST', {
  schema,
  create: ({ root, what, train, ...options }: z.output<typeof schema>) => {
    const part = what ?? (train ? 'train' : 'test');
    const read = async () => readQmnist(root, part);
    return pixelSource({ classes: DIGITS, channels: 1, height: SIDE, width: SIDE, read }, options);
  },
});

type Part = NonNullable<z.output<typeof schema>['what']>;

function readQmnist(root: string, part: Part): LabelledBytes {
  const folder = findSet(QMNIST, root, NIST_NAMES);
  const all = readPair(folder, part === 'nist' ? NIST : filesOf(part === 'train' ? part : 'test'));
  const { length } = all.labels;
  const from = part === 'test50k' ? Math.min(TESTS_OF_MNIST, length) : 0;
  const to = part === 'test10k' ? Math.min(TESTS_OF_MNIST, length) : length;
  if (to - from === length) return all;
  return taken(
    all,
    SIDE * SIDE,
    Int32Array.from({ length: to - from }, (_, i) => from + i),
  );
}

function filesOf(part: 'train' | 'test'): IdxPair {
  return {
    images: fetchable(QMNIST, `qmnist-${part}-images-idx3-ubyte`),
    labels: fetchable(QMNIST, `qmnist-${part}-labels-idx2-int`),
    columns: COLUMNS,
    classes: DIGITS.length,
  };
}

const NIST_SAMPLES = 402_953;
const NIST_NAMES = ['xnist-images-idx3-ubyte', 'xnist-labels-idx2-int'].flatMap((name) => [
  name,
  `${name}.xz`,
]);

const NIST: IdxPair = {
  images: unpackedByHand(NIST_NAMES[0]!, 16 + NIST_SAMPLES * SIDE * SIDE),
  labels: unpackedByHand(NIST_NAMES[2]!, 12 + NIST_SAMPLES * COLUMNS * 4),
  columns: COLUMNS,
  classes: DIGITS.length,
};

/** Node has no reader for xz. */
function unpackedByHand(name: string, bytes: number): NeededFile {
  const source = 'https://github.com/facebookresearch/qmnist';
  return {
    name,
    bytes,
    help: (folder) =>
      existsSync(join(folder, `${name}.xz`))
        ? `${name}.xz must be unpacked first: xz -dk ${join(folder, `${name}.xz`)}`
        : `${name}.xz is at ${source}, to be unpacked with xz -dk`,
  };
}
