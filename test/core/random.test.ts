/** The generator: its state is (seed, counter), and everything follows from it. */

import { describe, expect, test } from 'vitest';
import {
  generatorState,
  manualSeed,
  rand,
  randn,
  setGeneratorState,
  type Tensor,
  withEngine,
} from '../../src/index.ts';
import { ENGINES } from './engines.ts';

describe.each(ENGINES)('on %s', (_, engine) => {
  const on = <T>(body: () => T): T => withEngine(engine, body);

  test('a seed repeats, calls differ, seeds differ', () => {
    on(() => {
      manualSeed(7);
      const [a, b] = [rand([4]).tolist(), rand([4]).tolist()];
      manualSeed(7);
      expect(rand([4]).tolist()).toEqual(a);
      expect(rand([4]).tolist()).toEqual(b);
      expect(a).not.toEqual(b);
      manualSeed(8);
      expect(rand([4]).tolist()).not.toEqual(a);
    });
  });

  test('numbers are fixed when they are asked for, not when they are read', () => {
    on(() => {
      manualSeed(3);
      const first = rand([3]);
      const second = rand([3]);
      const later = second.tolist();
      manualSeed(3);
      expect(first.tolist()).toEqual(rand([3]).tolist());
      expect(later).toEqual(rand([3]).tolist());
    });
  });

  test('a saved state goes on where it was', () => {
    on(() => {
      manualSeed(1);
      rand([2]);
      const state = generatorState();
      expect(state).toEqual({ seed: 1, counter: 1 });
      const next = randn([5]).tolist();
      setGeneratorState(state);
      expect(randn([5]).tolist()).toEqual(next);
    });
  });

  test('distributions have their moments', () => {
    on(() => {
      manualSeed(0);
      const near = (x: Tensor, mean: number, variance: number) => {
        expect(x.mean().item()).toBeCloseTo(mean, 1);
        expect(x.var().item()).toBeCloseTo(variance, 1);
      };
      const u = rand([4000]);
      near(u, 0.5, 1 / 12);
      expect(u.amin().item()).toBeGreaterThanOrEqual(0);
      expect(u.amax().item()).toBeLessThan(1);
      near(randn([4000]), 0, 1);
    });
  });
});

test('engines draw the same uniform numbers', () => {
  const drawn = ENGINES.map(([, engine]) =>
    withEngine(engine, () => {
      manualSeed(2 ** 40 + 5);
      return rand([9]).tolist();
    }),
  );
  expect(drawn[1]).toEqual(drawn[0]);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])('a seed of %s is refused', (seed) => {
  expect(() => manualSeed(seed)).toThrow(
    `[manualSeed] seed must be a non-negative integer, got ${seed}`,
  );
});
