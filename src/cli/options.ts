/** Options that several commands share, each written once. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReportMode } from './progress.ts';

export interface CommonOptions {
  readonly device?: string;
  readonly threads?: number;
  readonly seed?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const OPTIONS = {
  device: () => new Option('--device <device>', 'where to compute, over the config: auto or cpu'),
  threads: () => new Option('--threads <n>', 'the most threads to use').argParser(positiveInteger),
  seed: () => new Option('--seed <n>', 'where random numbers start, over the config'),
  json: () => new Option('--json', 'one JSON event a line on standard output, nothing else'),
  quiet: () => new Option('--quiet', 'print only errors and the result').conflicts('json'),
} satisfies Record<keyof CommonOptions, () => Option>;

/** Adds the named options to `command`. */
export function withCommon(command: Command, ...names: (keyof CommonOptions)[]): Command {
  for (const name of names) command.addOption(OPTIONS[name]());
  return command;
}

/** Which weights of a run; see `checkpointCalled`. */
export function checkpointOption(): Option {
  return new Option('--checkpoint <which>', 'best, last, a step or a folder; best unless given');
}

/** `--device` and `--seed` are overrides of the config like any other. */
export function overridesOf(options: CommonOptions, overrides: readonly string[]): string[] {
  const out = [...overrides];
  if (options.device !== undefined) out.push(`device=${options.device}`);
  if (options.seed !== undefined) out.push(`seed=${options.seed}`);
  return out;
}

export function reportMode(options: CommonOptions): ReportMode {
  if (options.json) return 'json';
  return options.quiet ? 'quiet' : 'auto';
}

/** For options that may come again: all of their values. */
export const collected = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('It must be a positive integer.');
  }
  return value;
}
