/** `CONFIG|RUN`: a config file, or the folder of a run that was made from one. */

import fs from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../base/errors.ts';

export interface Target {
  /** The config file to load. */
  readonly config: string;
  /** The run's folder, when a run was named. */
  readonly run: string | undefined;
  /** The sweep's folder, when a sweep was named. */
  readonly sweep?: string;
}

/**
 * Takes `runs/NAME/N` as that run, `runs/NAME` as its newest one, `runs/NAME/sweep-N` as that
 * sweep, and anything else as a file.
 *
 * @throws ConfigError when it names a folder that is neither.
 */
export function resolveTarget(name: string): Target {
  if (!isDirectory(name)) return { config: name, run: undefined };
  const sweep = path.join(name, 'sweep.yaml');
  if (fs.existsSync(sweep)) return { config: sweep, run: undefined, sweep: name };
  const newest = numberedRuns(name).at(-1);
  for (const run of newest === undefined ? [name] : [name, newest]) {
    const config = path.join(run, 'config.yaml');
    if (fs.existsSync(config)) return { config, run };
  }
  throw new ConfigError(`${name} is a folder without a config.yaml: not a run`);
}

/**
 * The same, where weights are wanted: the folder of a checkpoint stands for its run, and so does
 * the config in a run's folder.
 */
export interface WeightsTarget extends Target {
  /** The checkpoint's folder, when one was named. */
  readonly checkpoint?: string;
}

/** @throws ConfigError as `resolveTarget`, for a checkpoint that lies in no run, and a sweep. */
export function resolveWeightsTarget(name: string): WeightsTarget {
  const folder = path.dirname(name);
  if (path.basename(name) === 'config.yaml' && isDirectory(path.join(folder, 'checkpoints'))) {
    return { config: name, run: folder };
  }
  if (!isDirectory(name) || !fs.existsSync(path.join(name, 'state.json'))) {
    const target = resolveTarget(name);
    if (target.sweep === undefined) return target;
    throw new ConfigError(`${name} is a sweep; name one of its runs: ${path.join(name, 'N')}`);
  }
  const run = path.join(name, '..', '..');
  const config = path.join(run, 'config.yaml');
  if (fs.existsSync(config)) return { config, run, checkpoint: name };
  throw new ConfigError(
    `${name} is a checkpoint, but lies in no run; name a config, and it with --checkpoint`,
  );
}

/**
 * The folder of a checkpoint: `best`, the default, `last` or the step's of the run that was named
 * or, without one, of the newest run of `name` in `runs`; anything else is a folder itself.
 *
 * @throws ConfigError when there is no such run, or it has no checkpoint of that step.
 */
export function checkpointCalled(
  which: string | undefined,
  target: WeightsTarget,
  runs: string,
  name: string,
): string {
  if (target.checkpoint !== undefined) {
    if (which === undefined) return target.checkpoint;
    throw new ConfigError(`${target.checkpoint} is a checkpoint; there is no use for --checkpoint`);
  }
  const isStep = which !== undefined && /^\d+$/.test(which);
  if (!isStep && which !== undefined && which !== 'best' && which !== 'last') return which;
  const run = runOf(target, runs, name);
  if (run === undefined) {
    throw new ConfigError(
      `there is no run in ${path.join(runs, name)} yet; train first, or give --checkpoint a folder`,
    );
  }
  const folder = path.join(run, 'checkpoints');
  return path.join(folder, isStep ? stepIn(folder, which) : (which ?? 'best'));
}

/** The run that was named, or the newest run of `name` in `runs`, if there is one. */
export function runOf(target: Target, runs: string, name: string): string | undefined {
  return target.run ?? resolveTarget(path.join(runs, name)).run;
}

function stepIn(folder: string, step: string): string {
  const name = `step-${Number(step)}`;
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  if (names.includes(name)) return name;
  const steps = names.flatMap((each) => /^step-(\d+)$/.exec(each)?.[1] ?? []).map(Number);
  const there = steps.sort((a, b) => a - b).join(', ') || 'none';
  throw new ConfigError(`${folder} has no checkpoint of step ${step}; there are: ${there}`);
}

/** The folders `1`, `2`, ... in `folder`, in that order. */
function numberedRuns(folder: string): string[] {
  return fs
    .readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => path.join(folder, name));
}

function isDirectory(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
