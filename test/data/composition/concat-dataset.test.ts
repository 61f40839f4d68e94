import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { provideUserType } from '../../../src/base/user-code.ts';
import {
  concatDatasets,
  DataLoader,
  type Dataset,
  datasets,
  subset,
} from '../../../src/data/index.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';

const FLIP = [{ type: 'RandomHorizontalFlip', p: 1 }, 'ToTensor'];
const fake = (size: number, more = {}) => ({
  type: 'FakeData',
  size,
  image_size: [1, 2, 3],
  num_classes: 3,
  ...more,
});

/** Images that move in the engine, that are changed by ops, that are of another size, and plain. */
const MIXED = [
  fake(5, {
    transforms: [
      { type: 'RandomCrop', size: [2, 3], padding: 1 },
      'RandomHorizontalFlip',
      'ToTensor',
    ],
  }),
  fake(4, {
    transforms: [
      { type: 'ColorJitter', brightness: 0.5 },
      'ToTensor',
      { type: 'RandomErasing', p: 0.5 },
    ],
  }),
  fake(3, {
    image_size: [1, 4, 6],
    transforms: [{ type: 'RandomCrop', size: [2, 3] }, 'ToTensor'],
  }),
  fake(2),
];

/** What each part makes of its own samples, read one by one. */
function ownSamples(
  parts: readonly Dataset[],
  indices: Int32Array,
  { engine, epoch, seed }: { engine: ReturnType<typeof cpuEngine>; epoch: number; seed: number },
) {
  const one = { inputs: engine.allocate('float32', 6), targets: engine.allocate('int64', 1) };
  const found = { inputs: [] as number[], targets: [] as number[] };
  for (const index of indices) {
    let own = index;
    let part = 0;
    for (; own >= parts[part]!.length; part++) own -= parts[part]!.length;
    const reader = parts[part]!.open(engine, { seed });
    reader.read({ indices: Int32Array.of(own), epoch, ...one });
    found.inputs.push(...Array.from(engine.readSync(one.inputs), Number));
    found.targets.push(...Array.from(engine.readSync(one.targets), Number));
    reader.dispose();
  }
  return found;
}

provideUserType('/mine.ts#Squares', {
  length: 4,
  input: { dtype: 'float32', shape: [1, 2, 3] },
  target: { dtype: 'int64', shape: [] },
  classes: ['0', '1', '2'],
  get: (i: number) => [new Array(6).fill(i * i), i % 3],
});

/** All samples in order, in batches of 4. */
function rows(dataset: Dataset, engine = cpuEngine(), batch_size = 4) {
  using loader = new DataLoader({ dataset, engine, batch_size });
  const inputs: number[] = [];
  const targets: number[] = [];
  for (const batch of loader.epoch(0)) {
    inputs.push(...Array.from(engine.readSync(batch.inputs), Number));
    targets.push(...Array.from(engine.readSync(batch.targets), Number));
  }
  return { inputs, targets };
}

const load = (...parts: unknown[]) =>
  datasets.build({ type: 'ConcatDataset', datasets: parts }).load();

const both = (parts: { inputs: number[]; targets: number[] }[]) => ({
  inputs: parts.flatMap(({ inputs }) => inputs),
  targets: parts.flatMap(({ targets }) => targets),
});

describe('ConcatDataset', () => {
  const kinds: [string, unknown[], string][] = [
    ['images under the same transforms', [fake(5), fake(6, { random_offset: 9 })], 'ImageDataset'],
    ['images under other ones', [fake(5), fake(6, { transforms: FLIP })], 'ConcatDataset'],
    ["images and a user's own set", [fake(5), '/mine.ts#Squares'], 'ConcatDataset'],
    ['a set of sets', [{ type: 'ConcatDataset', datasets: [fake(2)] }, fake(3)], 'ImageDataset'],
  ];
  it.each(kinds)('holds the samples of its parts in order: %s', async (_, parts, kind) => {
    const whole = await load(...parts);
    expect(whole.constructor.name).toBe(kind);
    const alone = await Promise.all(parts.map((part) => datasets.build(part).load()));
    expect(whole.length).toBe(alone.reduce((sum, { length }) => sum + length, 0));
    const expected = both(alone.map((part) => rows(part)));
    expect(rows(whole)).toEqual(expected);
    expect(rows(whole, referenceEngine() as never, 3)).toEqual(expected);
    expect([...whole.labels!]).toEqual(expected.targets);
  });

  it('makes batches ahead where its parts are one set of images', async () => {
    const opens = async (...parts: unknown[]) => {
      const reader = (await load(...parts)).open(cpuEngine());
      reader.dispose();
      return reader.stream !== undefined;
    };
    expect(await opens(fake(5), fake(6))).toBe(true);
    expect(await opens(fake(5), fake(6, { transforms: FLIP }))).toBe(true);
    expect(await opens({ type: 'ConcatDataset', datasets: MIXED }, fake(6))).toBe(true);
    expect(await opens(fake(5), '/mine.ts#Squares')).toBe(false);
  });

  const engines = [cpuEngine(), referenceEngine() as never];
  it.each([0, 1, 3])(
    'draws for images as each part does on its own, with %i workers',
    async (num_workers) => {
      for (const engine of engines) {
        const whole = await load(...MIXED);
        expect(whole.constructor.name).toBe('ConcatDataset');
        const parts = await Promise.all(MIXED.map((part) => datasets.build(part).load()));
        const options = { batch_size: 5, shuffle: true, seed: 9, num_workers };
        using loader = new DataLoader({ dataset: whole, engine, ...options });
        for (const epoch of [0, 2]) {
          for (const { indices, inputs, targets } of loader.epoch(epoch)) {
            const alone = ownSamples(parts, indices, { engine, epoch, seed: 9 });
            expect(Array.from(engine.readSync(inputs), Number)).toEqual(alone.inputs);
            expect(Array.from(engine.readSync(targets), Number)).toEqual(alone.targets);
          }
        }
      }
    },
  );

  it('draws for a part of them by their numbers in the whole', async () => {
    const whole = await load(...MIXED);
    const places = Int32Array.of(13, 2, 7, 11);
    using all = new DataLoader({
      dataset: whole,
      engine: cpuEngine(),
      order: places,
      batch_size: 4,
    });
    const some = subset(whole, places);
    using own = new DataLoader({ dataset: some, engine: cpuEngine(), batch_size: 4 });
    expect(own.ahead).toBe(true);
    const [expected, actual] = [all, own].map((loader) =>
      [...loader.epoch(3)].map(({ inputs }) => cpuEngine().readSync(inputs).slice()),
    );
    expect(actual).toEqual(expected);
  });

  it('joins tensors, and says no more of classes than its parts do', async () => {
    const tokens = { type: 'FakeTokens', length: 2, vocab_size: 5 };
    const whole = await load({ ...tokens, size: 3 }, { ...tokens, size: 2, random_offset: 3 });
    const alone = await datasets.build({ ...tokens, size: 5 }).load();
    expect(rows(whole)).toEqual(rows(alone));
    expect(whole.labels).toBeUndefined();
    expect(concatDatasets([alone])).toBe(alone);
  });

  it.each([
    [
      'other inputs',
      [fake(5), fake(5, { image_size: [1, 2, 2] })],
      ['datasets', 1],
      'has inputs of float32 (1, 2, 2), but datasets[0] of float32 (1, 2, 3)',
    ],
    [
      'other classes',
      [fake(5), fake(5), fake(5, { num_classes: 2 })],
      ['datasets', 2],
      'has 2 classes, datasets[0] 3, and they differ: class 2 is none here, "2" there',
    ],
    [
      'a part inside a part',
      [fake(5), { type: 'ConcatDataset', datasets: [fake(1, { transforms: [] })] }],
      ['datasets', 1, 'datasets', 0, 'transforms'],
      '[transforms] images need ToTensor; got none',
    ],
  ])('points at a part that does not fit: %s', (_, parts, path, message) => {
    const build = () => datasets.build({ type: 'ConcatDataset', datasets: parts });
    expect(build).toThrow(new BuildError(message, path));
  });
});
