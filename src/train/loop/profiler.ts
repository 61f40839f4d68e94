/**
 * Records some steps of a run as a Chrome trace, for chrome://tracing and https://ui.perfetto.dev:
 * on the engine's thread each step with its instructions, on the main thread what prepares them.
 * The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */

import type { StepProfile } from '../../core/compile.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Batch } from '../../data/index.ts';
import { writeFileAtomic } from '../../io/atomic.ts';
import type { BatchStep } from '../task/task.ts';

/** Steps of this session that pass before the first that is recorded, where there are enough. */
const SKIPPED = 10;
const RECORDED = 20;

const MAIN_THREAD = 1;
const ENGINE_THREAD = 2;

/** A complete event: `ts` and `dur` in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: 'X';
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Stands in front of a step. */
export class Profiler implements Pick<BatchStep, 'many'> {
  readonly #events: TraceEvent[] = [];
  #first = 0;
  #queued = 0;

  constructor(
    readonly file: string,
    readonly step: BatchStep,
  ) {}

  /** @param steps how many steps this session will take. */
  begin(steps: number): void {
    this.#first = Math.max(0, Math.min(SKIPPED, steps - RECORDED));
  }

  /** Whether one of the next `steps` steps is recorded. */
  #isNear(steps: number): boolean {
    const last = this.#first + RECORDED;
    return this.#queued < last && this.#queued + steps > this.#first;
  }

  /** `batches`, with the time it takes to make each. */
  *watch(batches: Iterable<Batch>): Generator<Batch, void> {
    let start = performance.now();
    for (const batch of batches) {
      if (this.#isNear(1)) this.#onMainThread('load batch', start);
      yield batch;
      start = performance.now();
    }
  }

  /** As of the step; those recorded are queued one by one. */
  async many(calls: readonly [input: Tensor, target: Tensor][]): Promise<undefined[]> {
    if (this.#isNear(calls.length)) return Promise.all(calls.map((call) => this.#run(...call)));
    this.#queued += calls.length;
    return this.step.many(calls);
  }

  #run(input: Tensor, target: Tensor): Promise<undefined> {
    const isRecorded = this.#isNear(1);
    const name = `step ${++this.#queued}`;
    if (!isRecorded) return this.step(input, target);
    const start = performance.now();
    const profiled = this.step.profile(input, target);
    this.#onMainThread(`queue ${name}`, start);
    return profiled.then((profile) => this.#onEngineThread(name, profile));
  }

  /** Writes the trace. Throws a `FileError`. */
  async write(): Promise<void> {
    const name = (tid: number, thread: string) => ({
      name: 'thread_name',
      ph: 'M',
      pid: process.pid,
      tid,
      args: { name: thread },
    });
    const traceEvents = [
      name(MAIN_THREAD, 'main thread'),
      name(ENGINE_THREAD, 'engine thread'),
      ...this.#events,
    ];
    await writeFileAtomic(this.file, JSON.stringify({ displayTimeUnit: 'ns', traceEvents }));
  }

  #onMainThread(name: string, start: number): void {
    this.#add(MAIN_THREAD, 'input', name, start, performance.now());
  }

  #onEngineThread(name: string, { kernels, clock }: StepProfile<unknown>): undefined {
    this.#add(ENGINE_THREAD, 'step', name, clock[0]!, clock.at(-1)!);
    kernels.forEach(({ label, kernel, method, flops }, i) => {
      const [start, end] = [clock[i]!, clock[i + 1]!];
      if (start === end) return; // an alias
      const gflops_per_second = flops === 0 ? undefined : flops / (end - start) / 1e6;
      const args = { instruction: i, kernel, method, gflops_per_second };
      this.#add(ENGINE_THREAD, 'instruction', label, start, end, args);
    });
  }

  /** `start` and `end` in milliseconds. */
  #add(
    tid: number,
    cat: string,
    name: string,
    start: number,
    end: number,
    args?: TraceEvent['args'],
  ): void {
    const [ts, dur] = [start * 1000, (end - start) * 1000];
    this.#events.push({ name, cat, ph: 'X', ts, dur, pid: process.pid, tid, args });
  }
}
