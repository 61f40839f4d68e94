/**
 * The Python versions of CIFAR-10 and CIFAR-100, which torchvision downloads: each file is a pickle
 * of a dictionary with `data`, bytes of (records, 3072), and lists of labels.
 * https://www.cs.toronto.edu/~kriz/cifar.html
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { PickledArray, readPickledDictionary } from '../../io/pickle/numpy.ts';
import {
  type CifarLayout,
  completeFiles,
  type DataFile,
  IMAGE_BYTES,
  type RecordTarget,
} from './cifar-format.ts';

/** What a record may take beside its image: labels and the name of its file. */
const MOST_BESIDE = 256;
/** Labels and names, and what a file has beside its records. */
const MOST_VALUES = { record: 8, file: 1000 };
const MOST_HEADER = 2 ** 16;

/** The complete set: the same files as the binary version has, without an ending. */
export function pythonFiles(layout: CifarLayout): DataFile[] {
  return completeFiles(layout).map((file) => ({ ...file, name: file.name.replace(/\.bin$/, '') }));
}

/**
 * Reads the first `count` records of a file into `images` and `labels`, from sample `start` on.
 * Throws a `FileError` when it is missing or damaged, or has another number of records, or a label
 * that is no class.
 */
export function readPickledRecords(
  folder: string,
  { name, records }: DataFile,
  layout: CifarLayout,
  { images, labels, start, count }: RecordTarget,
): void {
  const path = join(folder, name);
  if (!existsSync(path)) throw new FileError(`${folder} lacks ${name}`);
  const contents = readPickledDictionary(path, {
    bytes: records * (IMAGE_BYTES + MOST_BESIDE) + MOST_HEADER,
    values: records * MOST_VALUES.record + MOST_VALUES.file,
  });
  const pixels = pixelsOf(path, contents.get('data'), records);
  const { labels: key } = layout.python;
  const found = labelsOf(path, key, contents.get(key), { records, classes: layout.classes.length });
  images.set(pixels.subarray(0, count * IMAGE_BYTES), start * IMAGE_BYTES);
  labels.set(found.slice(0, count), start);
}

function pixelsOf(path: string, value: unknown, records: number): Uint8Array {
  const array = value instanceof PickledArray ? value.contents() : undefined;
  if (array === undefined) throw new FileError(`${path}: has no array of bytes "data"`);
  const expected = [records, IMAGE_BYTES];
  if (array.shape.join() === expected.join()) return array.data;
  const shapes = `${formatShape(array.shape)}, expected ${formatShape(expected)}`;
  throw new FileError(`${path}: data is ${shapes}`);
}

function labelsOf(
  path: string,
  key: string,
  value: unknown,
  { records, classes }: { records: number; classes: number },
): number[] {
  if (!Array.isArray(value)) throw new FileError(`${path}: has no list "${key}"`);
  if (value.length !== records) {
    throw new FileError(
      `${path}: ${key} has ${value.length} labels, but there are ${records} images`,
    );
  }
  const isClass = (label: unknown) =>
    Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes;
  const wrong = value.findIndex((label) => !isClass(label));
  if (wrong < 0) return value;
  const shown = typeof value[wrong] === 'number' ? `is ${value[wrong]}` : 'is no number';
  throw new FileError(`${path}: ${key}[${wrong}] ${shown}, but labels are 0 to ${classes - 1}`);
}
