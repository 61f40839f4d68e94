import { afterEach, describe, expect, it } from 'vitest';
import { provideUserType } from '../../src/base/user-code.ts';
import { engine } from '../../src/core/device.ts';
import {
  concatDatasets,
  DataLoader,
  datasets,
  type MapDataset,
  Reconstruction,
  subset,
} from '../../src/data/index.ts';

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

describe('samples of different lengths', () => {
  /** `length` steps of two numbers, and a class for each step. */
  const sample = (length: number, i: number) => [
    Array.from({ length }, (_, step) => [i, step]),
    Array.from({ length }, () => i % 2),
  ];
  const LENGTHS = [3, 1, 9, 2, 10];
  const VARYING = {
    input: { dtype: 'float32', shape: [10, 2], varies: true, padding_value: 0.5 },
    target: { dtype: 'int64', shape: [10], varies: true, padding_value: -100 },
    classes: [],
    length: LENGTHS.length,
    get: (i: number) => sample(LENGTHS[i]!, i),
  };

  it('are padded to the longest of a batch', async () => {
    const [first, second, third] = await batches(VARYING);
    expect(first![0]).toEqual([
      ...[0, 0, 0, 1, 0, 2, ...Array(10).fill(0.5)],
      ...[1, 0, ...Array(14).fill(0.5)],
    ]);
    expect(first![1]).toEqual([0, 0, 0, ...Array(5).fill(-100), 1, ...Array(7).fill(-100)]);
    expect([second![1].length, third![1].length]).toEqual([2 * 10, 10]);
  });

  it.each([
    ['found', {}],
    ['given', { lengths: LENGTHS }],
  ])('go into buckets by lengths that are %s, also as parts and joined', async (_, lengths) => {
    let asked = 0;
    const get = (i: number) => {
      asked++;
      return sample(LENGTHS[i]!, i);
    };
    const dataset = await source({ ...VARYING, get, ...lengths }).load();
    expect([...dataset.lengths!]).toEqual(LENGTHS);
    expect(asked).toBe('lengths' in lengths ? 0 : LENGTHS.length);
    const part = subset(dataset, Int32Array.of(4, 0));
    const whole = concatDatasets([part, dataset]);
    expect([...whole.lengths!]).toEqual([10, 3, ...LENGTHS]);
    loader = new DataLoader({ dataset: whole, engine: engine(), batch_size: 2, buckets: [3] });
    const found: [number[], number][] = [];
    for (const { indices, length, targets } of loader.epoch(0)) {
      found.push([[...indices], length!]);
      const rows = Array.from(await engine().read(targets), Number);
      expect(rows).toHaveLength(indices.length * length!);
      for (const [row, index] of indices.entries()) {
        const i = index < 2 ? [4, 0][index]! : index - 2;
        const own = Array(LENGTHS[i]!).fill(i % 2);
        const padding = Array(length! - own.length).fill(-100);
        expect(rows.slice(row * length!, (row + 1) * length!)).toEqual([...own, ...padding]);
      }
    }
    expect(found).toEqual([
      [[1, 2], 3],
      [[0, 4], 10],
      [[3, 5], 3],
      [[6], 10],
    ]);
    const inputs = new Reconstruction(dataset);
    loader.dispose();
    loader = new DataLoader({ dataset: inputs, engine: engine(), batch_size: 2, buckets: [3] });
    const [batch] = loader.epoch(0);
    const read = await Promise.all([engine().read(batch!.inputs), engine().read(batch!.targets)]);
    expect(read[0]).toEqual(read[1]);
    expect(read[0]).toHaveLength(2 * 3 * 2);
  });

  it.each([
    [{ get: () => sample(11, 0) }, 'gives 22 numbers as input, needs 1 to 10 times 2'],
    [{ get: () => [[1, 2, 3], [1]] }, 'gives 3 numbers as input'],
    [{ get: () => [[], []] }, 'gives 0 numbers as input'],
    [
      { get: () => [sample(2, 0)[0], sample(9, 0)[1]] },
      'gives 9 steps as target, more than its own length, 8',
    ],
    [{ lengths: [1, 2] }, 'lengths has 2 numbers for 5 samples'],
    [{ lengths: [1, 2, 3, 4, 11] }, 'lengths has 11 for sample 4, of at most 10'],
    [
      { input: { dtype: 'int64', shape: [4], varies: true, padding_value: 0.5 } },
      'padding_value is 0.5; int64 takes whole numbers',
    ],
    [{ input: { dtype: 'int64', shape: [], varies: true } }, 'has no dimension that could vary'],
  ])('are refused where they do not fit: %#', async (made, message) => {
    await expect(batches({ ...VARYING, ...made })).rejects.toThrow(message);
  });
});
