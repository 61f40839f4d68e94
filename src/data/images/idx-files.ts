/** Pairs of idx files, of images and of their labels, as MNIST and its relatives have them. */

import { FileError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { readIdx } from '../../io/idx.ts';
import { fetchHint, type KnownFile, type KnownSet, placeOf, readingFiles } from '../known-sets.ts';
import type { LabelledBytes } from './image-set.ts';

export const SIDE = 28;

/** The classes of those that hold digits. */
export const DIGITS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
].map((word, digit) => `${digit} - ${word}`);

/** A file, and what is said where it is missing or damaged. */
export interface NeededFile extends KnownFile {
  readonly help: (folder: string) => string;
}

/** A file of a set that can be fetched. */
export function fetchable(set: KnownSet, name: string): NeededFile {
  const file = set.files.find((known) => known.name === name)!;
  return { ...file, help: (folder) => fetchHint(set, folder) };
}

export interface IdxPair {
  /** Bytes of (length, 28, 28). */
  readonly images: NeededFile;
  /** Bytes of (length,); with `columns`, integers of (length, columns), the class first. */
  readonly labels: NeededFile;
  readonly columns?: number;
  /** How many there are. */
  readonly classes: number;
}

/** Throws a `FileError` where files are missing, larger than they can be, or do not fit. */
export function readPair(
  folder: string,
  { images, labels, columns, classes }: IdxPair,
): LabelledBytes {
  const pixels = readFile(folder, images, 'uint8');
  const targets = readFile(folder, labels, columns === undefined ? 'uint8' : 'int32');
  const count = targets.shape[0]!;
  readingFiles(images.help(folder), () => needShape(pixels, [count, SIDE, SIDE]));
  const found = readingFiles(labels.help(folder), () => {
    needShape(targets, columns === undefined ? [count] : [count, columns]);
    return classesOf(targets, columns ?? 1, classes);
  });
  return { images: pixels.data as Uint8Array, labels: found };
}

interface FileTensor extends HostTensor {
  readonly path: string;
}

function readFile(folder: string, file: NeededFile, dtype: 'uint8' | 'int32'): FileTensor {
  return readingFiles(file.help(folder), () => {
    const path = placeOf(folder, file);
    if (path === undefined) throw new FileError(`${folder} lacks ${file.name}`);
    const tensor = readIdx(path, file.bytes);
    if (tensor.dtype === dtype) return { ...tensor, path };
    const expected = dtype === 'uint8' ? 'bytes' : 'integers of 32 bits';
    throw new FileError(`${path}: has elements of ${tensor.dtype}, expected ${expected}`);
  });
}

function needShape({ path, shape }: FileTensor, expected: readonly number[]): void {
  if (shape.join() === expected.join()) return;
  throw new FileError(`${path}: holds ${formatShape(shape)}, expected ${formatShape(expected)}`);
}

/** The first of every `step` numbers. */
function classesOf({ path, shape, data }: FileTensor, step: number, classes: number): Int32Array {
  const found = Int32Array.from({ length: shape[0]! }, (_, i) => Number(data[i * step]));
  const wrong = found.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return found;
  throw new FileError(
    `${path}: label ${found[wrong]} of sample ${wrong} is none of ${classes} classes`,
  );
}
