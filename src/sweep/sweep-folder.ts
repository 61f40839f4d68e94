/**
 * The folder of a sweep, `OUT/NAME/sweep-N`: its config, the runs of its trials, and `sweep.json`,
 * from which it goes on where it stopped.
 */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../base/errors.ts';
import { INTERPRETED } from '../base/registry.ts';
import { fileError, writeFileAtomic } from '../io/atomic.ts';
import { readJson } from '../train/run/run-files.ts';

export const SWEEP_FILE = 'sweep.json';
export const SWEEP_CONFIG = 'sweep.yaml';
const TABLE_FILE = 'sweep.csv';

const trial = z.object({
  /** From 1, in the order of the plan. */
  number: z.int(),
  values: z.record(z.string(), z.unknown()),
  /** The folder of its run in the sweep's; null before it began. */
  run: z.string().regex(/^\d+$/).nullable(),
  /** `dropped`: others did better, so it was not trained on. */
  state: z.enum(['waiting', 'running', 'finished', 'failed', 'dropped']),
  /** Rounds that it has finished. */
  rounds: z.int().min(0),
  /** The best value of the monitored metric, and the last epoch. */
  value: z.number().nullable(),
  epochs: z.number().nullable(),
  /** Whether the config's `expect:` was met; null before its end. */
  met: z.boolean().nullable(),
  /** Why it failed. */
  message: z.string().nullable(),
});

const sweepState = z.object({
  version: z.literal(1),
  monitor: z.string(),
  mode: z.enum(['min', 'max']),
  method: z.string(),
  trials: z.array(trial),
});

export type Trial = z.output<typeof trial>;
export type SweepState = z.output<typeof sweepState>;

export class SweepFolder {
  private constructor(readonly path: string) {}

  /** Makes the next free one. Throws a `FileError`. */
  static async create(out: string, name: string, config: string): Promise<SweepFolder> {
    const parent = join(out, name);
    try {
      await mkdir(parent, { recursive: true });
      for (let number = 1 + Math.max(0, ...(await numbers(parent))); ; number++) {
        const path = join(parent, `sweep-${number}`);
        const made = await mkdir(path).catch((error) => {
          if (error.code !== 'EEXIST') throw error;
          return 'taken';
        });
        if (made === 'taken') continue;
        await writeFileAtomic(join(path, SWEEP_CONFIG), config);
        return new SweepFolder(path);
      }
    } catch (error) {
      throw fileError(`cannot make a folder for the sweep in ${parent}`, error);
    }
  }

  static open(path: string): SweepFolder {
    return new SweepFolder(path);
  }

  /** The name that trials are trained under: `sweep-1`. */
  get name(): string {
    return this.path.split(/[/\\]/).at(-1)!;
  }

  /** Throws a `FileError` where it is missing or damaged. */
  async read(): Promise<SweepState> {
    const file = join(this.path, SWEEP_FILE);
    const { data } = sweepState.safeParse(await readJson(file), INTERPRETED);
    if (data === undefined) throw new FileError(`${file} is missing or damaged`);
    return data;
  }

  /** Throws a `FileError`. */
  async write(state: SweepState): Promise<void> {
    const text = `${JSON.stringify(state, null, 2)}\n`;
    await writeFileAtomic(join(this.path, SWEEP_FILE), text);
    await writeFileAtomic(join(this.path, TABLE_FILE), asCsv(state));
  }
}

/** The newest sweep of `name`; nothing where there is none. */
export async function newestSweep(out: string, name: string): Promise<string | undefined> {
  const newest = Math.max(0, ...(await numbers(join(out, name))));
  return newest === 0 ? undefined : join(out, name, `sweep-${newest}`);
}

async function numbers(parent: string): Promise<number[]> {
  const names = await readdir(parent).catch((): string[] => []);
  return names.flatMap((name) => Number(/^sweep-(\d+)$/.exec(name)?.[1] ?? []) || []);
}

/** Trials as they are compared: the best first, those without a value last. */
export function ranked({ trials, mode }: Pick<SweepState, 'trials' | 'mode'>): Trial[] {
  const sign = mode === 'max' ? -1 : 1;
  const worth = ({ value }: Trial) => (value === null ? Number.POSITIVE_INFINITY : sign * value);
  return [...trials].sort((a, b) => {
    const [left, right] = [worth(a), worth(b)];
    return left === right ? a.number - b.number : left - right;
  });
}

function asCsv(state: SweepState): string {
  const keys = [...new Set(state.trials.flatMap(({ values }) => Object.keys(values)))];
  const titles = ['trial', 'state', state.monitor, 'epochs', 'run', ...keys];
  const rows = ranked(state).map(({ number, state: how, value, epochs, run, values }) => [
    ...[number, how, value, epochs, run],
    ...keys.map((key) => values[key]),
  ]);
  return [titles, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

/** RFC 4180. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
