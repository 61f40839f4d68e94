/** What differs between two runs, as `torchts diff` shows it. */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { formatPath } from '../../config/place.ts';
import { readConfig } from '../../config/source.ts';
import { toValue } from '../../config/tree.ts';
import { readJson } from './run-files.ts';
import { readRunInfo } from './run-list.ts';

export type Plain = string | number | boolean | null;

/** One value that the two have; `undefined` where one has none. */
export interface Difference {
  /** `optimizer.lr`, `val_accuracy`, `git.commit`. */
  readonly key: string;
  readonly a: Plain | undefined;
  readonly b: Plain | undefined;
}

export interface RunDiff {
  /** Keys of the configs whose values differ. */
  readonly config: readonly Difference[];
  /** The last values and the best one, of either; also where they agree. */
  readonly metrics: readonly Difference[];
  readonly environment: readonly Difference[];
}

/**
 * Compares the folders of two runs.
 *
 * @throws FileError where one is not a run, ConfigError where its config is no YAML.
 */
export async function diffRuns(a: string, b: string): Promise<RunDiff> {
  const [first, second] = await Promise.all([facts(a), facts(b)]);
  const differing = ({ a, b }: Difference) => a !== b;
  return {
    config: beside(first.config, second.config).filter(differing),
    metrics: beside(first.metrics, second.metrics),
    environment: beside(first.environment, second.environment).filter(differing),
  };
}

type Flat = ReadonlyMap<string, Plain>;

async function facts(run: string): Promise<Record<keyof RunDiff, Flat>> {
  const file = join(run, 'config.yaml');
  await readFile(file).catch((error) => {
    throw new FileError(`${run} is not the folder of a run: ${error.message}`, { cause: error });
  });
  const info = await readRunInfo(run);
  const { best, metrics, state, step, seconds } = info;
  return {
    config: flatten(toValue(readConfig(file))),
    metrics: flatten({
      state,
      step,
      seconds,
      ...metrics,
      ...(best === null ? {} : { best: { [best.metric]: best.value, step: best.step } }),
    }),
    environment: flatten((await readJson(join(run, 'env.json'))) ?? {}),
  };
}

/** Every key of either, in the order of the first and then of the second. */
function beside(a: Flat, b: Flat): Difference[] {
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  return keys.map((key) => ({ key, a: a.get(key), b: b.get(key) }));
}

/** `{ optimizer: { lr: 1 } }` as `optimizer.lr: 1`; empty objects and lists as text. */
function flatten(value: unknown): Map<string, Plain> {
  const flat = new Map<string, Plain>();
  const walk = (part: unknown, path: (string | number)[]): void => {
    if (part === null || typeof part !== 'object') {
      flat.set(formatPath(path), part as Plain);
      return;
    }
    const entries = Array.isArray(part) ? [...part.entries()] : Object.entries(part);
    if (entries.length === 0) flat.set(formatPath(path), Array.isArray(part) ? '[]' : '{}');
    for (const [key, below] of entries) walk(below, [...path, key]);
  };
  walk(value, []);
  flat.delete('');
  return flat;
}

/** A short name for each of two runs: as much of the end of their paths as tells them apart. */
export function shortNames(a: string, b: string): [string, string] {
  const [first, second] = [a, b].map((path) => path.split(/[/\\]/).filter(Boolean));
  for (let parts = 1; parts <= Math.max(first!.length, second!.length); parts++) {
    const names = [first, second].map((path) => path!.slice(-parts).join('/'));
    const isTelling = names.every((name) => !/^\d+$/.test(basename(name)) || name.includes('/'));
    if (names[0] !== names[1] && isTelling) return [names[0]!, names[1]!];
  }
  return [a, b];
}
