/** Results do not depend on the planner's passes: random graphs, every combination of switches. */

import { describe, expect, test } from 'vitest';
import { compile, type Tensor, withEngine } from '../../src/index.ts';
import type { PlanOptions } from '../../src/plan/plan.ts';
import { ENGINES } from '../core/engines.ts';
import { randomGraph, randomInputs } from './random-graph.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);
const SWITCHES: PlanOptions[] = Array.from({ length: 16 }, (_, bits) => ({
  simplify: (bits & 1) !== 0,
  cse: (bits & 2) !== 0,
  epilogue: (bits & 4) !== 0,
  fuse: (bits & 8) !== 0,
}));
const RECOMPUTE: PlanOptions[] = [{ recompute: true }, { recompute: true, fuse: false }];

function run(seed: number, plan: PlanOptions): { numbers: number[][]; instructions: number } {
  const inputs = randomInputs(seed);
  const step = compile((...given: Tensor[]) => randomGraph(seed, given), { plan });
  const numbers = step.sync(...inputs).map((output) => Array.from(output.dataSync(), Number));
  const { program } = step.inspect(...inputs);
  step.dispose();
  return {
    numbers,
    instructions: program.split('\n').filter((line) => line.includes(' = ')).length,
  };
}

describe.each(ENGINES)('on %s', (_, engine) => {
  test.each(SEEDS)('graph %i', (seed) => {
    withEngine(engine, () => {
      const [plain, ...others] = [...SWITCHES, ...RECOMPUTE].map((options) => run(seed, options));
      // Bit by bit: a fused group narrows wherever single calls would have.
      for (const [i, other] of others.entries()) {
        expect(other.numbers, JSON.stringify([...SWITCHES, ...RECOMPUTE][i + 1])).toEqual(
          plain!.numbers,
        );
      }
      expect(others[SWITCHES.length - 2]!.instructions).toBeLessThanOrEqual(plain!.instructions);
    });
  });

  test('fusion makes Programs much shorter over all graphs', () => {
    withEngine(engine, () => {
      const total = (plan: PlanOptions) =>
        SEEDS.reduce((sum, seed) => sum + run(seed, plan).instructions, 0);
      expect(total({})).toBeLessThan(0.7 * total({ simplify: false, cse: false, fuse: false }));
    });
  });
});
