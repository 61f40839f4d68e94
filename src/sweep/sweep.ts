/**
 * Trains the trials of a sweep one after the other, each in a run of its own. One that fails ends
 * nothing but itself; a signal stops the trial under way after a checkpoint, and the sweep goes on
 * from there later.
 */

import { basename, dirname, join } from 'node:path';
import { ConfigError, FileError, TorchtsError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { TrainEvent } from '../train/events.ts';
import { readProgress, readRecords } from '../train/run/run-files.ts';
import { train } from '../train/train.ts';
import { type Load, planSweep, type SweepPlan, trialConfig } from './plan.ts';
import { describePoint } from './space.ts';
import { ranked, SweepFolder, type SweepState, type Trial } from './sweep-folder.ts';

export interface SweepRequest {
  /** With its `sweep:`. */
  readonly loaded: LoadedConfig;
  readonly load: Load;
  /** The folder of all runs. */
  readonly out: string;
  /** The folder of a sweep to go on with. */
  readonly resume: string | undefined;
  readonly threads: number | undefined;
  readonly onEvent: (event: TrainEvent | SweepEvent) => void;
  readonly signal: AbortSignal;
}

export type SweepEvent =
  | {
      readonly event: 'trial';
      readonly trial: number;
      readonly trials: number;
      readonly values: Readonly<Record<string, unknown>>;
      /** The same in words. */
      readonly description: string;
      /** That it is to have had after this round; null: to its end. */
      readonly epochs: number | null;
    }
  | { readonly event: 'trial_failed'; readonly trial: number; readonly message: string };

export interface SweepSummary extends SweepState {
  readonly directory: string;
  /** The best first. */
  readonly trials: Trial[];
  /** The signal that stopped it. */
  readonly stopped: string | null;
}

/**
 * @throws ConfigError before anything is trained, when the sweep or one of its trials is wrong;
 *   FileError when something cannot be written.
 */
export async function runSweep(request: SweepRequest): Promise<SweepSummary> {
  const plan = await planSweep(request.loaded, request.load);
  const { name } = request.loaded.config;
  const folder =
    request.resume === undefined
      ? await SweepFolder.create(request.out, name, request.loaded.text)
      : SweepFolder.open(request.resume);
  const state = request.resume === undefined ? newState(plan) : await folder.read();
  checkSame(folder, plan, state);
  await folder.write(state);
  const sweep = new Sweep(request, plan, folder, state);
  await sweep.run();
  return {
    ...state,
    trials: ranked(state),
    directory: folder.path,
    stopped: request.signal.aborted ? String(request.signal.reason) : null,
  };
}

function newState({ sweep, points, monitor, mode }: SweepPlan): SweepState {
  const trials = points.map((values, i): Trial => {
    const nothing = { run: null, value: null, epochs: null, met: null, message: null };
    return { number: i + 1, values, state: 'waiting', rounds: 0, ...nothing };
  });
  return { version: 1, monitor, mode, method: sweep.method, trials };
}

/** A sweep goes on with the trials that it began with. */
function checkSame({ path }: SweepFolder, { points }: SweepPlan, { trials }: SweepState): void {
  const before = trials.map(({ values }) => JSON.stringify(values));
  const now = points.map((point) => JSON.stringify(point));
  if (before.join('\n') === now.join('\n')) return;
  throw new ConfigError(`${path} has other trials than the config; begin a new sweep`);
}

class Sweep {
  constructor(
    readonly request: SweepRequest,
    readonly plan: SweepPlan,
    readonly folder: SweepFolder,
    readonly state: SweepState,
  ) {}

  /** Round by round; of those that finished one, the best go on to the next. */
  async run(): Promise<void> {
    const { rounds, sweep } = this.plan;
    for (const [round, epochs] of rounds.entries()) {
      const alive = this.state.trials.filter(
        ({ state }) => state !== 'failed' && state !== 'dropped',
      );
      for (const trial of alive) {
        if (trial.rounds > round) continue;
        await this.#train(trial, round, epochs);
        if (this.request.signal.aborted) return;
      }
      if (round < rounds.length - 1) await this.#drop(round, sweep.eta);
    }
  }

  /** Leaves one in `eta` of the round's trials, at least one. */
  async #drop(round: number, eta: number): Promise<void> {
    const { trials, mode } = this.state;
    const finished = trials.filter((trial) => trial.state === 'finished' && trial.rounds > round);
    // When the sweep goes on, this may have been done before.
    const isDone = trials.some(
      ({ state, rounds }) => rounds > round + 1 || (state === 'dropped' && rounds === round + 1),
    );
    if (isDone) return;
    const staying = Math.max(1, Math.ceil(finished.length / eta));
    for (const trial of ranked({ trials: finished, mode }).slice(staying)) trial.state = 'dropped';
    await this.folder.write(this.state);
  }

  async #train(trial: Trial, round: number, epochs: number | undefined): Promise<void> {
    const { onEvent, signal, threads, load } = this.request;
    onEvent({
      event: 'trial',
      trial: trial.number,
      trials: this.state.trials.length,
      values: trial.values,
      description: describePoint(trial.values),
      epochs: epochs ?? null,
    });
    trial.state = 'running';
    let written: Promise<void> = Promise.resolve();
    try {
      const { ok: met } = await train({
        loaded: await trialConfig(load, trial.values, epochs),
        out: dirname(this.folder.path),
        folder: this.folder.name,
        resume: await this.#runOf(trial),
        threads,
        signal,
        onEvent: (event) => {
          if (event.event === 'start') {
            trial.run = basename(event.directory);
            written = this.folder.write(this.state);
            written.catch(() => undefined);
          }
          onEvent(event);
        },
      });
      if (!signal.aborted) Object.assign(trial, { state: 'finished', rounds: round + 1, met });
    } catch (error) {
      if (!(error instanceof TorchtsError) || error instanceof FileError) throw error;
      Object.assign(trial, { state: 'failed', message: error.message });
      onEvent({ event: 'trial_failed', trial: trial.number, message: error.message });
    }
    await written;
    await this.#measure(trial);
    await this.folder.write(this.state);
  }

  /** The run to go on with; one that was killed before its first checkpoint begins again. */
  async #runOf({ run }: Trial): Promise<string | undefined> {
    const path = run === null ? undefined : join(this.folder.path, run);
    return path && (await readProgress(path)) && path;
  }

  /** Notes how far a trial came, and the best that it reached. */
  async #measure(trial: Trial): Promise<void> {
    if (trial.run === null) return;
    const { monitor, mode } = this.state;
    const { records } = await readRecords(join(this.folder.path, trial.run));
    const values = records.flatMap(({ split, ...record }) =>
      Object.entries(record).flatMap(([key, value]) =>
        `${split}_${key}` === monitor && typeof value === 'number' ? [value] : [],
      ),
    );
    trial.epochs = records.at(-1)?.epoch ?? null;
    const better = (a: number, b: number) => Math[mode](a, b);
    trial.value = values.length === 0 ? null : values.reduce(better);
  }
}
