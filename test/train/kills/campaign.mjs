/**
 * Trains each case once undisturbed and then again and again in processes that are killed with
 * SIGKILL and started anew with `--resume auto`, until they come to the end; then compares what
 * both have left behind, byte by byte.
 *
 *     npm run test:kills                          100 kills
 *     node test/train/kills/campaign.mjs 500 7    500 kills, at moments drawn from the seed 7
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases.mjs';
import { differences } from './compare.mjs';
import { session } from './session.mjs';

/** @import { Moment } from './session.mjs' */

const CONFIG = fileURLToPath(new URL('kills.yaml', import.meta.url));

/** The most kills of one run: a run that is killed for ever does not come to its end. */
const KILLS_A_RUN = 8;

/**
 * @param {{ kills: number, seed?: number, cases?: Record<string, string[]>,
 *   say?: (line: string) => void }} options
 * @returns {Promise<{ kills: number, faults: string[] }>} what differed; nothing in a sound world.
 */
export async function campaign({ kills, seed = 0, cases = CASES, say = () => undefined }) {
  const folder = await mkdtemp(join(tmpdir(), 'torchts-kills-'));
  const random = generator(seed);
  const entries = Object.entries(cases);
  /** @type {string[]} */
  const faults = [];
  let done = 0;
  try {
    /** @type {Map<string, Awaited<ReturnType<typeof undisturbed>>>} */
    const wholes = new Map();
    for (let round = 0; done < kills; round++) {
      const [name, overrides] = /** @type {[string, string[]]} */ (entries[round % entries.length]);
      const whole = wholes.get(name) ?? (await undisturbed(folder, overrides));
      wholes.set(name, whole);
      const out = join(folder, `round-${round}`);
      const most = Math.min(KILLS_A_RUN, kills - done);
      const { moments, directory } = await underFire(out, overrides, most, whole.ms, random);
      const found = await differences(whole.directory, directory);
      done += moments.length;
      faults.push(
        ...found.map((fault) => `${name}: ${fault}, after kills at ${moments.join(', ')}`),
      );
      say(
        `${found.length === 0 ? 'same bytes' : 'DIFFERENT '}  ${name}: killed at ${moments.join(', ')}`,
      );
      await rm(out, { recursive: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { kills: done, faults };
}

/**
 * @param {string} out
 * @param {readonly string[]} overrides
 */
function argumentsOf(out, overrides) {
  return [CONFIG, ...overrides, '--out', out, '--threads', '1', '--resume', 'auto'];
}

/**
 * @param {string} folder
 * @param {readonly string[]} overrides
 */
async function undisturbed(folder, overrides) {
  const out = await mkdtemp(join(folder, 'whole-'));
  const start = performance.now();
  const { directory = '' } = await session(argumentsOf(out, overrides));
  return { directory, ms: performance.now() - start };
}

/**
 * @param {string} out
 * @param {readonly string[]} overrides
 * @param {number} most kills
 * @param {number} ms that the whole takes undisturbed
 * @param {() => number} random
 */
async function underFire(out, overrides, most, ms, random) {
  /** @type {string[]} */
  const moments = [];
  for (;;) {
    const moment = moments.length < most ? drawMoment(ms, random) : undefined;
    const { killed, directory = '' } = await session(argumentsOf(out, overrides), moment);
    if (!killed) return { moments, directory };
    if (moment) moments.push(`${moment.what} ${moment.nth} + ${moment.delay} ms`);
  }
}

/**
 * @param {number} ms
 * @param {() => number} random
 * @returns {Moment}
 */
function drawMoment(ms, random) {
  /** @param {number} limit */
  const below = (limit) => Math.floor(random() * limit);
  const what = /** @type {const} */ ([
    'start',
    'start',
    'writing',
    'writing',
    'evaluation',
    'record',
    'checkpoint',
  ])[below(7)];
  if (what === undefined || what === 'start') {
    return { what: 'start', nth: 1, delay: below(ms) };
  }
  const most = { writing: 8, evaluation: 2, record: 40, checkpoint: 3 }[what];
  return { what, nth: 1 + below(most), delay: below(15) };
}

/**
 * Mulberry32: numbers in [0, 1).
 *
 * @param {number} seed
 */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kills = 100, seed = 0] = process.argv.slice(2).map(Number);
  const result = await campaign({ kills, seed, say: console.log });
  for (const fault of result.faults) console.log(fault);
  console.log(`${result.kills} kills, ${result.faults.length} differences`);
  process.exitCode = result.faults.length === 0 ? 0 : 1;
}
