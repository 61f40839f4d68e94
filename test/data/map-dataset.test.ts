import { afterEach, describe, expect, it } from 'vitest';
import { provideUserType } from '../../src/base/user-code.ts';
import { engine } from '../../src/core/device.ts';
import { DataLoader, datasets, type MapDataset } from '../../src/data/index.ts';

/** What the class `/test/code.ts#Given` is, until another test gives another. */
let count = 0;
function source(made: Partial<Record<keyof MapDataset, unknown>>) {
  class Given {
    constructor() {
      Object.assign(this, made);
    }
  }
  const type = `/test/code.ts#Given${count++}`;
  provideUserType(type, Given);
  return datasets.build({ type });
}

const GOOD = {
  input: { dtype: 'float32', shape: [2, 2] },
  target: { dtype: 'int64', shape: [] },
  classes: ['a', 'b'],
  length: 5,
  get: (i: number) => [Float32Array.of(i, 1, 2, 3), i % 2],
};

let loader: DataLoader | undefined;
afterEach(() => loader?.dispose());

async function batches(made: object, options: { epoch?: number; seed?: number } = {}) {
  const dataset = await source({ ...GOOD, ...made }).load();
  const { epoch = 0, seed = 0 } = options;
  loader = new DataLoader({ dataset, engine: engine(), batch_size: 2, seed });
  const read: [number[], number[]][] = [];
  for (const { inputs, targets } of loader.epoch(epoch)) {
    const [x, y] = await Promise.all([engine().read(inputs), engine().read(targets)]);
    read.push([Array.from(x, Number), Array.from(y, Number)]);
  }
  return read;
}

describe('a data set of a user', () => {
  it('says what samples look like before it is loaded', async () => {
    let loaded = false;
    const given = source({
      ...GOOD,
      length: 0,
      load() {
        loaded = true;
        (this as unknown as { length: number }).length = 3;
      },
    });
    expect([given.input, given.target, given.classes]).toEqual([
      GOOD.input,
      GOOD.target,
      GOOD.classes,
    ]);
    expect(loaded).toBe(false);
    expect((await given.load()).length).toBe(3);
  });

  it('is put together in batches, the last one smaller', async () => {
    expect(await batches({})).toEqual([
      [
        [0, 1, 2, 3, 1, 1, 2, 3],
        [0, 1],
      ],
      [
        [2, 1, 2, 3, 3, 1, 2, 3],
        [0, 1],
      ],
      [[4, 1, 2, 3], [0]],
    ]);
  });

  it.each([
    [
      'nested arrays',
      [
        [7, 8],
        [9, 10],
      ],
    ],
    ['a typed array', Uint8Array.of(7, 8, 9, 10)],
    ['big integers', [7n, 8n, 9n, 10n]],
  ])('gives samples as %s', async (_, input) => {
    const read = await batches({ length: 1, get: () => [input, 1n] });
    expect(read).toEqual([[[7, 8, 9, 10], [1]]]);
  });

  it('can draw from the epoch and the seed', async () => {
    const get = (i: number, { epoch, seed }: { epoch: number; seed: number }) => [
      [i, epoch, seed, 0],
      0,
    ];
    const read = await batches({ length: 1, get }, { epoch: 3, seed: 7 });
    expect(read[0]![0]).toEqual([0, 3, 7, 0]);
  });

  it.each([
    ['no get', { get: 3 }, /\[Given\] get must be a method that gives a sample, got a number/],
    ['no dtype', { input: { shape: [2] } }, /\[Given\] input must say dtype and shape/],
    ['a shape of no sizes', { target: { dtype: 'int64', shape: [0] } }, /target must say dtype/],
    ['no field', { target: undefined }, /target must say dtype and shape/],
    ['classes that are no list', { classes: 3 }, /classes must be a list of names, got a number/],
    ['no samples', { length: 0 }, /length must be a whole number of at least 1, got 0/],
    [
      'a sample that is none',
      { get: () => 3 },
      /get\(0\) must give \[input, target\], got a number/,
    ],
    [
      'too few numbers',
      { get: () => [[1, 2], 0] },
      /gives 2 numbers as input, needs 4 for \(2, 2\)/,
    ],
    [
      'a class that is none',
      { get: (i: number) => [[i, 0, 0, 0], i] },
      /get\(2\) gives the class 2/,
    ],
    ['half a class', { get: () => [[0, 0, 0, 0], 0.5] }, /gives 0\.5 as target; int64 takes whole/],
  ])('is refused for %s', async (_, made, message) => {
    await expect(batches(made)).rejects.toThrow(message);
  });
});
