import { describe, expect, it } from 'vitest';
import { DataLoader, datasets } from '../../src/data/index.ts';
import { ReferenceEngine } from '../../src/engine/reference/engine.ts';

const engine = new ReferenceEngine();

async function firstBatch(spec: object, batch_size: number) {
  const dataset = await datasets.build(spec).load();
  const loader = new DataLoader({ dataset, engine, batch_size });
  const batch = loader.epoch(0).next().value!;
  return {
    dataset,
    inputs: [...engine.readSync(batch.inputs)].map(Number),
    targets: [...engine.readSync(batch.targets)].map(Number),
  };
}

describe('FakeData', () => {
  const spec = { type: 'FakeData', size: 9, image_size: [2, 3, 5], num_classes: 4 };

  it('gives images and classes of the wanted sizes', async () => {
    const { dataset, inputs, targets } = await firstBatch(spec, 9);
    expect(dataset.length).toBe(9);
    expect(dataset.input).toEqual({ dtype: 'float32', shape: [2, 3, 5] });
    expect(dataset.classes).toEqual(['0', '1', '2', '3']);
    expect(inputs).toHaveLength(9 * 30);
    expect(Math.min(...inputs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...inputs)).toBeLessThanOrEqual(1);
    expect(new Set(inputs).size).toBeGreaterThan(100);
    expect(targets.every((target) => target >= 0 && target < 4)).toBe(true);
    expect(new Set(targets).size).toBeGreaterThan(1);
  });

  it('gives the same samples every time, moved on by random_offset', async () => {
    const whole = await firstBatch(spec, 9);
    const moved = await firstBatch({ ...spec, size: 3, random_offset: 6 }, 3);
    expect(moved.inputs).toEqual(whole.inputs.slice(6 * 30));
    expect(moved.targets).toEqual(whole.targets.slice(6));
  });

  it('refuses transforms that do not fit the channels', () => {
    const normalize = { type: 'Normalize', mean: [0, 0, 0], std: [1, 1, 1] };
    expect(() => datasets.build({ ...spec, transforms: ['ToTensor', normalize] })).toThrow(
      /Normalize.*3.*2/,
    );
  });
});

describe('FakeTokens', () => {
  const spec = { type: 'FakeTokens', size: 6, length: 7, vocab_size: 5 };

  it('asks for the token that follows', async () => {
    const { dataset, inputs, targets } = await firstBatch(spec, 6);
    expect(dataset.length).toBe(6);
    expect(dataset.input).toEqual({ dtype: 'int64', shape: [7] });
    expect(dataset.target).toEqual({ dtype: 'int64', shape: [7] });
    expect(dataset.classes).toHaveLength(5);
    for (let row = 0; row < 6; row++) {
      const [start, end] = [row * 7, (row + 1) * 7];
      expect(inputs.slice(start + 1, end)).toEqual(targets.slice(start, end - 1));
    }
    expect(new Set(inputs)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('gives the same samples every time, moved on by random_offset', async () => {
    const whole = await firstBatch(spec, 6);
    const moved = await firstBatch({ ...spec, size: 2, random_offset: 4 }, 2);
    expect(moved.inputs).toEqual(whole.inputs.slice(4 * 7));
  });
});
