/**
 * Prints by how many bytes 10,000 compiled steps grow this process, after 5,000 to warm up:
 * `node --expose-gc test/core/growth.mjs`. A process of its own, for a test runner's memory comes and
 * goes with what it reports.
 */
import { setImmediate } from 'node:timers/promises';
import { compile, nn, optim, rand } from '../../dist/index.js';

/** Resident bytes when all that can be freed is: finalisers run between the collections. */
async function resident() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setImmediate();
  }
  return process.memoryUsage.rss();
}

const model = new nn.Sequential([
  new nn.Linear({ in_features: 16, out_features: 32 }),
  new nn.Dropout({ p: 0.1 }),
  new nn.Linear({ in_features: 32, out_features: 16 }),
]);
const sgd = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
// Returns a tensor of 1 KiB: 10 MB if none were freed.
const step = compile(
  (x) => {
    sgd.zeroGrad();
    const y = model.call(x);
    y.mul(y).mean().backward();
    sgd.step();
    return y;
  },
  { state: [model, sgd] },
);
const x = rand([16, 16]).realize();
for (let i = 0; i < 5_000; i++) await step(x);
const before = await resident();
for (let i = 0; i < 10_000; i++) await step(x);
process.stdout.write(`${(await resident()) - before}\n`);
