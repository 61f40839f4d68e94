/** Who looks at a run from outside its loop, and writes what others want to see of it. */

import { warnOnce } from '../../base/warn.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { Resumed } from '../checkpoint/resume.ts';
import type { RunSummary, TrainEvent } from '../events.ts';
import type { NamedCallback } from '../loop/callbacks.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { readRecords } from '../run/run-files.ts';
import { StatusFile } from '../run/run-status.ts';
import type { Task } from '../task/task.ts';
import type { ReportParts } from './run-report.ts';
import { TensorBoard } from './tensorboard.ts';

export class Watchers {
  run: RunDirectory | undefined;
  readonly #tensorboard: TensorBoard | undefined;
  #status: StatusFile | undefined;
  #step = 0;

  /** @throws ConfigError when the config wants to see what there is not. */
  constructor(
    readonly loaded: LoadedConfig,
    readonly task: Task,
  ) {
    this.#tensorboard = TensorBoard.build(loaded, task);
  }

  /** What they do is no part of training, nor of a checkpoint. */
  get callbacks(): NamedCallback[] {
    if (this.#tensorboard === undefined) return [];
    return [{ type: 'TensorBoard', callback: this.#tensorboard, internal: true }];
  }

  /** Called with every event, before anyone else hears of it. */
  event(event: TrainEvent): void {
    if (event.event === 'metrics') this.#tensorboard?.record(event);
    if (event.event === 'metrics' || event.event === 'progress') this.#step = event.step;
  }

  /** The run goes on, with the records that it has kept. */
  async goOn(run: RunDirectory, { checkpoint, branches }: Resumed): Promise<void> {
    const { records } = await readRecords(run.path);
    if (branches) this.#tensorboard?.copy(records);
    else this.#tensorboard?.restore(checkpoint.state, records);
  }

  /** A session begins. Throws a `FileError`. */
  async begin(run: RunDirectory, facts: { step: number; total_steps: number }): Promise<void> {
    this.run = run;
    this.#step = facts.step;
    const measured = Object.fromEntries(this.loaded.measured);
    this.#status = await StatusFile.begin(run.path, { ...facts, measured });
  }

  /** A session has come to rest: at its end, or stopped by `signal`. Throws a `FileError`. */
  async end(
    { step }: RunSummary,
    signal: string | undefined,
    samples: ReportParts['samples'],
  ): Promise<void> {
    const message = signal === undefined ? null : `by ${signal}`;
    await this.#status?.end(signal === undefined ? 'finished' : 'stopped', step, message);
    // Who stops a run is waiting.
    await this.#report(signal === undefined ? samples : undefined);
  }

  /** Training has failed. Never throws: what made it fail is more important. */
  async failed(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    await this.#status?.end('failed', this.#step, message).catch(() => undefined);
    await this.#writeReport(undefined).catch(() => undefined);
  }

  /** A run that could be trained is no failure because its report cannot be written. */
  async #report(samples: ReportParts['samples']): Promise<void> {
    try {
      await this.#writeReport(samples);
    } catch (error) {
      warnOnce(`report.html was not written: ${(error as Error).message}`);
    }
  }

  async #writeReport(samples: ReportParts['samples']): Promise<void> {
    const { run, loaded, task } = this;
    if (run === undefined || !loaded.config.report) return;
    const { writeReport } = await import('./run-report.ts');
    await writeReport(run.path, { loaded, task, samples });
  }
}
