import { describe, expect, it } from 'vitest';
import { epochOrder } from '../../../src/data/loading/sampler.ts';

const shuffled = (length: number, seed: number, epoch: number) =>
  epochOrder({ length, shuffle: true, seed }, epoch);

describe('epochOrder', () => {
  it('is 0, 1, 2, ... without shuffle, whatever the epoch', () => {
    const order = epochOrder({ length: 5, shuffle: false, seed: 7 }, 3);
    expect([...order]).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives the same permutation for the same seed and epoch, and others for others', () => {
    const order = shuffled(1000, 3, 5);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffled(1000, 3, 5)).toEqual(order);
    for (const [seed, epoch] of [
      [3, 6],
      [4, 5],
      [5, 3],
      [3 + 2 ** 32, 5],
    ] as const) {
      expect(shuffled(1000, seed, epoch)).not.toEqual(order);
    }
  });

  it('does not change from release to release: a run may be resumed by a later one', () => {
    expect([...shuffled(50_000, 0, 0).subarray(0, 6)]).toEqual([
      4815, 9603, 44825, 49846, 42647, 35846,
    ]);
    expect([...shuffled(50_000, 42, 9).subarray(0, 6)]).toEqual([
      45318, 49379, 32434, 16196, 34513, 6102,
    ]);
  });

  it('gives every permutation equally often', () => {
    const epochs = 24_000;
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const key = shuffled(4, 1, epoch).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = epochs / 24;
    let chiSquare = 0;
    for (const count of counts.values()) chiSquare += (count - expected) ** 2 / expected;
    // 23 degrees of freedom: a fair shuffle exceeds 49.7 once in a thousand; the draw is fixed.
    expect(chiSquare).toBeLessThan(49.7);
  });

  it('handles sets of 0 and 1 samples', () => {
    expect([...shuffled(0, 1, 1)]).toEqual([]);
    expect([...shuffled(1, 1, 1)]).toEqual([0]);
  });
});
