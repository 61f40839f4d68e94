/**
 * Steps on their way to the engine. Short ones are handed over several at a time, because a call
 * and its promise cost as much as a small step; what they compute is the same either way.
 */

import type { Batch, DataLoader } from '../../data/loading/loader.ts';
import type { BatchStep } from '../task/task.ts';
import { BatchTensors, RUNS_AHEAD, stepsPerCall } from './batches.ts';
import { Pipeline } from './pipeline.ts';

/** How long one call may keep the engine busy: a signal waits for the calls under way. */
const CALL_MILLISECONDS = 5;

/** A signal waits for the steps under way: of long ones (ms) there is one at a time. */
const LONG_STEP = 1000;

/** How many steps of `milliseconds` each one call may have, `most` at the most. */
export function fittingSteps(milliseconds: number, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(CALL_MILLISECONDS / milliseconds)));
}

export class StepQueue {
  readonly #pipeline = new Pipeline(RUNS_AHEAD);
  #waiting: Parameters<BatchStep>[] = [];
  /** How many steps go into a call; it grows while they prove to be short. */
  #perCall = 1;
  /** Until the first ones are done, nobody knows. */
  #areLong = true;
  #lastDone = 0;

  readonly #tensors: BatchTensors;
  readonly #most: number;

  /** @param loader where the batches come from. */
  constructor(
    readonly step: Pick<BatchStep, 'many'>,
    { dataset, batchSize }: DataLoader,
  ) {
    this.#tensors = new BatchTensors(dataset);
    this.#most = stepsPerCall(batchSize, dataset.input);
  }

  /** True when the next step had better wait for `room`. */
  get full(): boolean {
    return this.#pipeline.full || (this.#areLong && this.#pipeline.busy);
  }

  add(batch: Batch): void {
    this.#waiting.push([this.#tensors.inputs(batch), this.#tensors.targets(batch)]);
    if (this.#waiting.length >= this.#perCall) this.flush();
  }

  /** Hands over what waits; runs queued from now on come after it. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.#waiting;
    this.#waiting = [];
    this.#pipeline.add(this.step.many(calls).then(() => this.#adapt(calls.length)));
  }

  /** Other work that is to be waited for with the steps; it comes after those added before. */
  also(work: () => Promise<unknown>): void {
    this.flush();
    this.#pipeline.add(work());
  }

  /** Waits until another step fits. Throws what the first failed step threw. */
  room(): Promise<void> {
    return this.#areLong ? this.#pipeline.idle() : this.#pipeline.room();
  }

  /** Waits until everything is done. Throws as `room`. */
  async idle(): Promise<void> {
    this.flush();
    await this.#pipeline.idle();
  }

  #adapt(steps: number): void {
    const now = performance.now();
    const each = (now - this.#lastDone) / steps;
    this.#lastDone = now;
    this.#areLong = each > LONG_STEP;
    this.#perCall = fittingSteps(each, Math.min(this.#most, 2 * this.#perCall));
  }
}
