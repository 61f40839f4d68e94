/**
 * A run's folder, `NAME/N` in the folder of all runs: the resolved config, where it ran, its
 * metrics, its checkpoints and what came of it.
 */

import { appendFileSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../base/errors.ts';
import { fileError, fsyncDirectory, writeFileAtomic } from '../io/atomic.ts';
import { type Checkpoint, type RunState, writeCheckpoint } from './checkpoint.ts';
import type { MetricsRecord, RunSummary } from './events.ts';

const METRICS_FILE = 'metrics.jsonl';
/** The same records as a table, for spreadsheets; written whenever a run comes to rest. */
const TABLE_FILE = 'metrics.csv';

export class RunDirectory {
  readonly #checkpoints: string;
  #records = 0;

  private constructor(readonly path: string) {
    this.#checkpoints = join(path, 'checkpoints');
  }

  /** Makes the next free `out/name/N`. Throws a `FileError` when that cannot be written. */
  static async create(out: string, name: string): Promise<RunDirectory> {
    const parent = join(out, name);
    try {
      await mkdir(parent, { recursive: true });
      const run = new RunDirectory(await makeNumbered(parent));
      await mkdir(run.#checkpoints);
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
    if (names.includes('config.yaml')) return new RunDirectory(path);
    const newest = numbered(names).at(-1);
    if (newest !== undefined) return new RunDirectory(join(path, String(newest)));
    throw new FileError(`${path} is not the folder of a run`);
  }

  /** The newest run called `name` that has a checkpoint. */
  static async newest(out: string, name: string): Promise<RunDirectory | undefined> {
    const parent = join(out, name);
    for (const number of numbered(await list(parent)).reverse()) {
      const run = new RunDirectory(join(parent, String(number)));
      if ((await run.newestCheckpoint()) !== undefined) return run;
    }
    return undefined;
  }

  /** Lines in `metrics.jsonl`. */
  get records(): number {
    return this.#records;
  }

  async describe(config: string, environment: object): Promise<void> {
    await Promise.all([
      writeFileAtomic(join(this.path, 'config.yaml'), config),
      writeFileAtomic(join(this.path, 'env.json'), asJson(environment)),
    ]);
  }

  async finish(summary: RunSummary): Promise<void> {
    await writeFileAtomic(join(this.path, 'summary.json'), asJson(summary));
  }

  /** Writes the table of all records so far. */
  async tabulate(): Promise<void> {
    const records = (await this.#lines()).map((line) => JSON.parse(line) as MetricsRecord);
    await writeFileAtomic(join(this.path, TABLE_FILE), asTable(records));
  }

  /** The lines of `metrics.jsonl`; a run that stopped before its first record has no such file. */
  async #lines(): Promise<string[]> {
    const text = await readFile(join(this.path, METRICS_FILE), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
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
   * Takes back what was written after the checkpoint of `state`: its records stay, and the links
   * are as it left them. Returns the last record that stays.
   */
  async rewind({ step, best, records }: RunState): Promise<MetricsRecord | undefined> {
    const file = join(this.path, METRICS_FILE);
    const kept = (await this.#lines()).slice(0, records);
    await writeFileAtomic(file, kept.map((line) => `${line}\n`).join(''));
    this.#records = kept.length;
    await this.#link('last', step);
    await this.#link('best', best?.step ?? step);
    const last = kept.at(-1);
    return last === undefined ? undefined : (JSON.parse(last) as MetricsRecord);
  }

  checkpointPath(step: number): string {
    return join(this.#checkpoints, checkpointName(step));
  }

  /** The folder of the checkpoint of the highest step. */
  async newestCheckpoint(): Promise<string | undefined> {
    const step = (await this.#steps()).at(-1);
    return step === undefined ? undefined : this.checkpointPath(step);
  }

  /**
   * Writes the checkpoint of a step and points `last` at it, and `best` at the best one. The
   * newest `keep` and the best stay. Returns the checkpoint's folder.
   */
  async save(checkpoint: Checkpoint, keep: number): Promise<string> {
    const { step, best } = checkpoint.state;
    const path = this.checkpointPath(step);
    await writeCheckpoint(path, checkpoint);
    const bestStep = best?.step ?? step;
    await Promise.all([this.#link('last', step), this.#link('best', bestStep)]);
    for (const old of (await this.#steps()).slice(0, -keep)) {
      if (old !== bestStep) await rm(this.checkpointPath(old), { recursive: true });
    }
    return path;
  }

  /** Points the link at the checkpoint of `step`, replacing the old link in one move. */
  async #link(name: 'last' | 'best', step: number): Promise<void> {
    const path = join(this.#checkpoints, name);
    const target = checkpointName(step);
    const temporary = `${path}.tmp`;
    try {
      if ((await readlink(path).catch(() => '')) === target) return;
      await rm(temporary, { force: true });
      await symlink(target, temporary);
      await rename(temporary, path);
      await fsyncDirectory(this.#checkpoints);
    } catch (error) {
      throw fileError(`cannot write ${path}`, error);
    }
  }

  /** Steps that have a checkpoint, in order. */
  async #steps(): Promise<number[]> {
    const names = await list(this.#checkpoints);
    return numbered(names.flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []));
  }
}

function checkpointName(step: number): string {
  return `step-${step}`;
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

/** Comma-separated values under a line of names; records have numbers and plain words only. */
function asTable(records: readonly MetricsRecord[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record) => names.map((name) => record[name] ?? '').join(','));
  return [names.join(','), ...rows].map((line) => `${line}\n`).join('');
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
