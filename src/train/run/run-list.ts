/** The runs below a folder, as `torchts ls` shows them. */

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { FileError } from '../../base/errors.ts';
import type { Best } from '../checkpoint/checkpoint.ts';
import { readLastRecord, readProgress, readSummary } from './run-files.ts';
import { isTrained } from './run-lock.ts';
import type { RunState } from './run-states.ts';
import { readStatus } from './run-status.ts';

export interface RunInfo {
  /** As it is reached from the folder that was listed. */
  readonly path: string;
  readonly name: string;
  /** Of the runs of one name; null where the folder has no number. */
  readonly number: number | null;
  readonly state: RunState;
  /** Why it stopped or failed, or what is wrong with the folder. */
  readonly message: string | null;
  readonly step: number | null;
  readonly total_steps: number | null;
  readonly epoch: number | null;
  readonly best: (Best & { readonly mode: 'min' | 'max' | null }) | null;
  /** The last values: `train_loss`, `val_accuracy`, ... */
  readonly metrics: Readonly<Record<string, number>>;
  /** ISO 8601. */
  readonly started: string | null;
  /** That it has trained, without the time between sessions. */
  readonly seconds: number | null;
}

/** `DIR/SWEEP/NAME/N` is as deep as torchts puts a run. */
const MAX_DEPTH = 4;
/** What a run's folder has beside `config.yaml`, a name that other folders have too. */
const SIGNS = ['checkpoints', 'env.json', 'metrics.jsonl', 'status.json'];

/**
 * All runs in `folder` and below; links are not followed. Throws a `FileError` where there is no
 * such folder.
 */
export async function listRuns(folder: string): Promise<RunInfo[]> {
  try {
    await readdir(folder);
  } catch (error) {
    throw new FileError(`cannot read ${folder}: ${(error as Error).message}`, { cause: error });
  }
  return (await search(folder, folder, 0)) ?? [];
}

/** The runs below; nothing where there is neither a run nor another folder. */
async function search(root: string, folder: string, depth: number): Promise<RunInfo[] | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  const names = entries.map(({ name }) => name);
  if (isRun(names)) return [await readRunInfo(folder)];
  if (depth > 0 && /^\d+$/.test(basename(folder))) {
    return [strange(folder, 'damaged', 'it has no config.yaml')];
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  if (depth === MAX_DEPTH || folders.length === 0) return undefined;
  folders.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const found: RunInfo[] = [];
  for (const { name } of folders) {
    const path = join(folder, name);
    const below = await search(root, path, depth + 1);
    // Only what stands beside runs is worth a word.
    if (below !== undefined) found.push(...below);
    else if (depth === 0) found.push(strange(path, 'foreign', 'there is no run in it'));
  }
  return found.length > 0 || relative(root, folder) === '' ? found : undefined;
}

function isRun(names: readonly string[]): boolean {
  return names.includes('config.yaml') && SIGNS.some((sign) => names.includes(sign));
}

function strange(path: string, state: 'damaged' | 'foreign', message: string): RunInfo {
  return { ...identity(path), ...NOTHING, state, message };
}

const NOTHING = {
  message: null,
  step: null,
  total_steps: null,
  epoch: null,
  best: null,
  metrics: {},
  started: null,
  seconds: null,
};

/** `runs/NAME/3` is the third of NAME; a folder without a number has its own name. */
function identity(path: string): Pick<RunInfo, 'path' | 'name' | 'number'> {
  const parts = path.split(/[/\\]/).filter(Boolean);
  const last = parts.at(-1) ?? path;
  if (!/^\d+$/.test(last)) return { path, name: last, number: null };
  return { path, name: parts.at(-2) ?? last, number: Number(last) };
}

/** What is known of the run in `folder`, whatever state its files are in. */
export async function readRunInfo(folder: string): Promise<RunInfo> {
  const [status, summary, progress, last, isHeld] = await Promise.all([
    readStatus(folder),
    readSummary(folder),
    readProgress(folder),
    readLastRecord(folder),
    isTrained(folder),
  ]);
  const said = status?.state ?? (summary === undefined ? 'running' : 'finished');
  const state = said !== 'running' ? said : isHeld ? 'running' : status ? 'killed' : 'stopped';
  const isOver = state !== 'running' && state !== 'killed';
  const steps = [isOver ? status?.step : undefined, summary?.step, progress?.step, last?.step];
  const best = progress?.best ?? null;
  const known = steps.filter((step) => step !== undefined);
  return {
    ...identity(folder),
    state,
    message: status?.message ?? null,
    step: known.length === 0 ? null : Math.max(...known),
    total_steps: status?.total_steps ?? null,
    epoch: last?.epoch ?? null,
    best: best && { ...best, mode: status?.measured[best.metric] ?? null },
    metrics: (state === 'finished' ? summary?.metrics : undefined) ?? progress?.metrics ?? {},
    started: status?.started ?? null,
    seconds: (state === 'finished' ? summary?.seconds : undefined) ?? last?.time ?? null,
  };
}
