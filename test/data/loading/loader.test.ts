import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../../src/base/errors.ts';
import { ImageDataset } from '../../../src/data/images/image-dataset.ts';
import { DataLoader, type DataLoaderOptions } from '../../../src/data/loading/loader.ts';
import '../../../src/data/transforms/to-tensor.ts';
import { transforms } from '../../../src/data/transforms/transforms.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';

const engine = referenceEngine();
const CHANNELS = 2;
const PIXELS = 6;

/** `length` images of 2x2x3 in 3 classes, all bytes different from their neighbours'. */
function images(length: number): ImageDataset {
  const data = {
    classes: ['a', 'b', 'c'],
    channels: CHANNELS,
    height: 2,
    width: 3,
    images: Uint8Array.from({ length: length * CHANNELS * PIXELS }, (_, i) => (i * 37) % 256),
    labels: Int32Array.from({ length }, (_, i) => i % 3),
  };
  const pipeline = ['ToTensor', { type: 'Normalize', mean: [0.5, 0.4], std: [0.5, 0.3] }];
  return new ImageDataset(
    data,
    pipeline.map((spec) => transforms.build(spec)),
  );
}

function loader(length: number, options: Partial<DataLoaderOptions> = {}): DataLoader {
  return new DataLoader({ dataset: images(length), engine, batch_size: 4, ...options });
}

const indicesOf = (batches: Iterable<{ indices: Int32Array }>) =>
  [...batches].map(({ indices }) => [...indices]);

describe('batches', () => {
  it.each([
    ['reference', referenceEngine],
    ['cpu', cpuEngine],
  ])('hold the normalised pixels and the labels of their samples: %s', (_, getEngine) => {
    const engine = getEngine();
    const data = images(10);
    const order = new Int32Array([7, 0, 3, 9, 9, 2]);
    const batches = new DataLoader({ dataset: data, engine, batch_size: 4, order });
    for (const { inputs, targets, size, indices } of batches.epoch(0)) {
      const expected: number[] = [];
      for (const index of indices) {
        for (let j = 0; j < CHANNELS * PIXELS; j++) {
          const byte = data.images[index * CHANNELS * PIXELS + j]!;
          const [mean, std] = j < PIXELS ? [0.5, 0.5] : [0.4, 0.3];
          expected.push((byte / 255 - mean) / std);
        }
      }
      const values = engine.readSync(inputs) as Float32Array;
      expect(values.length).toBe(size * CHANNELS * PIXELS);
      expected.forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 5);
      });
      expect(engine.readSync(targets)).toEqual(
        BigInt64Array.from(indices, (index) => BigInt(index % 3)),
      );
    }
    expect(indicesOf(batches.epoch(1))).toEqual([
      [7, 0, 3, 9],
      [9, 2],
    ]);
  });

  it('end with a smaller one unless it is dropped', () => {
    const all = loader(10);
    expect([all.batchesPerEpoch, all.samplesPerEpoch, all.sampleShape]).toEqual([3, 10, [2, 2, 3]]);
    expect([...all.epoch(0)].map(({ size }) => size)).toEqual([4, 4, 2]);
    const dropped = loader(10, { drop_last: true });
    expect([dropped.batchesPerEpoch, dropped.samplesPerEpoch]).toEqual([2, 8]);
    expect([...dropped.epoch(0)].map(({ size }) => size)).toEqual([4, 4]);
    expect([...loader(3).epoch(0)].map(({ size }) => size)).toEqual([3]);
  });

  it('are one sample each unless told otherwise', () => {
    expect(indicesOf(loader(2, { batch_size: undefined }).epoch(0))).toEqual([[0], [1]]);
  });
});

describe('epochs', () => {
  it('visit every sample once, in an order of their own', () => {
    const batches = loader(50, { shuffle: true, seed: 1 });
    const first = indicesOf(batches.epoch(0)).flat();
    const second = indicesOf(batches.epoch(1)).flat();
    const sorted = Array.from({ length: 50 }, (_, i) => i);
    expect([...first].sort((a, b) => a - b)).toEqual(sorted);
    expect([...second].sort((a, b) => a - b)).toEqual(sorted);
    expect(second).not.toEqual(first);
    expect(first).not.toEqual(sorted);
  });

  it('continue from their middle with the batches they would have had', () => {
    const whole = indicesOf(loader(50, { shuffle: true, seed: 1 }).epoch(3));
    const resumed = loader(50, { shuffle: true, seed: 1 });
    expect(indicesOf(resumed.epoch(3, { start: 5 }))).toEqual(whole.slice(5));
    expect(indicesOf(resumed.epoch(3, { start: whole.length }))).toEqual([]);
  });
});

describe('storages', () => {
  it('are reused only when the third batch after theirs is taken, across epochs too', () => {
    const batches = loader(18);
    const taken = [...batches.epoch(0), ...batches.epoch(1)];
    for (let i = 0; i < taken.length; i++) {
      for (let j = i + 1; j < Math.min(i + 3, taken.length); j++) {
        expect(taken[j]!.inputs).not.toBe(taken[i]!.inputs);
        expect(taken[j]!.targets).not.toBe(taken[i]!.targets);
      }
    }
    expect(new Set(taken.map(({ inputs }) => inputs)).size).toBe(3 + 2);
    expect(taken[3]!.inputs).toBe(taken[0]!.inputs);
  });

  it('come in as many as asked for', () => {
    const taken = [...loader(40, { buffers: 5 }).epoch(0)];
    expect(new Set(taken.map(({ inputs }) => inputs)).size).toBe(5);
  });

  it('are freed with the loader', () => {
    const batches = loader(10);
    const taken = [...batches.epoch(0)];
    batches.dispose();
    expect(taken.every(({ inputs, targets }) => inputs.disposed && targets.disposed)).toBe(true);
    expect(() => batches.epoch(1).next()).toThrow(/dispose/);
  });
});

describe('refuses', () => {
  const order = new Int32Array([0, 10]);
  it.each([
    ['a batch of 0', { batch_size: 0 }, 'batch_size must be an integer >= 1, got 0'],
    ['half a batch', { batch_size: 0.5 }, 'batch_size must be an integer >= 1, got 0.5'],
    ['a negative seed', { seed: -1 }, 'seed must be an integer >= 0, got -1'],
    ['no buffer', { buffers: 0 }, 'buffers must be an integer >= 1, got 0'],
    ['an order outside the set', { order }, 'order[1] is 10, but the data set has 10 samples'],
    ['order and shuffle', { order, shuffle: true }, 'order and shuffle exclude each other'],
    [
      'an epoch without a batch',
      { batch_size: 11, drop_last: true },
      '10 samples make no batch of 11 with drop_last',
    ],
  ])('%s', (_, options, message) => {
    expect(() => loader(10, options)).toThrow(new ArgumentError(`[DataLoader] ${message}`));
  });

  it('an epoch or a start that is no count', () => {
    expect(() => loader(10).epoch(-1).next()).toThrow('epoch must be an integer >= 0, got -1');
    expect(() => loader(10).epoch(0, { start: 0.5 }).next()).toThrow('start must be an integer');
  });
});

describe('ImageDataset', () => {
  const data = { classes: ['a'], channels: 1, height: 1, width: 2 };
  const pipeline = [transforms.build('ToTensor')];
  it('refuses bytes that do not fit the labels', () => {
    const build = () =>
      new ImageDataset({ ...data, images: new Uint8Array(3), labels: new Int32Array(2) }, pipeline);
    expect(build).toThrow('2 images of 1x1x2 take 4 bytes, got 3');
  });
  it('refuses a label that is no class', () => {
    const labels = new Int32Array([0, 1]);
    const build = () => new ImageDataset({ ...data, images: new Uint8Array(4), labels }, pipeline);
    expect(build).toThrow('label 1 of sample 1 is not one of 1 classes');
  });
});
