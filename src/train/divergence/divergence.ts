/**
 * Where a loss that is no longer finite comes from. Training looks at its losses only when they are
 * recorded, which costs nothing; the steps since the last sound checkpoint are then taken again,
 * each looked at, and the first bad one once more, op by op, with an eye on every module.
 */

import { TorchtsError } from '../../base/errors.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { keyOf } from '../../config/splits.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { DataLoader } from '../../data/loading/loader.ts';
import type { TrainEvent } from '../events.ts';
import { BatchTensors } from '../loop/batches.ts';
import type { Task } from '../task/task.ts';
import { Replay, type ReplayBatch } from './replay.ts';
import { flawOf, watchForward, watchStep } from './step-watch.ts';

/** The loss, or a weight, is no longer finite. */
export class DivergedError extends TorchtsError {
  /**
   * @param what was noticed.
   * @param split the data on which it was.
   * @param noticedAt the step after which it was noticed.
   * @param soundUntil a step up to which all training losses were finite.
   */
  constructor(
    readonly what: string,
    readonly split: string,
    readonly noticedAt: number,
    readonly soundUntil = noticedAt,
  ) {
    super(`training stopped: ${what}`);
  }
}

export interface TraceOptions {
  readonly loaded: LoadedConfig;
  /** As training has left it. */
  readonly task: Task;
  readonly loader: DataLoader;
  readonly heldOut: ReadonlyMap<string, DataLoader>;
  /** The last sound checkpoint; nothing before the first. */
  readonly checkpoint: string | undefined;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Seconds that it may take. */
  readonly seconds?: number;
}

const MOST_SECONDS = 300;
/** Losses that are shown. */
const SHOWN = 4;

/** What was found out. */
interface Found {
  /** The first bad step, in a sentence. */
  readonly where: string;
  readonly step: number;
  /** In words. */
  readonly cause: string | undefined;
  /** Of the steps before, oldest first. */
  readonly losses: readonly number[];
  /** The data are at fault. */
  readonly inData: boolean;
}

/** The same error in full: with the step, the layer, the last checkpoint and what to try. */
export async function explained(
  error: DivergedError,
  options: TraceOptions,
): Promise<TorchtsError> {
  const last = lastCheckpoint(options.checkpoint);
  try {
    const tracer = new Tracer(error, options);
    const found = error.split === 'train' ? await tracer.trace() : tracer.traceHeldOut();
    const cause = found.cause ?? 'computed op by op everything is finite: it is close to overflow';
    const parts = [error.message, `${found.where}: ${cause}`, ...history(found), last];
    return new TorchtsError([...parts, ...advice(found)].join('; '));
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    const untraced = `where it began was not found: ${reason}`;
    return new TorchtsError([error.message, untraced, last, SMALLER].join('; '));
  }
}

/** @param path of the newest checkpoint. */
export function lastCheckpoint(path: string | undefined): string {
  return path === undefined ? 'no checkpoint was written yet' : `the last checkpoint is ${path}`;
}

const SMALLER = 'try a smaller optimizer.lr';

function advice({ inData, losses }: Found): string[] {
  if (inData) return [];
  const [first = Number.NaN] = losses;
  const grows = Math.abs(losses.at(-1) ?? Number.NaN) > 2 * Math.abs(first);
  if (grows || losses.length < 2) return [`${SMALLER}, or trainer.clip_grad_norm`];
  return ['trainer.detect_anomaly=true names the op'];
}

function history({ losses, step }: Found): string[] {
  if (losses.length === 0) return [];
  const shown = losses.map((loss) => String(Number(loss.toPrecision(4)))).join(', ');
  const first = step - losses.length;
  return [`the losses of steps ${first} to ${step - 1} were ${shown}`];
}

class Tracer {
  readonly #end: number;
  readonly #seconds: number;

  constructor(
    readonly error: DivergedError,
    readonly options: TraceOptions,
  ) {
    this.#seconds = options.seconds ?? MOST_SECONDS;
    this.#end = performance.now() + this.#seconds * 1000;
  }

  async trace(): Promise<Found> {
    const { step, losses } = await this.#firstBadStep();
    const replay = await Replay.open(this.options);
    try {
      await this.#forward(replay, step - 1);
      const batch = replay.next()!;
      const bad = badSample('data.train', batch);
      const cause = bad ?? watchStep(replay.task, replay.totals, batch.input, batch.target);
      return { where: `it began in step ${step}`, step, losses, cause, inData: bad !== undefined };
    } finally {
      replay.dispose();
    }
  }

  /** The model is as it was when the loss was measured: nothing needs to be taken again. */
  traceHeldOut(): Found {
    const { task, heldOut } = this.options;
    const { split } = this.error;
    const loader = heldOut.get(split)!;
    const tensors = new BatchTensors(loader.dataset);
    task.model.eval();
    for (const batch of loader.epoch(0)) {
      this.#checkTime();
      const [input, target] = [tensors.inputs(batch), tensors.targets(batch)];
      const bad = badSample(keyOf(split), { ...batch, input, target });
      const cause = bad ?? watchForward(task, input, target);
      if (cause === undefined) continue;
      const where = `in the first bad batch of ${keyOf(split)}`;
      return { where, step: this.error.noticedAt, losses: [], cause, inData: bad !== undefined };
    }
    throw new TorchtsError('batch by batch, everything is finite');
  }

  async #firstBadStep(): Promise<Pick<Found, 'step' | 'losses'>> {
    const { soundUntil, noticedAt, what } = this.error;
    const replay = await Replay.open(this.options);
    const seconds = this.#seconds;
    this.options.emit({
      event: 'trace',
      what,
      from_step: replay.step,
      to_step: noticedAt,
      seconds,
    });
    const losses: number[] = [];
    try {
      // A weight that the last sound step has broken shows in the loss after it.
      await this.#forward(replay, soundUntil - 1);
      replay.totals.clear();
      while (replay.step < noticedAt) {
        this.#checkTime();
        if (!(await replay.take())) break;
        const loss = await replay.loss();
        const { step } = replay;
        if (!Number.isFinite(loss) || !(await replay.isFinite())) {
          return { step, losses: losses.slice(-SHOWN) };
        }
        losses.push(loss);
      }
    } finally {
      replay.dispose();
    }
    throw new TorchtsError('it did not happen when the steps were taken again');
  }

  /** Takes steps until `step` is taken. */
  async #forward(replay: Replay, step: number): Promise<void> {
    while (replay.step < step) {
      this.#checkTime();
      if (!(await replay.take())) return;
    }
  }

  #checkTime(): void {
    if (this.options.signal.aborted) throw new TorchtsError('stopped by a signal');
    if (performance.now() < this.#end) return;
    throw new TorchtsError(`it took more than ${this.#seconds} s`);
  }
}

/** The first sample of a batch that is not finite itself. */
function badSample(
  name: string,
  { input, target, indices }: Pick<ReplayBatch, 'input' | 'target' | 'indices'>,
): string | undefined {
  for (const [field, tensor] of Object.entries({ input, target })) {
    if (flawOf(tensor) === undefined) continue;
    const rows = [...indices].map((index, i) => ({ index, flaw: flawOf(row(tensor, i)) }));
    const bad = rows.find(({ flaw }) => flaw !== undefined);
    if (bad) return `the ${field} of sample ${bad.index} of ${name} holds ${bad.flaw}`;
  }
  return undefined;
}

function row(tensor: Tensor, index: number): Tensor {
  return tensor.narrow(0, index, 1);
}
