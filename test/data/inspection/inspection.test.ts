import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { datasets, ImageDataset, TensorDataset, transforms } from '../../../src/data/index.ts';
import { writeContactSheet } from '../../../src/data/inspection/contact-sheet.ts';
import { statistics } from '../../../src/data/inspection/statistics.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const pipeline = ['ToTensor', { type: 'Normalize', mean: [0.5], std: [0.25] }];

/** Images of 1 x 1 x 2. */
function images(bytes: number[], labels: number[]): ImageDataset {
  const data = {
    classes: ['a<b', 'c', 'none'],
    channels: 1,
    height: 1,
    width: 2,
    images: Uint8Array.from(bytes),
    labels: Int32Array.from(labels),
  };
  return new ImageDataset(
    data,
    pipeline.map((spec) => transforms.build(spec)),
  );
}

describe('statistics', () => {
  it('are those of the pixels after ToTensor, and find what comes twice or shows nothing', () => {
    const { channels, duplicates, blank } = statistics(
      images([0, 255, 51, 51, 0, 255, 255, 0], [0, 1, 1, 0]),
      cpuEngine(),
    );
    const values = [0, 1, 0.2, 0.2, 0, 1, 1, 0];
    const mean = values.reduce((sum, value) => sum + value) / 8;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8;
    expect(channels).toHaveLength(1);
    expect(channels![0]!.mean).toBeCloseTo(mean, 12);
    expect(channels![0]!.std).toBeCloseTo(Math.sqrt(variance), 12);
    expect(channels![0]).toMatchObject({ min: 0, max: 1, missing: 0 });
    expect([duplicates, blank]).toEqual([1, 1]);
  });

  it('take each image by its own size, where sizes differ', () => {
    const data = {
      ...{ classes: ['a'], channels: 1, height: 2, width: 2, labels: new Int32Array(2) },
      images: Uint8Array.of(51, 51, 0, 255, 255, 0),
      sizes: Int32Array.of(1, 2, 2, 2),
    };
    const crop = { type: 'RandomResizedCrop', size: 1 };
    const dataset = new ImageDataset(
      data,
      [crop, ...pipeline].map((spec) => transforms.build(spec)),
    );
    const { channels, duplicates, blank } = statistics(dataset, cpuEngine());
    expect(channels![0]!.mean).toBeCloseTo((2 * 0.2 + 2) / 6, 12);
    expect([duplicates, blank]).toEqual([0, 1]);
  });

  it('are those of every number of a table, but for those that are missing', () => {
    const description = {
      input: { dtype: 'float32', shape: [2] },
      target: { dtype: 'float32', shape: [1] },
      classes: [],
    } as const;
    const inputs = new Float32Array([1, 5, 2, Number.NaN, 6, 7]);
    const rows = { inputs, targets: new Float32Array(3) };
    const { features } = statistics(new TensorDataset(3, description, rows), cpuEngine());
    expect(features).toMatchObject([
      { mean: 3, std: Math.sqrt(14 / 3), min: 1, max: 6, missing: 0 },
      { mean: 6, std: 1, min: 5, max: 7, missing: 1 },
    ]);
  });

  const of = async (spec: object) =>
    statistics(await datasets.build({ ...spec }).load(), cpuEngine());

  it('name the columns of a table, of its file and as the model gets them', async () => {
    const path = join(await temporaryFolder(), 'pets.csv');
    await writeFile(path, 'kind,weight,sex,age\ncat,4,f,1\ndog,NA,m,2\ncat,6,,3\ncat,5,f,7\n');
    const spec = { type: 'CSVDataset', path, target: 'age', exclude: ['kind'] };
    const { columns, features, targets } = await of({
      ...spec,
      transforms: ['SimpleImputer', 'StandardScaler', 'OneHotEncoder'],
    });
    expect(columns).toEqual([
      { name: 'weight', mean: 5, std: Math.sqrt(2 / 3), min: 4, max: 6, missing: 1 },
      {
        ...{ name: 'sex', distinct: 2, missing: 1 },
        words: [
          { word: 'f', count: 2 },
          { word: 'm', count: 1 },
        ],
      },
      expect.objectContaining({ name: 'age', max: 7 }),
    ]);
    expect(features!.map(({ name }) => name)).toEqual(['weight', 'sex=', 'sex=f', 'sex=m']);
    expect(features![0]!.std).toBeCloseTo(1, 6);
    expect(targets).toMatchObject([{ name: 'age', mean: 3.25, min: 1, max: 7 }]);
    const part = { type: 'Subset', dataset: { ...spec, features: ['age'] }, indices: [0, 3] };
    expect((await of(part)).features).toMatchObject([{ min: 1, max: 7 }]);
  });

  it('are by channel where images come from another set, and of tokens their range', async () => {
    const dataset = { type: 'FakeData', size: 3, image_size: [3, 4, 4] };
    const { values, targets } = await of({ type: 'Reconstruction', dataset });
    const { channels } = await of(dataset);
    expect(values).toHaveLength(3);
    for (const [i, { mean, std }] of values!.entries()) {
      expect(mean).toBeCloseTo(channels![i]!.mean, 6);
      expect(std).toBeCloseTo(channels![i]!.std, 6);
    }
    expect(targets).toBeUndefined();
    const { tokens, ...rest } = await of({
      type: 'FakeTokens',
      length: 50,
      vocab_size: 4,
      size: 9,
    });
    expect(tokens).toEqual({ min: 0, max: 3, distinct: 4 });
    expect(rest).toEqual({});
  });

  it('say how long samples are, where that varies', () => {
    const description = {
      input: { dtype: 'int64', shape: [3], varies: true },
      target: { dtype: 'int64', shape: [] },
      classes: ['a'],
    } as const;
    const rows = {
      inputs: BigInt64Array.of(5n, 0n, 0n, 6n, 7n, 9n),
      targets: new BigInt64Array(2),
      lengths: Int32Array.of(1, 3),
    };
    expect(statistics(new TensorDataset(2, description, rows), cpuEngine())).toEqual({
      lengths: { mean: 2, std: 1, min: 1, max: 3, missing: 0 },
      tokens: { min: 0, max: 9, distinct: 5 },
    });
  });
});

describe('a contact sheet', () => {
  it.each([
    ['as they are stored', false],
    ['as the model gets them', true],
  ])('shows images in the row of their class, %s', async (_, augmented) => {
    const file = join(await temporaryFolder(), 'sheet.png');
    const dataset = images([0, 255, 255, 0, 0, 255], [1, 0, 1]);
    await writeContactSheet(file, dataset, cpuEngine(), { augmented });
    const png = PNG.sync.read(await readFile(file));
    const at = (x: number, y: number) => png.data[(y * png.width + x) * 4]!;
    // Cells of 72 beside labels of 160, 4 apart; an image is twice as wide as high.
    const cell = (column: number, row: number) => {
      const [left, middle] = [164 + column * 76, 4 + row * 76 + 36];
      return [at(left + 18, middle), at(left + 54, middle)];
    };
    expect([cell(0, 0), cell(0, 1), cell(1, 1)]).toEqual([
      [255, 0],
      [0, 255],
      [0, 255],
    ]);
    expect(cell(1, 0)).toEqual([255, 255]);
  });

  it('is not made of other samples, nor where there is no folder', async () => {
    const tokens = { type: 'FakeTokens', length: 3, vocab_size: 4, size: 5 };
    const dataset = await datasets.build(tokens).load();
    const write = (of: typeof dataset, file: string) => writeContactSheet(file, of, cpuEngine());
    await expect(write(dataset, 'x.png')).rejects.toThrow(/shows images with classes/);
    await expect(write(images([0, 1], [0]), '/nowhere/x.png')).rejects.toThrow(
      'there is no folder /nowhere',
    );
  });
});
