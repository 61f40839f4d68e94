/** Our side of the suite, and what both sides share: processes that are timed. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Milliseconds between two looks at a process's memory. */
const LOOK_EVERY = 5;

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/**
 * Runs a command to its end. Throws when it fails.
 *
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ ms: number, rss_bytes: number, out: string }>}
 */
export async function runProcess([program, ...args], env = process.env) {
  const start = performance.now();
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  let rss_bytes = 0;
  const look = setInterval(() => {
    rss_bytes = Math.max(rss_bytes, peakResident(child.pid));
  }, LOOK_EVERY);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearInterval(look);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} gave ${code}: ${errors || out}`);
  return { ms: performance.now() - start, rss_bytes, out };
}

function peakResident(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}

/** One round of a row: what `torchts bench --json` prints. */
export async function benchRow({ name, steps }, threads) {
  const { out } = await runProcess([
    process.execPath,
    'dist/cli/main.js',
    'bench',
    `configs/bench/${name}.yaml`,
    ...['--json', '--steps', String(steps), '--warmup', String(Math.ceil(steps / 4))],
    ...['--threads', String(threads)],
  ]);
  return JSON.parse(out);
}

/**
 * What this machine gives at most: FLOP/s of a matrix product by precision, and bytes a second from
 * and to memory.
 *
 * @returns {Promise<{ float32: number, bfloat16: number, memory: number }>}
 */
export async function machineRates(threads) {
  const script = fileURLToPath(new URL('./rates.mjs', import.meta.url));
  const env = { ...process.env, TORCHTS_NUM_THREADS: String(threads) };
  return JSON.parse((await runProcess([process.execPath, script], env)).out);
}
