/**
 * The files of CIFAR-10's binary version: what a complete folder holds, and how a file is read.
 * Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
 */

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { INTERPRETED } from '../../base/registry.ts';
import { fileError } from '../../io/atomic.ts';

export const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

export const CHANNELS = 3;
export const SIDE = 32;
export const IMAGE_BYTES = CHANNELS * SIDE * SIDE;
/** One byte of label, then the image's red, green and blue planes, row by row. */
export const RECORD_BYTES = 1 + IMAGE_BYTES;

export type Split = 'train' | 'test';

/** A data file and the number of records it must hold. */
export interface DataFile {
  readonly name: string;
  readonly split: Split;
  readonly records: number;
}

/** The complete set, in the order its samples are numbered. */
export const CIFAR10_FILES: readonly DataFile[] = [
  ...[1, 2, 3, 4, 5].map((i) => file(`data_batch_${i}.bin`, 'train', 10_000)),
  file('test_batch.bin', 'test', 10_000),
];

function file(name: string, split: Split, records: number): DataFile {
  return { name, split, records };
}

/** Declares that a folder holds a part of the set on purpose, and which. */
export const SUBSET_MANIFEST = 'subset.json';

/** `files` gives the number of records of each data file that is there. */
const manifestSchema = z.strictObject({
  description: z.string(),
  files: z.partialRecord(z.enum(CIFAR10_FILES.map(({ name }) => name)), z.int().positive()),
});

/**
 * The files a folder must hold: those its `subset.json` lists, or else the complete set. So a
 * folder is a subset only by declaring it; a missing or shortened file is always a fault.
 */
export function expectedFiles(folder: string): readonly DataFile[] {
  const path = join(folder, SUBSET_MANIFEST);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return CIFAR10_FILES;
    throw fileError(`cannot read ${path}`, error);
  }
  try {
    const { files } = manifestSchema.parse(JSON.parse(text), INTERPRETED);
    return CIFAR10_FILES.flatMap(({ name, split }) => {
      const records = files[name];
      return records === undefined ? [] : [{ name, split, records }];
    });
  } catch (error) {
    throw fileError(`${path} is not a manifest of a subset`, error);
  }
}

/**
 * Reads the first `count` records of a file into `images` and `labels`, from sample `start` on.
 * Throws a `FileError` with the place in the file when it is missing, has another size than its
 * records, or a label above 9.
 */
export function readRecords(
  folder: string,
  { name, records }: DataFile,
  target: { images: Uint8Array; labels: Int32Array; start: number; count: number },
): void {
  const path = join(folder, name);
  const bytes = readPrefix(path, records, target.count);
  for (let i = 0; i < target.count; i++) {
    const offset = i * RECORD_BYTES;
    const label = bytes[offset]!;
    if (label >= CIFAR10_CLASSES.length) {
      throw new FileError(
        `${path}: byte ${offset} (record ${i}) is label ${label}, but labels are 0 to 9`,
      );
    }
    const sample = target.start + i;
    target.labels[sample] = label;
    target.images.set(bytes.subarray(offset + 1, offset + RECORD_BYTES), sample * IMAGE_BYTES);
  }
}

function readPrefix(path: string, records: number, count: number): Uint8Array {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    checkSize(path, fstatSync(descriptor).size, records);
    const bytes = new Uint8Array(count * RECORD_BYTES);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(descriptor, bytes, done, bytes.length - done, done);
      if (read === 0) throw new FileError(`${path}: ended at byte ${done} while being read`);
      done += read;
    }
    return bytes;
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function checkSize(path: string, size: number, records: number): void {
  const expected = records * RECORD_BYTES;
  if (size === expected) return;
  const whole = Math.floor(size / RECORD_BYTES);
  const place =
    size % RECORD_BYTES === 0
      ? `it holds ${whole} records`
      : `record ${whole}, which begins at byte ${whole * RECORD_BYTES}, is cut off`;
  throw new FileError(
    `${path}: has ${size} bytes, expected ${expected} (${records} records of ${RECORD_BYTES} bytes); ${place}`,
  );
}
