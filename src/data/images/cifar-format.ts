/**
 * The files of CIFAR-10's and CIFAR-100's binary versions: what a complete folder holds, and how a
 * file is read. Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { faultsIn, INTERPRETED } from '../../base/registry.ts';
import { fileError } from '../../io/atomic.ts';
import { readBeginning } from '../../io/source.ts';
import { CIFAR10, CIFAR100 } from '../known-set-table.ts';
import type { KnownSet } from '../known-sets.ts';
import { CIFAR10_CLASSES, COARSE_CLASSES, FINE_CLASSES } from './cifar-classes.ts';

export const CHANNELS = 3;
export const SIDE = 32;
export const IMAGE_BYTES = CHANNELS * SIDE * SIDE;

/** How one of the sets is laid out, and which of its labels is wanted. */
export interface CifarLayout {
  readonly set: KnownSet;
  /** Bytes before the image's red, green and blue planes, each of them a label. */
  readonly labels: number;
  /** Which of them is the class. */
  readonly label: number;
  readonly classes: readonly string[];
  /** Of the Python version: its folder, and the key of the labels that are wanted. */
  readonly python: { readonly folder: string; readonly labels: string };
}

export const CIFAR10_LAYOUT: CifarLayout = {
  set: CIFAR10,
  labels: 1,
  label: 0,
  classes: CIFAR10_CLASSES,
  python: { folder: 'cifar-10-batches-py', labels: 'labels' },
};

export const CIFAR100_LAYOUTS = {
  fine: {
    set: CIFAR100,
    labels: 2,
    label: 1,
    classes: FINE_CLASSES,
    python: { folder: 'cifar-100-python', labels: 'fine_labels' },
  },
  coarse: {
    set: CIFAR100,
    labels: 2,
    label: 0,
    classes: COARSE_CLASSES,
    python: { folder: 'cifar-100-python', labels: 'coarse_labels' },
  },
} satisfies Record<string, CifarLayout>;

export function recordBytes({ labels }: CifarLayout): number {
  return labels + IMAGE_BYTES;
}

export type Split = 'train' | 'test';

/** A data file and the number of records it must hold. */
export interface DataFile {
  readonly name: string;
  readonly split: Split;
  readonly records: number;
}

/** The complete set, in the order its samples are numbered. */
export function completeFiles(layout: CifarLayout): DataFile[] {
  return layout.set.files.map(({ name, bytes = 0 }) => ({
    name,
    split: name.startsWith('test') ? 'test' : 'train',
    records: bytes / recordBytes(layout),
  }));
}

/** Where records go: into both from sample `start` on. */
export interface RecordTarget {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly start: number;
  readonly count: number;
}

/** Declares that a folder holds a part of the set on purpose, and which. */
export const SUBSET_MANIFEST = 'subset.json';

/** `files` gives the number of records of each data file that is there. */
function manifestSchema(names: readonly string[]) {
  return z.strictObject({
    description: z.string(),
    files: z.partialRecord(z.enum(names), z.int().positive()),
  });
}

/**
 * The files a folder must hold: those its `subset.json` lists, or else the complete set. So a
 * folder is a subset only by declaring it; a missing or shortened file is always a fault.
 */
export function expectedFiles(folder: string, layout: CifarLayout): readonly DataFile[] {
  const complete = completeFiles(layout);
  const path = join(folder, SUBSET_MANIFEST);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return complete;
    throw fileError(`cannot read ${path}`, error);
  }
  try {
    const schema = manifestSchema(complete.map(({ name }) => name));
    const parsed = schema.safeParse(JSON.parse(text), INTERPRETED);
    if (!parsed.success) throw new Error(faultsIn(parsed.error));
    const { files } = parsed.data;
    return complete.flatMap(({ name, split }) => {
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
 * records, or a label that is no class.
 */
export function readRecords(
  folder: string,
  { name, records }: DataFile,
  layout: CifarLayout,
  target: RecordTarget,
): void {
  const path = join(folder, name);
  if (!existsSync(path)) throw new FileError(`${folder} lacks ${name}`);
  const size = recordBytes(layout);
  const bytes = new Uint8Array(target.count * size);
  readBeginning(path, bytes, (found) => checkSize(path, found, records, size));
  const highest = layout.classes.length - 1;
  for (let i = 0; i < target.count; i++) {
    const offset = i * size;
    const label = bytes[offset + layout.label]!;
    if (label > highest) {
      throw new FileError(
        `${path}: byte ${offset + layout.label} (record ${i}) is label ${label}, ` +
          `but labels are 0 to ${highest}`,
      );
    }
    const sample = target.start + i;
    target.labels[sample] = label;
    const image = bytes.subarray(offset + layout.labels, offset + size);
    target.images.set(image, sample * IMAGE_BYTES);
  }
}

function checkSize(path: string, found: number, records: number, size: number): void {
  const expected = records * size;
  if (found === expected) return;
  const whole = Math.floor(found / size);
  const place =
    found % size === 0
      ? `it holds ${whole} records`
      : `record ${whole}, which begins at byte ${whole * size}, is cut off`;
  throw new FileError(
    `${path}: has ${found} bytes, expected ${expected} (${records} records of ${size} bytes); ${place}`,
  );
}
