import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { provideUserType } from '../../../src/base/user-code.ts';
import { concatDatasets, DataLoader, type Dataset, datasets } from '../../../src/data/index.ts';
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
    expect(await opens(fake(5), '/mine.ts#Squares')).toBe(false);
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
