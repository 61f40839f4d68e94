/** What a run tells of itself while it trains: records, progress, the best so far. */

import { ArgumentError } from '../../base/errors.ts';
import { isRate } from '../../callbacks/training-run.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { bestMonitors, RECORD_KEYS } from '../../config/metrics.ts';
import type { Best, Position, RunState } from '../checkpoint/checkpoint.ts';
import type { MetricsRecord, TrainEvent } from '../events.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import type { Clock } from './clock.ts';
import type { Pass } from './evaluator.ts';
import type { Rates } from './schedule.ts';
import type { Measurement } from './totals.ts';

/** Milliseconds between two `progress` events. */
const PROGRESS_INTERVAL = 100;

/** Also the name of a column in a table. */
const LOGGABLE = /^[A-Za-z_][\w./-]*$/;

export interface JournalOptions {
  readonly loaded: LoadedConfig;
  readonly run: RunDirectory;
  readonly clock: Clock;
  readonly emit: (event: TrainEvent) => void;
  readonly totalSteps: number;
}

export class Journal {
  /** The last value of each metric: `train_loss`, `val_accuracy`, ... */
  metrics: Readonly<Record<string, number>> = {};
  best: Best | null = null;
  /** What callbacks want to be in the next record. */
  logged: Readonly<Record<string, number>> = {};

  readonly #options: JournalOptions;
  /** Samples and steps of this session. */
  #samples = 0;
  #steps = 0;
  /** The training time of the last record of the training loss. */
  #recordedAt = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Goes on from a checkpoint. */
  restore({ metrics, best, callbacks }: RunState): void {
    this.metrics = metrics;
    this.best = best;
    this.logged = callbacks?.logged ?? {};
  }

  /**
   * Adds a number to the next record.
   * @throws ArgumentError for a value that is not finite, or a name that a record cannot have.
   */
  log(name: string, value: number): void {
    const own = [...RECORD_KEYS, ...this.#metricNames];
    if (!LOGGABLE.test(name) || own.includes(name) || isRate(name)) {
      throw new ArgumentError(
        `[log] "${name}" cannot be logged: expected a word of letters, digits, "_", "-", "." and ` +
          `"/", and none of ${own.join(', ')}`,
      );
    }
    if (!Number.isFinite(value)) {
      throw new ArgumentError(`[log] ${name} must be a finite number, got ${value}`);
    }
    this.logged = { ...this.logged, [name]: value };
  }

  /** The metrics of the config, without their splits. */
  get #metricNames(): string[] {
    return [...this.#options.loaded.measured.keys()].flatMap(
      (name) => /^train_(?!loss$)(.*)/.exec(name)?.[1] ?? [],
    );
  }

  /** Counts a step; tells the progress if it has not been told for a while. */
  stepped(samples: number, position: Position, rates: Rates): void {
    this.#samples += samples;
    this.#steps++;
    const now = this.#options.clock.now();
    if (now - this.#toldAt < PROGRESS_INTERVAL) return;
    this.#toldAt = now;
    this.tellProgress(position, rates);
  }

  tellProgress({ step, epoch }: Position, { lr }: Rates): void {
    const { clock, emit, totalSteps } = this.#options;
    const samples_per_second = clock.mark(this.#samples);
    const perStep = this.#samples / Math.max(1, this.#steps) / samples_per_second;
    emit({
      event: 'progress',
      step,
      total_steps: totalSteps,
      epoch: epoch + 1,
      loss: this.metrics.train_loss,
      lr,
      samples_per_second,
      seconds_left: samples_per_second > 0 ? (totalSteps - step) * perStep : Number.NaN,
    });
  }

  /** Records the training loss since the last record. */
  recordTraining(position: Position, rates: Rates, means: Measurement): MetricsRecord {
    const now = this.#options.clock.training;
    const speed = means.samples / (now - this.#recordedAt);
    this.#recordedAt = now;
    return this.#record('train', position, rates, means, speed);
  }

  /** Records a pass over samples that are not trained on. */
  recordPass(
    { split, measurement, seconds }: Pass,
    position: Position,
    rates: Rates,
  ): MetricsRecord {
    return this.#record(split, position, rates, measurement, measurement.samples / seconds);
  }

  /**
   * After an evaluation: the best so far is the model of `best.step`. A run whose metric has
   * changed, as after an edit of the config, starts over.
   */
  keepBest({ step }: Position): void {
    const { config, measured } = this.#options.loaded;
    const names = [config.trainer.monitor, ...bestMonitors(config.data)];
    const metric = names.find((name) => name !== undefined && name in this.metrics);
    if (metric === undefined) return;
    const value = this.metrics[metric]!;
    const gain = this.best?.metric === metric ? value - this.best.value : Number.NaN;
    const isWorse = measured.get(metric) === 'max' ? gain <= 0 : gain >= 0;
    if (!isWorse) this.best = { metric, value, step };
  }

  #record(
    split: MetricsRecord['split'],
    { step, epoch }: Position,
    rates: Rates,
    { values }: Measurement,
    samples_per_second: number,
  ): MetricsRecord {
    const { run, clock, emit } = this.#options;
    const measured = { ...this.logged, ...values };
    this.logged = {};
    const time = clock.elapsed;
    const record: MetricsRecord = {
      step,
      epoch: epoch + 1,
      split,
      ...measured,
      ...rates,
      samples_per_second,
      time,
    };
    run.append(record);
    const named = Object.entries(measured).map(([key, value]) => [`${split}_${key}`, value]);
    this.metrics = { ...this.metrics, ...Object.fromEntries(named) };
    emit({ event: 'metrics', ...record });
    return record;
  }
}
