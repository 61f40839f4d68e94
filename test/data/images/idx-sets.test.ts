import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

function idx(shape: readonly number[], data: Uint8Array | readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, Buffer.from(data)]);
}

/** `count` images whose pixels count upwards, and these labels. */
async function writePair(
  folder: string,
  prefix: string,
  labels: readonly number[],
  { count = labels.length, side = 28, packed = false } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pixels = Uint8Array.from({ length: count * side * side }, (_, i) => i % 251);
  const put = (name: string, bytes: Buffer) =>
    writeFile(join(folder, packed ? `${name}.gz` : name), packed ? gzipSync(bytes) : bytes);
  await put(`${prefix}-images-idx3-ubyte`, idx([count, side, side], pixels));
  await put(`${prefix}-labels-idx1-ubyte`, idx([labels.length], labels));
}

describe('MNIST and its relatives', () => {
  it.each(['MNIST', 'FashionMNIST', 'KMNIST'])(
    '%s has its own folder, packed or not',
    async (type) => {
      const root = await temporaryFolder();
      await writePair(join(root, type, 'raw'), 'train', [3, 9], { packed: true });
      await writePair(join(root, type, 'raw'), 't10k', [1]);
      const source = datasets.build({ type, root });
      expect(source.input).toEqual({ dtype: 'float32', shape: [1, 28, 28] });
      expect(source.classes).toHaveLength(10);
      const train = (await source.load()) as ImageDataset;
      expect([...train.labels]).toEqual([3, 9]);
      expect([...train.images.subarray(784, 787)]).toEqual([784, 785, 786].map((i) => i % 251));
      const test = (await datasets.build({ type, root, split: 'test' }).load()) as ImageDataset;
      expect([...test.labels]).toEqual([1]);
    },
  );

  it('says how to get what is missing', async () => {
    const root = await temporaryFolder();
    await expect(datasets.build({ type: 'KMNIST', root }).load()).rejects.toThrow(
      /Kuzushiji-MNIST was not found in .*; fetch it with: torchts data fetch kmnist$/,
    );
    await writePair(root, 't10k', [1]);
    await expect(datasets.build({ type: 'KMNIST', root }).load()).rejects.toThrow(
      `${root} lacks train-images-idx3-ubyte; fetch it with: torchts data fetch kmnist`,
    );
  });

  it('refuses more than a file of its name can hold, before it is unpacked', async () => {
    const root = await temporaryFolder();
    await writePair(root, 'train', [1]);
    const header = idx([60_001, 28, 28], [1]);
    // As many packed bytes as would make the declared ones.
    const packed = gzipSync(Buffer.concat([header, randomBytes(60_000)]), { level: 0 });
    await rm(join(root, 'train-images-idx3-ubyte'));
    await writeFile(join(root, 'train-images-idx3-ubyte.gz'), packed);
    await expect(datasets.build({ type: 'MNIST', root }).load()).rejects.toThrow(
      'train-images-idx3-ubyte.gz: declares (60001, 28, 28), more than 47040016 bytes',
    );
  });

  it.each([
    ['other counts', [1, 2], { count: 3 }, 'holds (3, 28, 28), expected (2, 28, 28)'],
    ['another size', [1], { side: 27 }, 'holds (1, 27, 27), expected (1, 28, 28)'],
    ['a label that is no class', [1, 10], {}, 'label 10 of sample 1 is none of 10 classes'],
  ])('refuses %s', async (_, labels, options, message) => {
    const root = await temporaryFolder();
    await writePair(root, 'train', labels, options);
    const loaded = datasets.build({ type: 'MNIST', root }).load();
    await expect(loaded).rejects.toThrow(FileError);
    await expect(loaded).rejects.toThrow(message);
  });
});

describe('EMNIST', () => {
  it.each([
    ['byclass', 62, '9ABZabz'],
    ['bymerge', 47, '9ABZabt'],
    ['balanced', 47, '9ABZabt'],
    ['letters', 27, 'abz'],
    ['digits', 10, '09'],
    ['mnist', 10, '09'],
  ])('%s has %i classes, in the order of torchvision', (split, count, some) => {
    const { classes } = datasets.build({ type: 'EMNIST', split });
    expect(classes).toHaveLength(count);
    const places = [...some].map((name) => classes.indexOf(name));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('takes its split for the classes and train for the part', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'EMNIST', 'raw');
    await writePair(folder, 'emnist-letters-train', [1, 26], { packed: true });
    await writePair(folder, 'emnist-letters-test', [2], { packed: true });
    const labels = async (options: object) => {
      const source = datasets.build({ type: 'EMNIST', root, split: 'letters', ...options });
      const { labels, classes } = (await source.load()) as ImageDataset;
      return [...labels].map((label) => classes[label]);
    };
    expect(await labels({})).toEqual(['a', 'z']);
    expect(await labels({ train: false })).toEqual(['b']);
    expect(() => datasets.build({ type: 'EMNIST', root, split: 'train' })).toThrow('split');
  });
});
