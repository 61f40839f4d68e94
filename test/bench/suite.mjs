/**
 * The suite: training steps of `configs/bench/*.yaml` beside the same networks in PyTorch, where a
 * Python has it (PYTHON names the interpreter), and a short training from a cold start beside a
 * script. Both sides take turns, and the ratio of the medians of one run is what counts.
 *
 * npm run bench -- [--rows a,b] [--rounds N] [--threads N] [--variants eager,compile] [--json]
 *
 * PyTorch's number is the best of eager, channels_last (for images) and torch.compile. The floor is
 * the step's direct FLOPs at the matrix rate measured in this run, or reading and writing the
 * parameters and the optimizer's state once, whichever is longer; Winograd convolutions can go
 * below.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchRow, machineRates, median, runProcess } from './measure.mjs';
import { Peer, torchCommand, torchVersion } from './peer.mjs';
import { ROWS, WALL_CLOCK } from './rows.mjs';
import { markdown } from './table.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    variants: { type: 'string', default: 'eager,channels_last,compile' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const threads = Number(options.threads);

function tell(text) {
  process.stderr.write(`${text}\n`);
}

/** What a side's rounds come to. */
function side(times, rss) {
  return { median: median(times), minimum: Math.min(...times), rss_bytes: Math.max(...rss) };
}

/** The variants of a row that run here, each a process of its own. */
async function openPeers(row, parameters) {
  const variants = options.variants
    .split(',')
    .filter((variant) => row.images || variant !== 'channels_last');
  const peers = [];
  for (const variant of variants) {
    const peer = new Peer(variant, 'torch_step.py', row.name, variant, String(threads));
    try {
      const { parameters: theirs } = await peer.ready();
      if (theirs !== parameters) {
        throw new RangeError(`${row.name}: ${parameters} parameters, but ${theirs} in PyTorch`);
      }
      peers.push({ peer, variant, times: [], rss: [] });
    } catch (error) {
      peer.close();
      if (error instanceof RangeError) throw error;
      tell(`${row.name}: ${error.message}`); // no compiler, most likely
    }
  }
  return peers;
}

async function measureRow(row, rates, withTorch) {
  const first = await benchRow({ ...row, steps: 1 }, threads);
  const peers = withTorch ? await openPeers(row, first.parameters) : [];
  const ours = { medians: [], minima: [], rss: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      const report = await benchRow(row, threads);
      ours.medians.push(report.ms_per_step_median);
      ours.minima.push(report.ms_per_step_min);
      ours.rss.push(report.rss_bytes);
      for (const { peer, times, rss } of peers) {
        const answer = await peer.ask(row.steps);
        times.push(...answer.times);
        rss.push(answer.rss_bytes);
      }
    }
  } finally {
    for (const { peer } of peers) peer.close();
  }
  const [torch] = peers
    .map(({ variant, times, rss }) => ({ variant, ...side(times, rss) }))
    .sort((a, b) => a.median - b.median);
  return {
    name: row.name,
    target: row.target,
    torchts: { ...side(ours.medians, ours.rss), minimum: Math.min(...ours.minima) },
    torch,
    floor: 1000 * floorSeconds(first, rates, row.precision),
  };
}

function floorSeconds({ flops_per_step, binding_bytes }, rates, precision) {
  return Math.max(flops_per_step / rates[precision], (2 * binding_bytes) / rates.memory);
}

async function measureWallClock(withTorch) {
  const folder = mkdtempSync(join(tmpdir(), 'torchts-bench-'));
  const config = 'configs/cifar10-smoke.yaml';
  const ours = ['bin/torchts', 'train', config, '--out', join(folder, 'runs')];
  const theirs = torchCommand('torch_train.py', join(folder, 'torch'), String(threads));
  const commands = {
    torchts: [...ours, '--threads', String(threads)],
    ...(withTorch && { torch: theirs }),
  };
  const runs = { torchts: [], torch: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [name, command] of Object.entries(commands)) {
        runs[name].push(await runProcess(command));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const sum = (list) =>
    side(
      list.map(({ ms }) => ms),
      list.map(({ rss_bytes }) => rss_bytes),
    );
  return {
    ...WALL_CLOCK,
    torchts: sum(runs.torchts),
    torch: runs.torch.length === 0 ? undefined : { variant: 'eager', ...sum(runs.torch) },
    floor: undefined,
  };
}

const version = torchVersion();
const wanted = options.rows?.split(',');
const isWanted = ({ name }) => wanted === undefined || wanted.includes(name);
const unknown = wanted?.filter((name) => ![...ROWS, WALL_CLOCK].some((row) => row.name === name));
if (unknown?.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
if (version === undefined) tell('PyTorch was not found (set PYTHON to an interpreter that has it)');
const rates = await machineRates(threads);
const results = [];
for (const row of ROWS.filter(isWanted)) {
  tell(`${row.name} ...`);
  results.push(await measureRow(row, rates, version !== undefined));
}
if (isWanted(WALL_CLOCK)) {
  tell(`${WALL_CLOCK.name} ...`);
  results.push(await measureWallClock(version !== undefined));
}
const giga = (rate) => (rate / 1e9).toFixed(0);
const machine =
  `PyTorch ${version ?? 'not found'}; ${threads} threads; median / minimum of ${rounds} rounds; ` +
  `matrix rates float32 ${giga(rates.float32)}, bfloat16 ${giga(rates.bfloat16)} GFLOP/s; ` +
  `memory ${giga(rates.memory)} GB/s`;
const text = options.json
  ? JSON.stringify({ torch: version, threads, rounds, rates, results })
  : `${machine}\n\n${markdown(results)}`;
process.stdout.write(`${text}\n`);
