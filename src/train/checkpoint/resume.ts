/** What a run goes on from: the newest whole checkpoint of a run, or the one that was named. */

import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import type { MetricsRecord } from '../events.ts';
import type { TrainRequest } from '../request.ts';
import { RunDirectory } from '../run/run-directory.ts';
import { type Checkpoint, type Damaged, DamagedError, readCheckpoint } from './checkpoint.ts';
import { stepOf } from './checkpoint-folder.ts';

export interface Resumed {
  /** The run that the checkpoint is of; nothing where it was taken out of its run. */
  readonly source: RunDirectory | undefined;
  /** Goes on in a new run, because the old one has come further than this checkpoint. */
  readonly branches: boolean;
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  /** Newer ones of the run, newest first. */
  readonly damaged: readonly Damaged[];
}

/**
 * Finds and reads what `resume` names. A run that goes on is locked.
 *
 * @returns nothing for a new run.
 * @throws FileError where there is no checkpoint, or none is whole, or another process trains.
 */
export async function findResumed(request: TrainRequest): Promise<Resumed | undefined> {
  const { resume, out, loaded } = request;
  if (resume === undefined) return undefined;
  if (resume === 'auto') {
    const run = await RunDirectory.newest(out, loaded.config.name);
    return run && newestWhole(run);
  }
  const path = await realpath(resume).catch(() => resume);
  if (stepOf(basename(path)) !== undefined) return named(resume, path);
  const run = await RunDirectory.open(resume);
  await run.lock();
  return newestWhole(run);
}

/**
 * Training is exact, so going on from an older checkpoint loses time and nothing else.
 */
async function newestWhole(run: RunDirectory): Promise<Resumed> {
  const damaged: Damaged[] = [];
  try {
    for (const step of (await run.checkpoints.steps()).reverse()) {
      const folder = run.checkpoints.pathOf(step);
      try {
        const checkpoint = await readStep(folder);
        return { source: run, branches: false, folder, checkpoint, damaged };
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        damaged.push({ path: folder, reason: error.message });
      }
    }
    if (damaged.length === 0) throw new FileError(`${run.path} has no checkpoint to go on from`);
    const reasons = damaged.map(({ reason }) => reason).join('; ');
    throw new FileError(`${run.path} has no whole checkpoint to go on from: ${reasons}`);
  } catch (error) {
    await run.release();
    throw error;
  }
}

/** The checkpoint that was asked for and no other. */
async function named(resume: string, path: string): Promise<Resumed> {
  const owner = dirname(dirname(path));
  const source = await RunDirectory.open(owner).catch(() => undefined);
  const run = source?.path === owner ? source : undefined;
  const steps = (await run?.checkpoints.steps()) ?? [];
  const branches = run === undefined || steps.at(-1) !== stepOf(basename(path));
  const checkpoint = await readStep(path).catch(async (error) => {
    throw error instanceof DamagedError && run ? await withAdvice(error, run, path) : error;
  });
  if (run !== undefined && !branches) await run.lock();
  return { source: run, branches, folder: resume, checkpoint, damaged: [] };
}

/** Says which older checkpoint is whole. */
async function withAdvice(error: DamagedError, run: RunDirectory, path: string) {
  const steps = (await run.checkpoints.steps()).filter((step) => step < stepOf(basename(path))!);
  for (const folder of steps.reverse().map((step) => run.checkpoints.pathOf(step))) {
    const isWhole = await readStep(folder).catch(() => undefined);
    if (isWhole) return new DamagedError(`${error.message}; --resume ${folder} is whole`);
  }
  return error;
}

/** A whole checkpoint may still be another step's, in a folder that was renamed. */
async function readStep(folder: string): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(folder);
  const { step } = checkpoint.state;
  if (step === stepOf(basename(await realpath(folder)))) return checkpoint;
  throw new DamagedError(`${join(folder, 'state.json')} is damaged: it is of step ${step}`);
}

/**
 * Brings `run` to where the checkpoint was taken: what was written after it goes, and the links
 * are as it left them. Returns the newest record that stays.
 */
export async function rewind(
  run: RunDirectory,
  { source, branches, folder, checkpoint, damaged }: Resumed,
  keep: number,
): Promise<MetricsRecord | undefined> {
  const { checkpoints } = run;
  const { state } = checkpoint;
  for (const { path } of damaged) await checkpoints.setAside(path);
  if (branches) {
    const best = state.best && source?.checkpoints.pathOf(state.best.step);
    await checkpoints.adopt(await realpath(folder));
    if (best && state.best.step !== state.step)
      await checkpoints.adopt(best).catch(() => undefined);
  }
  const last = await run.rewind(state.records, branches ? source : run);
  await checkpoints.settle(state, keep);
  return last;
}
