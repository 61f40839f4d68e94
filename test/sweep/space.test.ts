import { describe, expect, it } from 'vitest';
import { sweep as schema } from '../../src/config/sections/sweep.ts';
import { roundsOf } from '../../src/sweep/plan.ts';
import { gridPoints, gridSize, overridesOf, randomPoints } from '../../src/sweep/space.ts';

const parse = (value: object) => schema.parse(value);

describe('a grid', () => {
  const sweep = parse({
    parameters: { a: { values: [1, 2] }, b: { values: ['x', 'y', 'z'] } },
  });

  it('has every combination once, the last key changing fastest', () => {
    expect(gridSize(sweep)).toBe(6);
    expect(gridPoints(sweep, 100).map(({ a, b }) => `${a}${b}`)).toEqual([
      ...['1x', '1y', '1z', '2x', '2y', '2z'],
    ]);
    expect(gridPoints(sweep, 4)).toHaveLength(4);
  });

  it('becomes overrides that YAML reads back', () => {
    const point = { 'optimizer.lr': 0.1, name: 'a: b', loss: { type: 'MSELoss' } };
    expect(overridesOf(point)).toEqual([
      ...['optimizer.lr=0.1', 'name="a: b"', 'loss={"type":"MSELoss"}'],
    ]);
  });
});

describe('random points', () => {
  const sweep = parse({
    method: 'random',
    parameters: {
      lr: { min: 1e-4, max: 1, log: true },
      size: { min: 2, max: 5, integer: true },
      p: { min: 0, max: 0.5 },
      kind: { values: ['a', 'b'] },
    },
  });

  it('stay in their ranges, and reach all of them', () => {
    const points = randomPoints(sweep, 2000);
    const of = (key: string) => points.map((point) => point[key] as number);
    expect(Math.min(...of('lr'))).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...of('lr'))).toBeLessThanOrEqual(1);
    // A quarter of the draws in each of four decades.
    const small = of('lr').filter((lr) => lr < 1e-3).length;
    expect(small / 2000).toBeGreaterThan(0.2);
    expect(small / 2000).toBeLessThan(0.3);
    expect([...new Set(of('size'))].sort()).toEqual([2, 3, 4, 5]);
    expect(Math.max(...of('p'))).toBeLessThanOrEqual(0.5);
    expect(new Set(of('kind')).size).toBe(2);
  });

  it('follow from the seed, whatever their number', () => {
    expect(randomPoints(sweep, 3)).toEqual(randomPoints(sweep, 10).slice(0, 3));
    expect(randomPoints({ ...sweep, seed: 1 }, 3)).not.toEqual(randomPoints(sweep, 3));
  });
});

it('rounds grow by eta up to all epochs', () => {
  const halving = parse({ method: 'successive_halving', parameters: {} });
  expect(roundsOf(halving, 9)).toEqual([1, 3, 9]);
  expect(roundsOf(halving, 10)).toEqual([1, 3, 9, 10]);
  expect(roundsOf({ ...halving, eta: 2, min_epochs: 3 }, 4)).toEqual([3, 4]);
  expect(roundsOf({ ...halving, min_epochs: 5 }, 2)).toEqual([2]);
});

it.each([
  [{ values: [1], min: 0, max: 1 }, 'needs either values, or min and max'],
  [{ min: 0 }, 'needs either values, or min and max'],
  [{ min: 2, max: 1 }, 'min must be less than max'],
  [{ min: 0, max: 1, log: true }, 'log needs a min above 0'],
])('%j is no parameter', (parameter, message) => {
  const { error } = schema.safeParse({ parameters: { a: parameter } });
  expect(error?.message).toContain(message);
});
