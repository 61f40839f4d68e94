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
 * The folder of a checkpoint: `best` or `last` of `run` or, without one, of the newest run of
 * `name` in `runs`; anything else is a folder itself.
 *
 * @throws ConfigError when there is no such run.
 */
export function checkpointCalled(
  which: string,
  run: string | undefined,
  runs: string,
  name: string,
): string {
  if (which !== 'best' && which !== 'last') return which;
  const folder = path.join(runs, name);
  const found = run ?? resolveTarget(folder).run;
  if (found !== undefined) return path.join(found, 'checkpoints', which);
  throw new ConfigError(
    `there is no run in ${folder} yet; train first, or give --checkpoint a folder`,
  );
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
