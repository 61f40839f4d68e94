/**
 * Steps on their way to the engine. Short ones are handed over several at a time, because a call
 * and its promise cost as much as a small step; what they compute is the same either way.
 */

import { setImmediate } from 'node:timers/promises';
import type { Batch, DataLoader } from '../../data/loading/loader.ts';
import type { BatchStep } from '../task/task.ts';
import { BatchTensors, RUNS_AHEAD, stepsPerCall } from './batches.ts';
import { Pipeline } from './pipeline.ts';

/** How long one call may keep the engine busy: a signal waits for the calls under way. */
const CALL_MILLISECONDS = 5;

/** A signal waits for the steps under way: of long ones (ms) there is one at a time. */
const LONG_STEP = 1000;

/** How long (ms) steps may follow each other before signals and timers have a turn. */
const TURN_EVERY = 100;

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
  #lastTurn = performance.now();

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
    return this.#pipeline.full || (this.#areLong && this.#pipeline.busy) || this.#isLate;
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
  async room(): Promise<void> {
    if (this.#isLate) await this.#takeTurn();
    await (this.#areLong ? this.#pipeline.idle() : this.#pipeline.room());
  }

  get #isLate(): boolean {
    return performance.now() - this.#lastTurn > TURN_EVERY;
  }

  /**
   * Waiting for steps is no turn: the engine's promises are kept one after the other in the same
   * one, for as long as it is done with a step before the next batch is made.
   */
  async #takeTurn(): Promise<void> {
    await setImmediate();
    await setImmediate(); // what came before the first is heard of before the second
    this.#lastTurn = performance.now();
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
