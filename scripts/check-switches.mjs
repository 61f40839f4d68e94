/**
 * Runs the tests of parity and models, and of kernels where the engine chooses, once for
 * every off switch, with that one off: what is fast and what it falls back on must both be right.
 *
 *     npm run test:switches              every switch
 *     npm run test:switches -- layouts   only these
 */

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '../dist/index.js';
import { cpuEngine, fusedOps, PASSES } from '../dist/internal.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TESTS = ['test/parity', 'test/models', 'test/train/fast-paths.test.ts'];
/** Runs kernels one by one, so only what the engine chooses makes a difference. */
const KERNEL_TESTS = ['test/engine/conformance.test.ts'];
/** What the others fall back on. */
const LAST_RESORTS = ['portable', 'alias'];

/** The engine's own choices; the others are the planner's. */
const methods = Object.values(cpuEngine().implementations())
  .flat()
  .filter((method) => !LAST_RESORTS.includes(method));
const known = [
  ...PASSES,
  'layouts',
  'pool_first',
  'fused_optimizer',
  'dropout',
  ...fusedOps(),
  ...new Set(methods),
];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : known;
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`there is no switch ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}

const failed = wanted.filter((name) => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const tests = methods.includes(name) || name === 'layouts' ? [...KERNEL_TESTS, ...TESTS] : TESTS;
  const args = [vitest, 'run', '--project', 'all', '--reporter=dot', ...tests];
  const env = { ...process.env, TORCHTS_OFF: name };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  console.log(`${name.padEnd(32)}${status === 0 ? 'passed' : 'FAILED'}`);
  if (status !== 0) console.log(stdout, stderr);
  return status !== 0;
});
console.log(`${wanted.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
