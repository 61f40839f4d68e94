/** What torchvision's models start with: mean, deviation and form of every kind of parameter. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { manualSeed, nn, withEngine } from '../../src/index.ts';

type Moments = readonly [count: number, mean: number, deviation: number, size: number];

const FILE = new URL('../fixtures/models/initial.json', import.meta.url);
const recorded = Object.entries(
  JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Record<string, Moments>>,
);

const OPTIONS: Readonly<Record<string, object>> = {
  vit_b_32: { image_size: 64, representation_size: 64 },
};

const build = (type: string) => nn.build({ type, num_classes: 10, ...OPTIONS[type] });

describe.each(recorded)('%s', (name, parameters) => {
  it('starts as in torchvision', () =>
    withEngine(cpuEngine(), () => {
      manualSeed(0);
      const model = build(name);
      for (const [key, [count, ...expected]] of Object.entries(parameters)) {
        const values = model.getParameter(key).double();
        expect(values.numel(), key).toBe(count);
        const found = [values.mean(), values.std({ correction: 0 }), values.abs().mean()];
        // Both sides draw: six deviations of a mean of so many numbers.
        const error = 6 * expected[1]! * Math.sqrt(2 / count) + 1e-6 * expected[2]!;
        for (const [i, moment] of found.entries()) {
          expect(Math.abs(moment.item() - expected[i]!), `${key} ${i}`).toBeLessThanOrEqual(error);
        }
      }
    }));
});
