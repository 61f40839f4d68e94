/** The sets of samples of a config, by the names that records have for them. */

import { nearestName } from '../base/errors.ts';
import type { Spec } from '../base/registry.ts';
import type { LoadedConfig } from './load.ts';
import type { ConfigPath } from './place.ts';

/** One data set, or several by name. */
export type HeldOut = Spec | Readonly<Record<string, Spec>>;

/** The parts of `data:` that are looked at here. */
export interface DataSets {
  readonly train?: unknown;
  readonly val?: HeldOut | undefined;
  readonly test?: Spec | undefined;
}

/** The split that is measured when training is over. */
export const TEST = 'test';

export interface Split {
  /** `train`, `val`, `val_NAME` or `test`. */
  readonly name: string;
  /** Where it stands in the config. */
  readonly path: ConfigPath;
  readonly spec: Spec;
}

/** What every evaluation measures, in order. */
export function validationSplits({ val }: DataSets): Split[] {
  if (val === undefined) return [];
  if ('type' in val) return [{ name: 'val', path: ['data', 'val'], spec: val as Spec }];
  return Object.entries(val).map(([name, spec]) => ({
    name: `val_${name}`,
    path: ['data', 'val', name],
    spec,
  }));
}

/** What is measured once, when training is over. */
export function testSplit({ test }: DataSets): Split | undefined {
  return test && { name: TEST, path: ['data', 'test'], spec: test };
}

/** All but the training samples. */
export function heldOutSplits(data: DataSets): Split[] {
  const test = testSplit(data);
  return [...validationSplits(data), ...(test === undefined ? [] : [test])];
}

/** Where the samples of a split stand in a config: `data.val.NAME` of `val_NAME`. */
export const keyOf = (split: string): string => `data.${split.replace('_', '.')}`;

/** The names of all splits that records may have. */
export function splitNames(data: DataSets): string[] {
  return ['train', ...heldOutSplits(data).map(({ name }) => name)];
}

/**
 * The splits that `name` asks for: `val` is all of `data.val`.
 *
 * @throws ConfigError where there are none.
 */
export function splitsCalled(name: string, { config: { data }, error }: LoadedConfig): string[] {
  const known = splitNames(data);
  const called = name === 'val' ? validationSplits(data).map((split) => split.name) : [name];
  if (called.length > 0 && called.every((split) => known.includes(split))) return called;
  const nearest = nearestName(name, known);
  const hint =
    nearest === undefined ? `there are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  throw error(['data'], `there is no ${keyOf(name)} to measure on; ${hint}`);
}
