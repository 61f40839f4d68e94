import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

/** An idx file of bytes (8) or of 32-bit integers (12). */
function idx(type: 8 | 12, shape: readonly number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.from([0, 0, type, shape.length]);
  const words = (numbers: ArrayLike<number>) => {
    const bytes = Buffer.alloc(4 * numbers.length);
    for (let i = 0; i < numbers.length; i++) bytes.writeInt32BE(numbers[i]!, 4 * i);
    return bytes;
  };
  const data = type === 8 ? Buffer.from(values as Uint8Array) : words(values);
  return Buffer.concat([header, words(shape), data]);
}

interface Files {
  readonly prefix?: string;
  readonly columns?: number;
  readonly packed?: boolean;
}

/** A pair of files with these classes, whose images are of one value, their place. */
async function writePair(root: string, classes: readonly number[], files: Files = {}) {
  const { prefix = 'qmnist-train', columns = 8, packed = false } = files;
  const folder = join(root, 'QMNIST', 'raw');
  await mkdir(folder, { recursive: true });
  const put = (name: string, bytes: Buffer) =>
    writeFile(join(folder, packed ? `${name}.gz` : name), packed ? gzipSync(bytes) : bytes);
  const pixels = Buffer.alloc(classes.length * 784);
  for (const i of classes.keys()) pixels.fill(i % 256, i * 784, (i + 1) * 784);
  const labels = classes.flatMap((label) => [label, 4, 3000, 12, 48, 7, 0, 0].slice(0, columns));
  await put(`${prefix}-images-idx3-ubyte`, idx(8, [classes.length, 28, 28], pixels));
  await put(`${prefix}-labels-idx2-int`, idx(12, [classes.length, columns], labels));
  return folder;
}

const load = async (options: object) =>
  (await datasets.build({ type: 'QMNIST', ...options }).load()) as ImageDataset;

describe('QMNIST', () => {
  it.each([true, false])('takes the class of labels of 8 columns, packed: %s', async (packed) => {
    const root = await temporaryFolder();
    await writePair(root, [7, 2, 9], { packed });
    const { labels, images, classes, input } = await load({ root });
    expect([...labels]).toEqual([7, 2, 9]);
    expect([images[0], images[784], images[2 * 784]]).toEqual([0, 1, 2]);
    expect(classes[7]).toBe('7 - seven');
    expect(input).toEqual({ dtype: 'float32', shape: [1, 28, 28] });
  });

  it("has MNIST's tests first, and the others after them", async () => {
    const root = await temporaryFolder();
    const classes = Array.from({ length: 10_003 }, (_, i) => i % 10);
    await writePair(root, classes, { prefix: 'qmnist-test' });
    const counts = { test: 10_003, test10k: 10_000, test50k: 3 };
    for (const [what, count] of Object.entries(counts)) {
      expect(await load({ root, what })).toHaveLength(count);
    }
    const { labels, images } = await load({ root, what: 'test50k' });
    expect([...labels]).toEqual([0, 1, 2]);
    expect(images[0]).toBe(10_000 % 256);
    expect(await load({ root, train: false })).toHaveLength(10_003);
  });

  it("reads NIST's digits once they are unpacked, and says how", async () => {
    const root = await temporaryFolder();
    const folder = await writePair(root, [1]);
    const missing = load({ root, what: 'nist' });
    await expect(missing).rejects.toThrow(FileError);
    await expect(missing).rejects.toThrow(
      'lacks xnist-images-idx3-ubyte; xnist-images-idx3-ubyte.xz is at https://github.com/face',
    );
    const packed = join(folder, 'xnist-images-idx3-ubyte.xz');
    await writeFile(packed, '');
    await expect(load({ root, what: 'nist' })).rejects.toThrow(`first: xz -dk ${packed}`);
    await writePair(root, [4], { prefix: 'xnist' });
    expect([...(await load({ root, what: 'nist' })).labels]).toEqual([4]);
  });

  it('refuses labels of another shape or class', async () => {
    const root = await temporaryFolder();
    await writePair(root, [1, 2], { columns: 7 });
    await expect(load({ root })).rejects.toThrow('idx2-int: holds (2, 7), expected (2, 8)');
    await writePair(root, [1, 10]);
    await expect(load({ root })).rejects.toThrow('label 10 of sample 1 is none of 10 classes');
    await writePair(root, [1, -1]);
    await expect(load({ root })).rejects.toThrow('label -1 of sample 1 is none of 10 classes');
  });
});
