import { describe, expect, it } from 'vitest';
import { datasets, type TensorDataset } from '../../src/data/index.ts';

async function draw(type: string, options: object = {}) {
  const source = datasets.build({ type, ...options });
  const { rows, length } = (await source.load()) as TensorDataset;
  const [width = 1] = source.input.shape;
  const row = (i: number) => [...rows.inputs.subarray(i * width, (i + 1) * width)].map(Number);
  const points = Array.from({ length }, (_, i) => row(i));
  return { points, targets: Array.from(rows.targets, Number), source };
}

const near = (value: number) => Math.round(value * 1e4) / 1e4;

describe('synthetic data sets', () => {
  it.each(['MakeMoons', 'MakeCircles', 'MakeBlobs', 'MakeRegression', 'MakeClassification'])(
    '%s follows from its random_state, and can hold samples back',
    async (type) => {
      const one = await draw(type, { random_state: 1 });
      expect(await draw(type, { random_state: 1 })).toEqual({ ...one, source: expect.anything() });
      expect((await draw(type, { random_state: 2 })).targets).not.toEqual(one.targets);
      expect(one.targets).toHaveLength(100);
      const train = await draw(type, { random_state: 1, split: 'train' });
      const test = await draw(type, { random_state: 1, split: 'test' });
      expect([train.targets.length, test.targets.length]).toEqual([80, 20]);
      const sorted = (points: number[][]) => points.map(String).sort();
      expect(sorted([...train.points, ...test.points])).toEqual(sorted(one.points));
    },
  );

  it('MakeMoons: half circles of radius 1 around (0, 0) and (1, 0.5)', async () => {
    const { points, targets } = await draw('MakeMoons', { n_samples: 51 });
    for (const [i, [x, y]] of points.entries()) {
      const isLower = targets[i] === 1;
      expect(near(Math.hypot(x! - (isLower ? 1 : 0), y! - (isLower ? 0.5 : 0)))).toBe(1);
      expect(isLower ? y! <= 0.5001 : y! >= -0.0001).toBe(true);
    }
    expect(targets.filter((label) => label === 0)).toHaveLength(25);
  });

  it('MakeCircles: radius 1 and factor', async () => {
    const { points, targets } = await draw('MakeCircles', { factor: 0.3 });
    for (const [i, [x, y]] of points.entries()) {
      expect(near(Math.hypot(x!, y!))).toBe(targets[i] === 0 ? 1 : 0.3);
    }
    const noisy = await draw('MakeCircles', { n_samples: 4000, noise: 0.1, factor: 0 });
    const inner = noisy.points.filter((_, i) => noisy.targets[i] === 1).map(([x]) => x!);
    const deviation = Math.sqrt(inner.reduce((sum, x) => sum + x * x, 0) / inner.length);
    expect(deviation).toBeCloseTo(0.1, 2);
  });

  it('MakeBlobs: as many of each class, around centers in the box', async () => {
    const { points, targets, source } = await draw('MakeBlobs', { n_samples: 3000, n_features: 3 });
    expect(source.classes).toEqual(['0', '1', '2']);
    for (const label of [0, 1, 2]) {
      const own = points.filter((_, i) => targets[i] === label);
      expect(own).toHaveLength(1000);
      const mean = own.reduce((sum, [x]) => sum + x!, 0) / 1000;
      expect(Math.abs(mean)).toBeLessThan(10.2);
      const variance = own.reduce((sum, [x]) => sum + (x! - mean) ** 2, 0) / 1000;
      expect(variance).toBeGreaterThan(0.85);
      expect(variance).toBeLessThan(1.15);
    }
  });

  it('MakeRegression: a linear function of the informative features, plus the bias', async () => {
    const options = { n_features: 3, n_informative: 1, bias: 5 };
    const { points, targets, source } = await draw('MakeRegression', options);
    expect([source.target.shape, source.classes]).toEqual([[1], []]);
    const used = [0, 1, 2].filter((column) => {
      const ratios = points.map((row, i) => (targets[i]! - 5) / row[column]!);
      return Math.max(...ratios) - Math.min(...ratios) < 0.01;
    });
    expect(used).toHaveLength(1);
  });

  it('MakeClassification: clouds around corners, other features being noise', async () => {
    const options = { n_samples: 4000, n_features: 3, class_sep: 2, flip_y: 0 };
    const { points, targets } = await draw('MakeClassification', options);
    const mean = (label: number, column: number) => {
      const own = points.filter((_, i) => targets[i] === label);
      return own.reduce((sum, row) => sum + row[column]!, 0) / own.length;
    };
    for (const [label, corner] of [
      [-2, -2, 0],
      [2, -2, 0],
    ].entries()) {
      for (const [column, value] of corner.entries()) {
        expect(Math.abs(mean(label, column) - value)).toBeLessThan(0.15);
      }
    }
    await expect(draw('MakeClassification', { n_classes: 5 })).rejects.toThrow(
      '5 classes need as many corners: n_informative is 2 of 20 features',
    );
  });
});
