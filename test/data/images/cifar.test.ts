import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { FileError } from '../../../src/base/errors.ts';
import { readCifar } from '../../../src/data/images/cifar.ts';
import { CIFAR10_LAYOUT } from '../../../src/data/images/cifar-format.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { DataLoader } from '../../../src/data/loading/loader.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const RECORD = 3073;

const readCifar10 = (folder: string, options: Parameters<typeof readCifar>[2]) =>
  readCifar(folder, CIFAR10_LAYOUT, options);

const SUBSET = fileURLToPath(new URL('../../../datasets/cifar10-subset', import.meta.url));

/** Files of blank records; those with `listed` go into a manifest that promises so many of them. */
async function writeFolder(
  folder: string,
  files: Record<string, { listed?: number; labels: number[]; cut?: number }>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const listed: Record<string, number> = {};
  for (const [name, { listed: records, labels, cut = 0 }] of Object.entries(files)) {
    const bytes = Buffer.alloc(labels.length * RECORD, 200);
    for (const [i, label] of labels.entries()) bytes[i * RECORD] = label;
    await writeFile(join(folder, name), bytes.subarray(0, bytes.length - cut));
    if (records !== undefined) listed[name] = records;
  }
  if (Object.keys(listed).length > 0) {
    const manifest = { description: 'for a test', files: listed };
    await writeFile(join(folder, 'subset.json'), JSON.stringify(manifest));
  }
  return folder;
}

describe('the subset that comes with torchts', () => {
  it('begins like CIFAR-10: test image 0 is a cat, training image 0 a frog', () => {
    const train = readCifar10(SUBSET, { split: 'train' });
    const test = readCifar10(SUBSET, { split: 'test' });
    expect([train.labels.length, test.labels.length]).toEqual([1000, 250]);
    expect([train.images.length, test.images.length]).toEqual([1000 * 3072, 250 * 3072]);
    expect(train.classes[train.labels[0]!]).toBe('frog');
    expect(test.classes[test.labels[0]!]).toBe('cat');
    // The first pixels' red, green and blue, as every reader of CIFAR-10 shows them.
    expect([0, 1024, 2048].map((plane) => train.images[plane])).toEqual([59, 62, 63]);
    expect([0, 1024, 2048].map((plane) => test.images[plane])).toEqual([158, 112, 49]);
  });

  it('has as many images of each class', () => {
    for (const [split, each] of [
      ['train', 100],
      ['test', 25],
    ] as const) {
      const { labels } = readCifar10(SUBSET, { split });
      const counts = new Array<number>(10).fill(0);
      for (const label of labels) counts[label]!++;
      expect(counts).toEqual(new Array(10).fill(each));
    }
  });

  it('is built from a spec, whatever the current directory, and feeds a loader', async () => {
    const folder = await temporaryFolder();
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(folder);
    onTestFinished(() => cwd.mockRestore());
    const normalize = { type: 'Normalize', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    const source = datasets.build({
      type: 'CIFAR10',
      root: 'datasets/cifar10-subset',
      split: 'test',
      transforms: ['ToTensor', normalize],
      limit: 6,
    });
    expect(source.input).toEqual({ dtype: 'float32', shape: [3, 32, 32] });
    expect(source.target).toEqual({ dtype: 'int64', shape: [] });
    const dataset = await source.load();
    expect(dataset.length).toBe(6);
    const engine = referenceEngine();
    const [batch] = new DataLoader({ dataset, engine, batch_size: 4 }).epoch(0);
    const pixels = engine.readSync(batch!.inputs);
    expect(pixels[0]).toBe(Math.fround((Math.fround(158 / 255) - 0.5) / 0.5));
    expect(engine.readSync(batch!.targets)[0]).toBe(3n);
  });
});

describe('readCifar10', () => {
  it('numbers the samples through the files, and stops at the limit', async () => {
    const folder = await writeFolder(join(await temporaryFolder(), 'part'), {
      'data_batch_3.bin': { listed: 2, labels: [4, 5] },
      'data_batch_1.bin': { listed: 3, labels: [1, 2, 3] },
    });
    const labels = (limit?: number) => [...readCifar10(folder, { split: 'train', limit }).labels];
    expect(labels()).toEqual([1, 2, 3, 4, 5]);
    expect(labels(4)).toEqual([1, 2, 3, 4]);
    expect(labels(2)).toEqual([1, 2]);
    expect(labels(99)).toHaveLength(5);
    expect(() => readCifar10(folder, { split: 'test' })).toThrow('holds no samples of the test');
  });

  const cases: [string, Parameters<typeof writeFolder>[1], string][] = [
    [
      'a cut record, with its place',
      { 'data_batch_1.bin': { listed: 3, labels: [0, 1, 2], cut: 10 } },
      'data_batch_1.bin: has 9209 bytes, expected 9219 (3 records of 3073 bytes); record 2, which begins at byte 6146, is cut off',
    ],
    [
      'too few records',
      { 'data_batch_1.bin': { listed: 3, labels: [0, 1] } },
      'has 6146 bytes, expected 9219 (3 records of 3073 bytes); it holds 2 records',
    ],
    [
      'too many records',
      { 'data_batch_1.bin': { listed: 1, labels: [0, 1] } },
      'expected 3073 (1 records of 3073 bytes); it holds 2 records',
    ],
    [
      'a label above 9, with its place',
      { 'data_batch_1.bin': { listed: 3, labels: [0, 1, 10] } },
      'data_batch_1.bin: byte 6146 (record 2) is label 10, but labels are 0 to 9',
    ],
    [
      'a folder without a manifest that is not the whole set',
      { 'data_batch_1.bin': { labels: [0, 1] } },
      'data_batch_1.bin: has 6146 bytes, expected 30730000',
    ],
    [
      'a folder without a manifest that lacks training files',
      { 'test_batch.bin': { labels: [0] } },
      'lacks data_batch_1.bin; fetch it with: torchts data fetch cifar10',
    ],
  ];
  it.each(cases)('refuses %s', async (_, files, message) => {
    const folder = await writeFolder(join(await temporaryFolder(), 'cifar-10-batches-bin'), files);
    const read = () => readCifar10(folder, { split: 'train' });
    expect(read).toThrow(FileError);
    expect(read).toThrow(message);
  });

  it('refuses a folder that is not whole, even where the limit needs less of it', async () => {
    const folder = await writeFolder(join(await temporaryFolder(), 'part'), {
      'data_batch_1.bin': { listed: 1, labels: [0] },
      'data_batch_2.bin': { listed: 1, labels: [0], cut: 1 },
    });
    const read = () => readCifar10(folder, { split: 'train', limit: 1 });
    expect(read).toThrow('data_batch_2.bin: has 3072 bytes');
  });

  it.each([
    ['not JSON', '{'],
    ['of an unknown file', '{"description":"","files":{"../x":1}}'],
    ['of no records', '{"description":"","files":{"test_batch.bin":0}}'],
  ])('refuses a manifest that is %s', async (_, text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'subset.json'), text);
    expect(() => readCifar10(folder, { split: 'train' })).toThrow(FileError);
    expect(() => readCifar10(folder, { split: 'train' })).toThrow('is not a manifest of a subset');
  });
});

describe('the CIFAR10 spec', () => {
  it('needs transforms that fit before anything is read', () => {
    const transforms = ['ToTensor', { type: 'Normalize', mean: [0.5, 0.5], std: [0.5, 0.5] }];
    expect(() => datasets.build({ type: 'CIFAR10', root: 'nowhere', transforms })).toThrow(
      BuildError,
    );
  });

  it.each([
    [{ split: 'val' }, 'split'],
    [{ limit: 0 }, 'limit'],
    [{ transforms: ['ToTensr'] }, 'did you mean "ToTensor"'],
    [{ rot: 'datasets' }, 'did you mean "root"'],
  ])('refuses %j', (options, message) => {
    expect(() => datasets.build({ type: 'CIFAR10', ...options })).toThrow(message);
  });
});

describe('CIFAR100', () => {
  it('takes the fine or the coarse label', async () => {
    const root = await temporaryFolder();
    // A seal, which is an aquatic mammal, and a worm.
    const bytes = Buffer.alloc(2 * 3074, 7);
    bytes.set([0, 72]);
    bytes.set([13, 99], 3074);
    await writeFile(join(root, 'train.bin'), bytes);
    const manifest = { description: 'two images', files: { 'train.bin': 2 } };
    await writeFile(join(root, 'subset.json'), JSON.stringify(manifest));
    const names = async (options: object) => {
      const source = datasets.build({ type: 'CIFAR100', root, ...options });
      const { labels, classes, images } = (await source.load()) as ImageDataset;
      expect(images.every((byte) => byte === 7)).toBe(true);
      return [...labels].map((label) => classes[label]);
    };
    expect(await names({})).toEqual(['seal', 'worm']);
    expect(await names({ labels: 'coarse' })).toEqual([
      'aquatic_mammals',
      'non-insect_invertebrates',
    ]);
    bytes[3074] = 20;
    await writeFile(join(root, 'train.bin'), bytes);
    await expect(names({ labels: 'coarse' })).rejects.toThrow(
      'train.bin: byte 3074 (record 1) is label 20, but labels are 0 to 19',
    );
  });

  it('has 100 classes in 20, and says how to get it', async () => {
    const root = await temporaryFolder();
    const fine = datasets.build({ type: 'CIFAR100', root });
    expect(new Set(fine.classes).size).toBe(100);
    const { classes } = datasets.build({ type: 'CIFAR100', root, labels: 'coarse' });
    expect(new Set(classes).size).toBe(20);
    await expect(fine.load()).rejects.toThrow('fetch it with: torchts data fetch cifar100');
  });
});
