/**
 * Sets torchts up: npm's packages, system packages, the native engine, the TypeScript. What is up
 * to date is left alone.
 *
 *     node scripts/setup.mjs [--only-build]
 *
 * `--only-build` compiles only; it is what `npm run build` runs after `npm ci`.
 */

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportFailure, setUp } from './setup/set-up.mjs';
import { allSteps, buildSteps } from './setup/steps.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);

if (args.some((arg) => arg !== '--only-build')) {
  process.stderr.write('usage: node scripts/setup.mjs [--only-build]\n');
  process.exit(2);
}
try {
  const steps = args.includes('--only-build') ? buildSteps(root) : allSteps(root);
  if (!(await setUp(root, steps))) process.stderr.write('torchts: everything is up to date\n');
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
