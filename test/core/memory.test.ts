/** Long loops keep their memory. In a file, so in a process, of its own. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { nn, optim, rand, setEngine, type Tensor } from '../../src/index.ts';

setEngine(cpuEngine());
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const MEGABYTE = 2 ** 20;

/** Resident bytes when all that can be freed is: finalisers run between the collections. */
async function resident(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}

function training() {
  const model = new nn.Sequential([
    new nn.Linear({ in_features: 16, out_features: 32 }),
    new nn.Dropout({ p: 0.1 }),
    new nn.Linear({ in_features: 32, out_features: 16 }),
  ]);
  const sgd = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = (x: Tensor) => {
    sgd.zeroGrad();
    const y = model.call(x);
    y.mul(y).mean().backward();
    sgd.step();
    return y;
  };
  return step;
}

test('10,000 compiled steps grow by less than a megabyte', { timeout: 120_000 }, () => {
  const script = fileURLToPath(new URL('./growth.mjs', import.meta.url));
  const output = execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' });
  expect(output).toMatch(/^-?\d+\n$/);
  expect(Number(output)).toBeLessThan(MEGABYTE);
});

test('2,000 eager steps free what they computed', { timeout: 120_000 }, async () => {
  const step = training();
  // 1 MiB a step: two gigabytes if nothing were freed.
  const run = (steps: number) => {
    for (let i = 0; i < steps; i++) step(rand([1024, 16]).mul(rand([1])));
  };
  run(200);
  const before = await resident();
  run(2_000);
  expect((await resident()) - before).toBeLessThan(32 * MEGABYTE);
});
