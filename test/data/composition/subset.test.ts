import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { provideUserType } from '../../../src/base/user-code.ts';
import { DataLoader, type Dataset, datasets } from '../../../src/data/index.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

/** Sample i is i, of class i % 3; every tenth of them is of class 2. */
provideUserType('/subset.ts#Numbers', {
  length: 30,
  input: { dtype: 'float32', shape: [1] },
  target: { dtype: 'int64', shape: [] },
  classes: ['zero', 'one', 'two'],
  get: (i: number) => [i, i % 10 === 0 ? 2 : i % 2],
});

const subset = (options: object) =>
  datasets.build({ type: 'Subset', dataset: '/subset.ts#Numbers', ...options }).load();

function samples(dataset: Dataset): number[] {
  const engine = cpuEngine();
  using loader = new DataLoader({ dataset, engine, batch_size: 7 });
  return [...loader.epoch(0)].flatMap(({ inputs }) => Array.from(engine.readSync(inputs), Number));
}

describe('Subset', () => {
  it('takes the indices, in their order', async () => {
    const dataset = await subset({ indices: [4, 20, 4] });
    expect(samples(dataset)).toEqual([4, 20, 4]);
    expect([...dataset.labels!]).toEqual([0, 2, 0]);
  });

  it.each([
    ['a.txt', '3 5\n7\n'],
    ['a.json', '[3, 5, 7]'],
  ])('reads them from %s', async (name, text) => {
    const path = join(await temporaryFolder(), name);
    await writeFile(path, text);
    expect(samples(await subset({ indices: path }))).toEqual([3, 5, 7]);
  });

  it('takes classes and the first few of each', async () => {
    expect(samples(await subset({ classes: ['two'] }))).toEqual([0, 10, 20]);
    expect(samples(await subset({ limit_per_class: 2 }))).toEqual([0, 1, 2, 3, 4, 10]);
    expect(samples(await subset({ limit_per_class: 2, limit: 3 }))).toEqual([0, 1, 2]);
    expect(samples(await subset({ classes: ['one', 'two'], limit: 3 }))).toEqual([0, 1, 3]);
  });

  it('splits into parts that have no sample in common', async () => {
    const part = { test_size: 0.3, random_state: 5 };
    const [train, test] = await Promise.all([
      subset({ ...part, split: 'train' }),
      subset({ ...part, split: 'test' }),
    ]);
    expect([train.length, test.length]).toEqual([21, 9]);
    const all = [...samples(train), ...samples(test)].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(samples(await subset({ ...part, split: 'test', random_state: 6 }))).not.toEqual(
      samples(test),
    );
  });

  it('holds back the same part of each class when it is stratified', async () => {
    const test = await subset({ split: 'test', test_size: 1 / 3, stratify: true });
    const counts = [0, 1, 2].map((label) => test.labels!.filter((own) => own === label).length);
    expect(counts).toEqual([4, 5, 1]);
  });

  it('leaves images out of memory, and moves them as a set of their own', async () => {
    const images = { type: 'FakeData', size: 20, image_size: [1, 2, 2], num_classes: 2 };
    const dataset = await datasets
      .build({ type: 'Subset', dataset: images, indices: [3, 9] })
      .load();
    const whole = await datasets.build(images).load();
    const all = samples(whole);
    expect(dataset).toMatchObject({ length: 2, images: { length: 8 } });
    expect(samples(dataset)).toEqual([...all.slice(12, 16), ...all.slice(36, 40)]);
  });

  it.each([
    [{ indices: [3, 30] }, ['indices'], 'item 1 is 30, which is none of the 30 samples'],
    [{ classes: ['two'], indices: [1, 3] }, ['classes'], 'no sample is of these classes'],
  ])('says where it is wrong: %j', async (options, path, message) => {
    await expect(subset(options)).rejects.toMatchObject({ path, message });
  });

  it('knows no other classes, and none of sets without', async () => {
    const wrong = () => datasets.build({ type: 'Subset', dataset: 'X', classes: ['tow'] });
    expect(wrong).toThrow(/unknown data set "X"/);
    expect(() => subset({ classes: ['tow'] })).toThrow(
      'there is no class "tow"; did you mean "two"?',
    );
    const tokens = { type: 'FakeTokens', length: 2, vocab_size: 5, size: 4 };
    const options = { type: 'Subset', dataset: tokens, split: 'test', stratify: true };
    await expect(datasets.build(options).load()).rejects.toMatchObject({ path: ['stratify'] });
  });

  it.each([
    ['a.json', '[3, "x"]', /item 1 is "x", which is no number/],
    ['a.json', '{}', /must hold a list of numbers/],
    ['a.json', '[3', /is no JSON/],
    ['a.txt', '3\n-1', /item 1 is -1, which is none of the 30 samples/],
    ['a.txt', '3\n1.5', /item 1 is 1.5, which is none of the 30 samples/],
  ])('refuses a file that holds something else: %s %s', async (name, text, message) => {
    const path = join(await temporaryFolder(), name);
    await writeFile(path, text);
    await expect(subset({ indices: path })).rejects.toThrow(message);
  });
});
