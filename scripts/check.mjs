/**
 * Every check of the project, after `scripts/setup.mjs`; `npm test` runs both.
 *
 *     npm test                        all checks
 *     npm test -- test/io -t header   only vitest, with these arguments
 *     npm run test:sanitize           only the native tests, under sanitizers
 *
 * The last line is `N passed, N failed`: tests of vitest and of the native engine; a check that is
 * not made of tests (a lint, a build) counts as one failed when it fails, and not at all otherwise.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clangFormat, nativeSources } from './native-sources.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @typedef {{ passed: number, failed: number, skipped: number, note?: string }} Counts */

/** @type {Record<string, (args: string[]) => Promise<Counts>>} */
const CHECKS = {
  // Format, lint and import cycles.
  biome: () => runCheck([...nodeTool('@biomejs/biome/bin/biome'), 'check', '.']),
  types: () => runCheck([...nodeTool('typescript/bin/tsc'), '-p', '.']),
  'clang-format': checkNativeFormat,
  vitest: runVitest,
  sanitizers: runSanitized,
};

const args = process.argv.slice(2);
const only = /^--only=(.*)$/.exec(args[0] ?? '')?.[1];
if (only !== undefined) process.exitCode = await runAll([only], []);
else if (args.length > 0) process.exitCode = await runAll(['vitest'], args);
else process.exitCode = await runAll(Object.keys(CHECKS), []);

/**
 * @param {readonly string[]} names
 * @param {string[]} vitestArgs
 */
async function runAll(names, vitestArgs) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const summary = [];
  for (const name of names) {
    const check = CHECKS[name];
    if (check === undefined) throw new Error(`unknown check "${name}"`);
    console.log(`\n== ${name}`);
    const started = performance.now();
    const counts = await check(vitestArgs);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    summary.push(`${name.padEnd(14)}${`${seconds} s`.padStart(8)}  ${outcome(counts)}`);
  }
  console.log(`\n${summary.join('\n')}\n${countsLine(total)}`);
  return total.failed === 0 ? 0 : 1;
}

/** @param {Counts} counts */
function outcome(counts) {
  if (counts.note !== undefined) return counts.note;
  return counts.passed + counts.failed + counts.skipped === 0 ? 'passed' : countsLine(counts);
}

/** @param {Counts} counts */
function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * A check that passes or fails as a whole.
 *
 * @param {string[]} command
 * @returns {Promise<Counts>}
 */
async function runCheck(command) {
  const { code } = await run(command);
  return code === 0 ? none() : failedAsAWhole();
}

/** @returns {Counts} */
function none() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/** @returns {Counts} */
function failedAsAWhole() {
  return { passed: 0, failed: 1, skipped: 0, note: 'FAILED' };
}

function checkNativeFormat() {
  const formatter = clangFormat();
  if ('program' in formatter) {
    return runCheck([formatter.program, '--dry-run', '--Werror', ...nativeSources(root)]);
  }
  console.log(formatter.missing);
  return Promise.resolve({ ...none(), note: 'skipped' });
}

/** @param {string[]} vitestArgs */
async function runVitest(vitestArgs) {
  const report = join(root, '.cache/vitest.json');
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = nodeTool('vitest/vitest.mjs');
  const { code } = await run([...vitest, 'run', ...reporters, ...vitestArgs]);
  const counts = readVitestReport(report);
  // Vitest also fails for what belongs to no test: a file that does not load, a stray rejection.
  if (code !== 0 && counts.failed === 0) return { ...counts, failed: 1 };
  return counts;
}

/**
 * @param {string} path
 * @returns {Counts}
 */
function readVitestReport(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return failedAsAWhole();
  }
  /** @type {{ status: string, assertionResults: unknown[] }[]} */
  const files = report.testResults;
  const unloaded = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.length,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function runSanitized() {
  const folder = 'build-sanitize';
  const cores = String(availableParallelism());
  const configure = ['cmake', '-S', 'native', '-B', folder, '-DTORCHTS_SANITIZE=ON'];
  for (const command of [configure, ['cmake', '--build', folder, '-j', cores]]) {
    if ((await run(command)).code !== 0) return failedAsAWhole();
  }
  const test = ['ctest', '--test-dir', folder, '--output-on-failure', '--no-tests=error'];
  const { output } = await run([...test, '-j', cores]);
  const summary = /(\d+) tests? failed out of (\d+)/.exec(output);
  if (summary === null) return failedAsAWhole();
  const failed = Number(summary[1]);
  // ctest counts what it skipped (an instruction set this CPU lacks) among what passed.
  const skipped = output.match(/\*\*\*Skipped/g)?.length ?? 0;
  return { passed: Number(summary[2]) - failed - skipped, failed, skipped };
}

/** @param {string} script below node_modules */
function nodeTool(script) {
  return [process.execPath, join(root, 'node_modules', script)];
}

/**
 * Runs a command from the root, its output shown and given back.
 *
 * @param {string[]} command
 * @returns {Promise<{ code: number, output: string }>}
 */
function run([program = '', ...rest]) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) };
    const child = spawn(program, rest, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ text) => {
        process.stdout.write(text);
        output += text;
      });
    }
    child.on('error', (error) => {
      console.error(error.message);
      resolve({ code: 1, output });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
