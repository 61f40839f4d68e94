import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import {
  CIFAR10_LAYOUT,
  CIFAR100_LAYOUTS,
  type CifarLayout,
  IMAGE_BYTES,
} from '../../../src/data/images/cifar-format.ts';
import { readPickledRecords } from '../../../src/data/images/cifar-python.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/cifar/', import.meta.url));
const expected = JSON.parse(await readFile(join(FIXTURES, 'expected.json'), 'utf8'));

function read(
  name: string,
  { layout = CIFAR10_LAYOUT, records = 2, count = records, folder = FIXTURES } = {} as {
    layout?: CifarLayout;
    records?: number;
    count?: number;
    folder?: string;
  },
) {
  const images = new Uint8Array((1 + count) * IMAGE_BYTES);
  const labels = new Int32Array(1 + count);
  const target = { images, labels, start: 1, count };
  readPickledRecords(folder, { name, records, split: 'test' }, layout, target);
  return { images: images.subarray(IMAGE_BYTES), labels: [...labels.subarray(1)] };
}

const { fine, coarse } = CIFAR100_LAYOUTS;

describe('a file of the Python version', () => {
  it.each([
    ['cifar10', CIFAR10_LAYOUT, 'labels'],
    ['cifar100', fine, 'fine_labels'],
    ['cifar100', coarse, 'coarse_labels'],
    ['columns', CIFAR10_LAYOUT, 'labels'],
    ['newer', CIFAR10_LAYOUT, 'labels'],
  ])('is read as Python does: %s', (name, layout, key) => {
    const { images, labels } = read(name, { layout });
    expect(labels).toEqual(expected[name][key]);
    expect(images.reduce((sum, byte, i) => sum + byte * (i + 1), 0)).toBe(expected[name].sum);
  });

  it('gives its first records', () => {
    const [one, all] = [read('cifar10', { count: 1 }), read('cifar10')];
    expect(one.labels).toEqual(all.labels.slice(0, 1));
    expect(one.images).toEqual(all.images.slice(0, IMAGE_BYTES));
  });

  it.each([
    ['refused-evil', 1, 'it asks for __builtin__.print, which is no part of plain arrays'],
    ['refused-floats', 1, 'an array is of f4, not of bytes (u1)'],
    ['refused-shape', 1, 'data is (1, 32, 32, 3), expected (1, 3072)'],
    ['refused-images', 1, 'labels has 2 labels, but there are 1 images'],
    ['refused-labels', 2, 'labels has 1 labels, but there are 2 images'],
    ['refused-class', 2, 'labels[1] is 10, but labels are 0 to 9'],
    ['refused-negative', 2, 'labels[0] is -1, but labels are 0 to 9'],
    ['refused-words', 2, 'labels[1] is no number, but labels are 0 to 9'],
    ['refused-array', 2, 'has no list "labels"'],
    ['refused-list', 2, 'holds no dictionary'],
    ['refused-nothing', 2, 'has no array of bytes "data"'],
    ['cifar10', 3, 'data is (2, 3072), expected (3, 3072)'],
    ['cifar100', 2, 'has no list "labels"'],
  ])('is refused: %s of %d records', (name, records, message) => {
    let error: unknown;
    try {
      read(name, { records });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(join(FIXTURES, name));
    expect((error as Error).message).not.toContain('\n');
  });

  it('is refused in one line, whatever names it has', async () => {
    const folder = await temporaryFolder();
    const bytes = Buffer.from('\x80\x02cnumpy\ndtype\nU\x05f\n\x1b[4\x85R.', 'latin1');
    await writeFile(join(folder, 'test_batch'), bytes);
    const message = `${folder}/test_batch: byte 24 of the pickle: an array is of f [4, not of bytes (u1)`;
    expect(() => read('test_batch', { folder })).toThrow(new FileError(message));
  });

  it.each([
    ['of bytes', Buffer.alloc(2 ** 20), 'it has 1048576 bytes, more than'],
    [
      'of values',
      Buffer.from(`\x80\x02](${')'.repeat(3000)}e.`, 'latin1'),
      'its values are too many',
    ],
  ])('is refused where it has too many %s', async (_, bytes, message) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'test_batch'), bytes);
    expect(() => read('test_batch', { folder })).toThrow(message);
  });
});

const string = (text: string) =>
  Buffer.concat([Buffer.from('U'), Buffer.of(text.length), Buffer.from(text)]);

/** A list of numbers below 256. */
const list = (numbers: readonly number[]) =>
  Buffer.from(`](${numbers.map((n) => `K${String.fromCharCode(n)}`).join('')}e`, 'latin1');

/** A whole file of images whose bytes are their class, as Python 2 pickles it. */
function pickled(lists: Record<string, readonly number[]>): Buffer {
  const [classes] = Object.values(lists);
  const records = classes!.length;
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(records);
  numbers.writeUInt32LE(records * IMAGE_BYTES, 4);
  const pixels = Buffer.alloc(records * IMAGE_BYTES);
  for (const [i, label] of classes!.entries()) {
    pixels.fill(label, i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES);
  }
  return Buffer.concat([
    Buffer.from('\x80\x02}(', 'latin1'),
    string('data'),
    Buffer.from(
      'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01',
      'latin1',
    ),
    Buffer.from('J'),
    numbers.subarray(0, 4),
    Buffer.from(
      'M\0\x0c\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNK\0K\0K\0tb\x89T',
      'latin1',
    ),
    numbers.subarray(4),
    pixels,
    Buffer.from('tb'),
    ...Object.entries(lists).flatMap(([key, labels]) => [string(key), list(labels)]),
    Buffer.from('u.'),
  ]);
}

const cycle = (classes: number) => Array.from({ length: 10_000 }, (_, i) => i % classes);

async function load(options: { type: string; root: string; labels?: string; limit?: number }) {
  return (await datasets.build({ split: 'test', ...options }).load()) as ImageDataset;
}

describe('CIFAR10 and CIFAR100', () => {
  it('take the folders that torchvision downloads', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'cifar-10-batches-py');
    await mkdir(folder);
    await writeFile(join(folder, 'test_batch'), pickled({ labels: cycle(10) }));
    for (const at of [root, folder]) {
      const { length, labels, images, classes } = await load({ type: 'CIFAR10', root: at });
      expect([length, images.length, classes[9]]).toEqual([10_000, 10_000 * IMAGE_BYTES, 'truck']);
      expect([...labels.subarray(-2), ...images.subarray(-1)]).toEqual([8, 9, 9]);
    }
    await expect(datasets.build({ type: 'CIFAR10', root }).load()).rejects.toThrow(
      `${folder} lacks data_batch_1; fetch it with: torchts data fetch cifar10 (into the cache, which is looked in after ${folder})`,
    );
    expect((await load({ type: 'CIFAR10', root, limit: 3 })).length).toBe(3);
    // A binary version beside it comes first.
    const binary = join(root, 'cifar-10-batches-bin');
    await mkdir(binary);
    await writeFile(join(binary, 'test_batch.bin'), Buffer.alloc(10_000 * 3073, 5));
    expect((await load({ type: 'CIFAR10', root })).labels[0]).toBe(5);
  });

  it('take the fine or the coarse labels', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'cifar-100-python');
    await mkdir(folder);
    const lists = { fine_labels: cycle(100), coarse_labels: cycle(20) };
    await writeFile(join(folder, 'test'), pickled(lists));
    const names = async (labels: string) => {
      const set = await load({ type: 'CIFAR100', root, labels });
      return [19, 20].map((i) => set.classes[set.labels[i]!]);
    };
    expect(await names('fine')).toEqual(['cattle', 'chair']);
    expect(await names('coarse')).toEqual(['vehicles_2', 'aquatic_mammals']);
  });

  it('do not take folders called train and test for files', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'train'));
    await expect(load({ type: 'CIFAR100', root })).rejects.toThrow(
      /was not found in .*cifar-100-binary, .*cifar-100-python, .*fetch it with/,
    );
  });
});
