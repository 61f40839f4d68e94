/** STL-10: colour images of 96x96, few with labels and many without. Coates, Ng & Lee 2011. */

import { z } from 'zod';
import { ConfigError, FileError } from '../../base/errors.ts';
import { fileSize, readBeginning, readWhole } from '../../io/source.ts';
import { datasets } from '../dataset.ts';
import { STL10, STL10_IMAGE_BYTES } from '../known-set-table.ts';
import { fetchHint, findSet, placeOf, readingFiles } from '../known-sets.ts';
import { gather } from '../rows.ts';
import { imageArguments, type LabelledBytes, pixelSource, rootArgument } from './image-set.ts';
import { transposePlanes } from './pixels.ts';

const SIDE = 96;
const CHANNELS = 3;
const LABELED = [
  'airplane',
  'bird',
  'car',
  'cat',
  'deer',
  'dog',
  'horse',
  'monkey',
  'ship',
  'truck',
];
/** The class of images without one, after all others: targets are places in a list. */
const UNLABELED = LABELED.length;

const schema = z.strictObject({
  root: rootArgument,
  split: z
    .enum(['train', 'train+unlabeled', 'unlabeled', 'test'])
    .default('train')
    .describe(
      'Which of its parts; images without a label are of an eleventh class, 10, where torchvision ' +
        'has -1. They take 2.8 GB of memory.',
    ),
  folds: z
    .int()
    .min(0)
    .max(9)
    .optional()
    .describe('Of the labeled images for training, those of one of the ten predefined folds.'),
  ...imageArguments,
});

type Options = z.output<typeof schema>;

datasets.register('STL10', {
  schema,
  create: ({ root, split, folds, ...options }: Options) => {
    if (folds !== undefined && !split.startsWith('train')) {
      throw new ConfigError(`[STL10] folds are parts of the split train, not of ${split}`);
    }
    const hasUnlabeled = split.endsWith('unlabeled');
    const classes = hasUnlabeled ? [...LABELED, 'unlabeled'] : LABELED;
    const size = { channels: CHANNELS, height: SIDE, width: SIDE };
    const read = async (limit: number | undefined) => {
      const folder = findSet(STL10, root);
      const hint = fetchHint(STL10, folder);
      return readingFiles(hint, () => readStl10(folder, { split, folds, limit }));
    };
    return pixelSource({ classes, ...size, read }, options);
  },
});

type Part = 'train' | 'test' | 'unlabeled';
interface Wanted {
  readonly split: Options['split'];
  readonly folds: number | undefined;
  readonly limit: number | undefined;
}

/** The first `limit` images of a split, its parts one after the other in one array. */
function readStl10(folder: string, { split, folds, limit = Infinity }: Wanted): LabelledBytes {
  let left = limit;
  const parts = split.split('+').map((name) => {
    const part = describePart(folder, name as Part, folds);
    const count = Math.min(part.count, left);
    left -= count;
    return { ...part, count };
  });
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const images = new Uint8Array(total * STL10_IMAGE_BYTES);
  const labels = new Int32Array(total);
  let start = 0;
  for (const part of parts) {
    const end = start + part.count;
    fill(images.subarray(start * STL10_IMAGE_BYTES, end * STL10_IMAGE_BYTES), part);
    labels.set(part.labels.subarray(0, part.count), start);
    start = end;
  }
  transposePlanes(images, SIDE);
  return { images, labels };
}

interface PartOfSet {
  readonly path: string;
  readonly count: number;
  readonly labels: Uint8Array;
  /** Which images of the file it is, where not the first ones. */
  readonly places?: Int32Array;
}

function describePart(folder: string, part: Part, fold: number | undefined): PartOfSet {
  const path = needed(folder, `${part}_X.bin`);
  const count = countOf(path);
  if (part === 'unlabeled') return { path, count, labels: new Uint8Array(count).fill(UNLABELED) };
  const labels = readLabels(folder, part, count);
  if (fold === undefined) return { path, count, labels };
  const places = foldOf(folder, fold, count);
  return { path, count: places.length, labels: gather(labels, 1, places), places };
}

function fill(images: Uint8Array, { path, places }: PartOfSet): void {
  if (places === undefined) {
    readBeginning(path, images);
    return;
  }
  const whole = new Uint8Array(fileSize(path));
  readBeginning(path, whole);
  const count = images.length / STL10_IMAGE_BYTES;
  images.set(gather(whole, STL10_IMAGE_BYTES, places.subarray(0, count)));
}

function needed(folder: string, name: string): string {
  const path = placeOf(folder, { name });
  if (path !== undefined) return path;
  throw new FileError(`${folder} lacks ${name}`);
}

function countOf(path: string): number {
  const size = fileSize(path);
  const count = size / STL10_IMAGE_BYTES;
  if (size > 0 && Number.isInteger(count)) return count;
  throw new FileError(
    `${path}: has ${size} bytes, which is no whole number of images of ${STL10_IMAGE_BYTES}`,
  );
}

/** A byte an image, from 1 on. */
function readLabels(folder: string, part: Part, count: number): Uint8Array {
  const path = needed(folder, `${part}_y.bin`);
  const bytes = new Uint8Array(count);
  readBeginning(path, bytes, (size) => {
    if (size === count) return;
    throw new FileError(`${path}: has ${size} labels, but there are ${count} images`);
  });
  const wrong = bytes.findIndex((label) => label < 1 || label > LABELED.length);
  if (wrong >= 0) {
    throw new FileError(
      `${path}: label ${bytes[wrong]} of sample ${wrong} is none of 1 to ${LABELED.length}`,
    );
  }
  return bytes.map((label) => label - 1);
}

/** A line a fold: the places of its samples, with spaces between them. */
function foldOf(folder: string, fold: number, count: number): Int32Array {
  const path = needed(folder, 'fold_indices.txt');
  const most = STL10.files.find(({ name }) => name === 'fold_indices.txt')!.most!;
  const line = Buffer.from(readWhole(path, most)).toString('latin1').split('\n')[fold]?.trim();
  if (!line) throw new FileError(`${path}: has no line for fold ${fold}`);
  return Int32Array.from(line.split(/\s+/), (word) => {
    const place = /^\d+$/.test(word) ? Number(word) : count;
    if (place < count) return place;
    throw new FileError(
      `${path}: "${word.slice(0, 20)}" in fold ${fold} is no place among ${count} images`,
    );
  });
}
