/**
 * A run's folder, `NAME/N` in the folder of all runs: the resolved config, where it ran, its
 * metrics, its checkpoints and what came of it.
 */

import { appendFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { fileError, fsyncPath, writeFileAtomic } from '../../io/atomic.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointFolder } from '../checkpoint/checkpoint-folder.ts';
import type { ArraysRecord, MetricsRecord, RunSummary } from '../events.ts';
import type { WeightsReport } from '../task/initial-weights.ts';
import { lockRun } from './run-lock.ts';

const CONFIG_FILE = 'config.yaml';
const METRICS_FILE = 'metrics.jsonl';
/** The same records as a table, for spreadsheets; written whenever a run comes to rest. */
const TABLE_FILE = 'metrics.csv';
/** What the newest pass over each split measured beside numbers. */
const EVALUATIONS = 'evaluations';
/** What it began with, where that was a file of weights. */
export const WEIGHTS_FILE = 'weights.json';

/** What its training samples taught, where that was anything. */
export const LEARNED_FILE = 'learned.json';

export class RunDirectory {
  readonly checkpoints: CheckpointFolder;
  #records = 0;
  #unlock: (() => Promise<void>) | undefined;

  private constructor(readonly path: string) {
    this.checkpoints = new CheckpointFolder(join(path, 'checkpoints'));
  }

  /**
   * Makes the next free `out/name/N`, for this process. Throws a `FileError` when that cannot be
   * written.
   */
  static async create(out: string, name: string): Promise<RunDirectory> {
    const parent = join(out, name);
    try {
      await mkdir(parent, { recursive: true });
      const run = new RunDirectory(await makeNumbered(parent));
      await mkdir(run.checkpoints.path);
      await run.lock();
      return run;
    } catch (error) {
      throw fileError(`cannot make a folder for the run in ${parent}`, error);
    }
  }

  /**
   * The run in `path`, or the newest of the runs in it. Throws a `FileError` where there is none.
   */
  static async open(path: string): Promise<RunDirectory> {
    const names = await list(path);
    if (names.includes(CONFIG_FILE)) return new RunDirectory(path);
    const newest = numbered(names).at(-1);
    if (newest !== undefined) return new RunDirectory(join(path, String(newest)));
    throw new FileError(`${path} is not the folder of a run`);
  }

  /** The newest run called `name` that has a checkpoint, locked. Throws as `lock`. */
  static async newest(out: string, name: string): Promise<RunDirectory | undefined> {
    const parent = join(out, name);
    for (const number of numbered(await list(parent)).reverse()) {
      const run = new RunDirectory(join(parent, String(number)));
      if (!(await run.checkpoints.mayHoldSome())) continue;
      await run.lock();
      if ((await run.checkpoints.steps()).length > 0) return run;
      await run.release();
    }
    return undefined;
  }

  /**
   * Keeps other processes from training here until `release`, and clears away what one that was
   * killed left behind. Throws a `FileError` when another one trains here.
   */
  async lock(): Promise<void> {
    this.#unlock = await lockRun(this.path);
    const leftovers = (await list(this.path)).filter((name) => /^\..*\.tmp$/.test(name));
    await Promise.all(leftovers.map((name) => rm(join(this.path, name), { recursive: true })));
    await this.checkpoints.recover();
  }

  async release(): Promise<void> {
    await this.#unlock?.();
  }

  /** Lines in `metrics.jsonl`. */
  get records(): number {
    return this.#records;
  }

  /**
   * Keeps the config and where the run happens. Of a run that goes on with another config the
   * earlier ones stay, as `config.1.yaml`, `config.2.yaml`, ...
   */
  async describe(config: string, environment: object): Promise<void> {
    const before = await this.config();
    if (before !== undefined && before !== config) {
      const names = await list(this.path);
      let number = 1;
      while (names.includes(`config.${number}.yaml`)) number++;
      await writeFileAtomic(join(this.path, `config.${number}.yaml`), before);
    }
    await Promise.all([
      writeFileAtomic(join(this.path, CONFIG_FILE), config),
      writeFileAtomic(join(this.path, 'env.json'), asJson(environment)),
    ]);
  }

  /** The text of its newest config; nothing before `describe`. */
  async config(): Promise<string | undefined> {
    return readText(join(this.path, CONFIG_FILE));
  }

  /** Keeps what is known of the weights that the run began with. */
  async keepWeights(report: WeightsReport): Promise<void> {
    await writeFileAtomic(join(this.path, WEIGHTS_FILE), asJson(report));
  }

  /** Keeps what the training samples taught; see `DatasetSource`. */
  async keepLearned(learned: unknown): Promise<void> {
    await writeFileAtomic(join(this.path, LEARNED_FILE), `${JSON.stringify(learned)}\n`);
  }

  async finish(summary: RunSummary): Promise<void> {
    await writeFileAtomic(join(this.path, 'summary.json'), asJson(summary));
  }

  /** Keeps the arrays of the newest pass over a split. */
  async keepArrays(record: ArraysRecord): Promise<void> {
    const folder = join(this.path, EVALUATIONS);
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw fileError(`cannot make ${folder}`, error);
    }
    await writeFileAtomic(join(folder, `${record.split}.json`), `${JSON.stringify(record)}\n`);
  }

  /** Writes the table of all records so far. */
  async tabulate(): Promise<void> {
    const records = (await this.#lines()).map((line) => this.#parse(line));
    await writeFileAtomic(join(this.path, TABLE_FILE), asTable(records));
  }

  /** The lines of `metrics.jsonl`; a run that stopped before its first record has no such file. */
  async #lines(): Promise<string[]> {
    const text = (await readText(join(this.path, METRICS_FILE))) ?? '';
    return text.split('\n').filter(Boolean);
  }

  #parse(line: string): MetricsRecord {
    try {
      return JSON.parse(line);
    } catch {
      const file = join(this.path, METRICS_FILE);
      throw new FileError(`${file} is damaged: ${line.slice(0, 60)} is not a record`);
    }
  }

  /** Adds a line to `metrics.jsonl`; it is with the system when this returns. */
  append(record: MetricsRecord): void {
    const file = join(this.path, METRICS_FILE);
    try {
      appendFileSync(file, `${JSON.stringify(record)}\n`);
    } catch (error) {
      throw fileError(`cannot write ${file}`, error);
    }
    this.#records++;
  }

  /**
   * Goes back to where a checkpoint left `metrics.jsonl`, of this run or of `source`: the first
   * `count` lines stay. Returns the last of them.
   */
  async rewind(count: number, source: RunDirectory = this): Promise<MetricsRecord | undefined> {
    const kept = (await source.#lines()).slice(0, count);
    const last = kept.at(-1);
    const record = last === undefined ? undefined : this.#parse(last);
    await writeFileAtomic(join(this.path, METRICS_FILE), kept.map((line) => `${line}\n`).join(''));
    this.#records = kept.length;
    return record;
  }

  /**
   * Writes a checkpoint, after the records that it counts are safe; see `CheckpointFolder.save`.
   */
  async save(checkpoint: Checkpoint, keep: number): Promise<string> {
    if (this.#records > 0) await fsyncPath(join(this.path, METRICS_FILE));
    return this.checkpoints.save(checkpoint, keep);
  }
}

/** Two runs that start at once get two numbers: making a folder fails for the later one. */
async function makeNumbered(parent: string): Promise<string> {
  for (let number = (numbered(await list(parent)).at(-1) ?? 0) + 1; ; number++) {
    const path = join(parent, String(number));
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function numbered(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The names in a folder; none where there is no such folder. */
async function list(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

/** Nothing where there is no such file. Throws a `FileError`. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(`cannot read ${path}`, error);
  }
}

/** Comma-separated values under a line of names; records have numbers and plain words only. */
function asTable(records: readonly MetricsRecord[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record) => names.map((name) => record[name] ?? '').join(','));
  return [names.join(','), ...rows].map((line) => `${line}\n`).join('');
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
