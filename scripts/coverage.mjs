/**
 * Compares every public name with PyTorch and writes docs/coverage.md.
 *
 *     PYTHON=python3 npm run coverage                      a few samples of each name
 *     PYTHON=python3 npm run coverage -- --per-op 20 --seed 1
 *
 * The options are those of test/torch/make_samples.py. PYTHON is one that has torch and numpy.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'torchts-coverage-'));

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

try {
  const samples = join(folder, 'samples');
  const script = join(root, 'test/torch/make_samples.py');
  const made = run(process.env.PYTHON ?? 'python3', [script, samples, ...process.argv.slice(2)]);
  if (made !== 0)
    throw new Error('the samples could not be recorded; PYTHON needs torch and numpy');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'all', '--reporter=dot', 'test/torch/coverage.test.ts'];
  const page = join(root, 'docs/coverage.md');
  process.exitCode = run(process.execPath, args, {
    ...process.env,
    TORCHTS_SAMPLES: samples,
    TORCHTS_COVERAGE: page,
  });
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  if (run(process.execPath, [biome, 'format', '--write', page]) !== 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
