/** The splits that are not trained on: what measures them, and what becomes of it. */

import { keyOf, TEST } from '../../config/splits.ts';
import type { DataLoader } from '../../data/loading/loader.ts';
import type { Position } from '../checkpoint/checkpoint.ts';
import { DivergedError } from '../divergence/divergence.ts';
import type { TrainEvent } from '../events.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import type { Task } from '../task/task.ts';
import type { Clock } from './clock.ts';
import { Evaluator, type Pass } from './evaluator.ts';
import type { Measurement } from './totals.ts';

export interface HeldOutOptions {
  readonly task: Task;
  /** By the name of the split. */
  readonly heldOut: ReadonlyMap<string, DataLoader>;
  readonly run: RunDirectory;
  readonly clock: Clock;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
}

export class HeldOut {
  /** What every evaluation measures, and what is measured when training is over. */
  readonly val: ReadonlyMap<string, DataLoader>;
  readonly test: ReadonlyMap<string, DataLoader>;

  readonly #options: HeldOutOptions;
  readonly #evaluator: Evaluator;

  constructor(options: HeldOutOptions) {
    const { task, heldOut, emit } = options;
    this.#options = options;
    this.#evaluator = new Evaluator(task, (reason) => emit({ event: 'retrace', reason }));
    this.val = new Map([...heldOut].filter(([split]) => split !== TEST));
    this.test = new Map([...heldOut].filter(([split]) => split === TEST));
  }

  /**
   * Passes over some of the splits; nothing when the signal ended them early.
   *
   * @param position where training stands.
   * @throws DivergedError when a loss is not finite.
   */
  async measure(
    loaders: ReadonlyMap<string, DataLoader>,
    position: Position,
  ): Promise<readonly Pass[] | undefined> {
    const { signal, clock } = this.#options;
    const passes = await clock.pause(() => this.#evaluator.run(loaders, signal));
    for (const { split, measurement } of passes ?? []) {
      const { loss } = measurement.values;
      if (!Number.isFinite(loss)) {
        const { step } = position;
        const what = `the loss on ${keyOf(split)} is ${loss} after step ${step}`;
        throw new DivergedError(what, split, step);
      }
      await this.#keepArrays(split, measurement, position);
    }
    return passes;
  }

  /** What no record can hold, such as a confusion matrix. */
  async #keepArrays(
    split: string,
    { samples, arrays }: Measurement,
    { step, epoch }: Position,
  ): Promise<void> {
    if (Object.keys(arrays).length === 0) return;
    const { run, task, emit } = this.#options;
    const { classes } = task.train;
    const record = { step, epoch: epoch + 1, split, samples, classes, arrays };
    await run.keepArrays(record);
    emit({ event: 'arrays', ...record });
  }

  dispose(): void {
    this.#evaluator.dispose();
    for (const loader of this.#options.heldOut.values()) loader.dispose();
  }
}
