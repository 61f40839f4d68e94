/**
 * Prints the highest rates that kernels reach on this machine as one JSON object: FLOP/s of matrix
 * products by precision, and bytes a second read from memory.
 *
 * node test/bench/rates.mjs
 */

import { compile, randn } from '../../dist/index.js';

const SIZE = 1536;
/** More than the caches hold. */
const ELEMENTS = 32 * 2 ** 20;
const REPEATS = 12;

function shortest(step, ...args) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now();
    step.sync(...args).dispose();
    if (i > 0) least = Math.min(least, performance.now() - start);
  }
  step.dispose();
  return least / 1000;
}

function matrixRate(dtype) {
  const [a, b] = [0, 1].map(() => randn([SIZE, SIZE]).to(dtype).realize());
  return (
    (2 * SIZE ** 3) /
    shortest(
      compile((x, y) => x.matmul(y)),
      a,
      b,
    )
  );
}

function memoryRate() {
  const values = randn([ELEMENTS]).realize();
  // A sum reads everything and writes next to nothing.
  return (
    (4 * ELEMENTS) /
    shortest(
      compile((x) => x.sum()),
      values,
    )
  );
}

const rates = {
  float32: matrixRate('float32'),
  bfloat16: matrixRate('bfloat16'),
  memory: memoryRate(),
};
process.stdout.write(`${JSON.stringify(rates)}\n`);
