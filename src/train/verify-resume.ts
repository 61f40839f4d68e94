/**
 * Proves that a config's training goes on exactly: processes are killed outright in the middle of
 * it and started again, and what they end with is compared with what an undisturbed one ends with.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TorchtsError } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import type { LoadedConfig } from '../config/load.ts';
import { readCheckpoint } from './checkpoint/checkpoint.ts';
import { checkpointDifference } from './checkpoint/checkpoint-difference.ts';
import { KILL_AFTER, type TrainEvent } from './events.ts';
import { samplesPerStep } from './task/task.ts';

export interface VerifyRequest {
  readonly loaded: LoadedConfig;
  /** The config file and the overrides that `loaded` was made from. */
  readonly config: string;
  readonly overrides: readonly string[];
  readonly threads: number | undefined;
  /** Steps that are trained, at most; a config may ask for fewer. */
  readonly steps: number;
  readonly signal: AbortSignal;
  /** Told of every comparison when it is done. */
  readonly onTrial: (trial: Trial) => void;
}

export interface Trial {
  readonly kind: 'again' | 'mid-epoch' | 'epoch end';
  /** The step after whose checkpoint the process was killed; null where it was not. */
  readonly killed_after: number | null;
  /** What differs first, and by how much; null where all bytes are the same. */
  readonly difference: string | null;
}

export interface VerifyResult {
  readonly name: string;
  readonly steps: number;
  readonly steps_per_epoch: number;
  readonly trials: readonly Trial[];
  readonly exact: boolean;
}

/** @throws TorchtsError when a training fails by itself. */
export async function verifyResume(request: VerifyRequest): Promise<VerifyResult> {
  const folder = await mkdtemp(join(tmpdir(), 'torchts-verify-'));
  try {
    return await verifyIn(folder, request);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function verifyIn(folder: string, request: VerifyRequest): Promise<VerifyResult> {
  const { loaded, onTrial } = request;
  const most = Math.min(request.steps, loaded.config.trainer.max_steps ?? request.steps);
  const straight = join(folder, 'straight');
  const start = await trainOnce(request, straight, most, []);
  const { total_steps: steps, train_samples } = start;
  const perEpoch = Math.ceil(train_samples / samplesPerStep(loaded.config));
  const trials: Trial[] = [];
  for (const [kind, step] of killsOf(steps, perEpoch)) {
    const out = join(folder, kind.replace(' ', '-'));
    if (step !== null) await trainOnce(request, out, steps, [step]);
    await trainOnce(request, out, steps, []);
    const difference = (await differenceOf(straight, out, loaded.config.name)) ?? null;
    const trial = { kind, killed_after: step, difference };
    trials.push(trial);
    onTrial(trial);
  }
  const exact = trials.every(({ difference }) => difference === null);
  return { name: loaded.config.name, steps, steps_per_epoch: perEpoch, trials, exact };
}

/** Where to kill, as far as so few steps have such places. */
function killsOf(steps: number, perEpoch: number): [Trial['kind'], number | null][] {
  const kills: [Trial['kind'], number | null][] = [['again', null]];
  const half = Math.max(1, Math.floor(steps / 2));
  const inMiddle = [half, half + 1].find((step) => step < steps && step % perEpoch !== 0);
  if (inMiddle !== undefined) kills.push(['mid-epoch', inMiddle]);
  const end = Math.floor((steps - 1) / perEpoch) * perEpoch;
  if (end > 0) kills.push(['epoch end', end]);
  return kills;
}

type StartEvent = TrainEvent & { event: 'start' };

/** One process, which is killed after the checkpoint of the step in `kills`, if there is one. */
async function trainOnce(
  { config, overrides, threads, signal }: VerifyRequest,
  out: string,
  steps: number,
  kills: readonly number[],
): Promise<StartEvent> {
  const [kill] = kills;
  const without = ['expect=null', 'trainer.max_seconds=null', 'sweep=null', 'report=false'];
  const changed = [`trainer.max_steps=${steps}`, ...without];
  if (kill !== undefined) changed.push(`trainer.checkpoint_every=${kill}`);
  const options = ['--out', out, '--resume', 'auto', '--json'];
  if (threads !== undefined) options.push('--threads', String(threads));
  const command = join(PACKAGE_ROOT, 'dist', 'cli', 'main.js');
  const args = [command, 'train', config, ...overrides, ...changed, ...options];
  const env = { ...process.env, ...(kill && { [KILL_AFTER]: String(kill) }) };
  const child = spawn(process.execPath, args, {
    env,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    texts.err += text;
  });
  const ended = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject).on('close', (code, by) => resolve(by ?? code ?? 1));
  });
  const expected = kill === undefined ? 0 : 'SIGKILL';
  if (ended !== expected) {
    const reason = texts.err.trim().replace(/^torchts: /, '') || `it ended with ${ended}`;
    throw new TorchtsError(`training failed by itself: ${reason}`);
  }
  const events = texts.out.trimEnd().split('\n');
  return events.map((line) => JSON.parse(line)).find(({ event }) => event === 'start');
}

async function differenceOf(expected: string, found: string, name: string) {
  const [a, b] = [expected, found].map((out) => join(out, name, '1')) as [string, string];
  for (const link of ['last', 'best']) {
    const folders = [a, b].map((run) => join(run, 'checkpoints', link));
    const [x, y] = await Promise.all(folders.map(readCheckpoint));
    const difference = checkpointDifference(x!, y!);
    if (difference !== undefined) return `${link}/${difference}`;
  }
  return recordsDifference(await recordsOf(a), await recordsOf(b));
}

function recordsDifference(expected: string[], found: string[]): string | undefined {
  const line = expected.findIndex((record, i) => record !== found[i]);
  if (line >= 0) return `metrics.jsonl: line ${line + 1} is ${found[line]}, not ${expected[line]}`;
  if (found.length === expected.length) return undefined;
  return `metrics.jsonl: ${found.length} lines, not ${expected.length}`;
}

/** The records without what a clock measured. */
async function recordsOf(run: string): Promise<string[]> {
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { time: _, samples_per_second: __, ...record } = JSON.parse(line);
      return JSON.stringify(record);
    });
}
