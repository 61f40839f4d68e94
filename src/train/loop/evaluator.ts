/** Measures a model on whole data sets, without training it. */

import type { DataLoader } from '../../data/loading/loader.ts';
import { type BatchStep, evaluationStep, type Task } from '../task/task.ts';
import { StepQueue } from './step-queue.ts';
import type { Measurement, Totals } from './totals.ts';

/** One pass over all samples of a split. */
export interface Pass {
  readonly split: string;
  readonly measurement: Measurement;
  readonly seconds: number;
}

export class Evaluator {
  readonly #totals: Totals;
  readonly #step: BatchStep;

  constructor(
    readonly task: Task,
    onRetrace: (reason: string) => void,
  ) {
    this.#totals = task.totals('evaluation');
    this.#step = evaluationStep(task, this.#totals, onRetrace);
  }

  /** A pass over each of `loaders`; nothing when `signal` was aborted before the last batch. */
  async run(
    loaders: ReadonlyMap<string, DataLoader>,
    signal?: AbortSignal,
  ): Promise<Pass[] | undefined> {
    const { model } = this.task;
    const training = model.training;
    const passes: Pass[] = [];
    model.eval();
    try {
      for (const [split, loader] of loaders) {
        const start = performance.now();
        const measurement = await this.#pass(loader, signal);
        if (measurement === undefined) return undefined;
        passes.push({ split, measurement, seconds: (performance.now() - start) / 1000 });
      }
    } finally {
      model.train(training);
    }
    return passes;
  }

  async #pass(loader: DataLoader, signal?: AbortSignal): Promise<Measurement | undefined> {
    const queue = new StepQueue(this.#step, loader);
    this.#totals.clear();
    for (const batch of loader.epoch(0)) {
      queue.add(batch);
      if (queue.full) await queue.room();
      if (signal?.aborted) break;
    }
    await queue.idle();
    return signal?.aborted ? undefined : this.#totals.read();
  }

  dispose(): void {
    this.#step.dispose();
  }
}
