/** Measures a model on a whole data set, without training it. */

import type { DataLoader } from '../data/loader.ts';
import { StepQueue } from './step-queue.ts';
import { type BatchStep, evaluationStep, type Task } from './task.ts';
import type { Measurement, Totals } from './totals.ts';

export class Evaluator {
  readonly #totals: Totals;
  readonly #step: BatchStep;
  readonly #queue: StepQueue;

  constructor(
    readonly task: Task,
    readonly loader: DataLoader,
    onRetrace: (reason: string) => void,
  ) {
    this.#totals = task.totals('evaluation');
    this.#step = evaluationStep(task, this.#totals, onRetrace);
    this.#queue = new StepQueue(this.#step, loader);
  }

  /** Over all samples; nothing when `signal` was aborted before the last of them. */
  async run(signal?: AbortSignal): Promise<Measurement | undefined> {
    const { model } = this.task;
    const training = model.training;
    model.eval();
    try {
      return await this.#pass(signal);
    } finally {
      model.train(training);
    }
  }

  async #pass(signal?: AbortSignal): Promise<Measurement | undefined> {
    this.#totals.clear();
    for (const batch of this.loader.epoch(0)) {
      this.#queue.add(batch);
      if (this.#queue.full) await this.#queue.room();
      if (signal?.aborted) break;
    }
    await this.#queue.idle();
    return signal?.aborted ? undefined : this.#totals.read();
  }

  dispose(): void {
    this.#step.dispose();
    this.loader.dispose();
  }
}
