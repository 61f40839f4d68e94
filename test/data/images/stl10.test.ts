import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError } from '../../../src/base/errors.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const AREA = 96 * 96;
const BYTES = 3 * AREA;

/** Images that begin with their place; the red pixel of row 2, column 5 is 200. */
function images(count: number): Buffer {
  const bytes = Buffer.alloc(count * BYTES);
  for (let i = 0; i < count; i++) {
    bytes[i * BYTES] = i + 1;
    // Columns lie together.
    bytes[i * BYTES + 5 * 96 + 2] = 200;
  }
  return bytes;
}

async function writeSet(files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const root = await temporaryFolder();
  await mkdir(join(root, 'stl10_binary'));
  const all = {
    'train_X.bin': images(3),
    'train_y.bin': Uint8Array.of(1, 10, 3),
    'test_X.bin': images(1),
    'test_y.bin': Uint8Array.of(2),
    'unlabeled_X.bin': images(2),
    'fold_indices.txt': '2 0 \n1 \n',
    ...files,
  };
  for (const [name, bytes] of Object.entries(all)) {
    await writeFile(join(root, 'stl10_binary', name), bytes);
  }
  return root;
}

const load = async (options: object) =>
  (await datasets.build({ type: 'STL10', ...options }).load()) as ImageDataset;

const firsts = ({ images, length }: ImageDataset) =>
  Array.from({ length }, (_, i) => images[i * BYTES]);

describe('STL10', () => {
  it('reads images whose columns lie together, and labels from 1 on', async () => {
    const root = await writeSet();
    const set = await load({ root });
    expect(set.input).toEqual({ dtype: 'float32', shape: [3, 96, 96] });
    expect(Array.from(set.labels, (label) => set.classes[label])).toEqual([
      'airplane',
      'truck',
      'car',
    ]);
    expect(firsts(set)).toEqual([1, 2, 3]);
    expect(set.images[2 * 96 + 5]).toBe(200);
    expect(set.images[5 * 96 + 2]).toBe(0);
    expect([...(await load({ root, split: 'test' })).labels]).toEqual([1]);
  });

  it('has an eleventh class for images without a label', async () => {
    const root = await writeSet();
    const unlabeled = await load({ root, split: 'unlabeled' });
    expect([...unlabeled.labels]).toEqual([10, 10]);
    expect(unlabeled.classes[10]).toBe('unlabeled');
    const both = await load({ root, split: 'train+unlabeled' });
    expect([...both.labels]).toEqual([0, 9, 2, 10, 10]);
    expect(firsts(both)).toEqual([1, 2, 3, 1, 2]);
    const some = await load({ root, split: 'train+unlabeled', limit: 4 });
    expect(firsts(some)).toEqual([1, 2, 3, 1]);
  });

  it('takes the samples of a fold, in its order', async () => {
    const root = await writeSet();
    const fold = await load({ root, folds: 0 });
    expect(firsts(fold)).toEqual([3, 1]);
    expect([...fold.labels]).toEqual([2, 0]);
    const both = await load({ root, folds: 1, split: 'train+unlabeled' });
    expect([...both.labels]).toEqual([9, 10, 10]);
    expect(firsts(await load({ root, folds: 0, limit: 1 }))).toEqual([3]);
    await expect(load({ root, folds: 2 })).rejects.toThrow('has no line for fold 2');
    expect(() => datasets.build({ type: 'STL10', root, folds: 0, split: 'test' })).toThrow(
      new ConfigError('[STL10] folds are parts of the split train, not of test'),
    );
  });

  it.each([
    ['half an image', { 'train_X.bin': images(1).subarray(7) }, 'train_X.bin: has 27641 bytes'],
    ['no image', { 'train_X.bin': '' }, 'train_X.bin: has 0 bytes, which is no whole number'],
    ['other counts', { 'train_y.bin': 'ab' }, 'train_y.bin: has 2 labels, but there are 3 images'],
    ['a label of 0', { 'train_y.bin': Uint8Array.of(1, 0, 1) }, 'label 0 of sample 1 is none of'],
    ['a label of 11', { 'train_y.bin': Uint8Array.of(1, 1, 11) }, 'label 11 of sample 2 is none'],
    ['a place too high', { 'fold_indices.txt': '0 3' }, '"3" in fold 0 is no place among 3 images'],
    ['no place', { 'fold_indices.txt': '0 -1' }, '"-1" in fold 0 is no place among 3'],
    ['a fold of other bytes', { 'fold_indices.txt': '\0\u00ff' }, 'in fold 0 is no place'],
    ['too many folds', { 'fold_indices.txt': '0 '.repeat(2 ** 20) }, 'it has 2097152 bytes, more'],
  ])('refuses %s', async (_, files, message) => {
    const root = await writeSet(files);
    const loaded = load({ root, folds: 0 });
    await expect(loaded).rejects.toThrow(FileError);
    await expect(loaded).rejects.toThrow(message);
  });

  it('says how to get what is missing', async () => {
    const root = await writeSet();
    await rm(join(root, 'stl10_binary', 'unlabeled_X.bin'));
    await expect(load({ root, split: 'unlabeled' })).rejects.toThrow(
      'lacks unlabeled_X.bin; fetch it with: torchts data fetch stl10',
    );
  });
});
