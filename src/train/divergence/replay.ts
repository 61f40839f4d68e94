/**
 * Training again what was trained already, step by step: the same seeds, state and batches give the
 * same steps, so a fault that was noticed late can be watched as it comes about.
 */

import { isFloating } from '../../base/dtype.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Batch, DataLoader } from '../../data/loading/loader.ts';
import { readCheckpoint } from '../checkpoint/checkpoint.ts';
import { restoreTask } from '../checkpoint/snapshot.ts';
import { BatchTensors } from '../loop/batches.ts';
import type { Totals } from '../loop/totals.ts';
import { loadInitialWeights } from '../task/initial-weights.ts';
import { type BatchStep, buildTask, type Task, trainingStep } from '../task/task.ts';

export interface ReplayOptions {
  readonly loaded: LoadedConfig;
  readonly loader: DataLoader;
  /** The folder of the checkpoint to begin at; the start of training unless given. */
  readonly checkpoint: string | undefined;
}

/** One batch with its tensors. */
export interface ReplayBatch extends Batch {
  readonly input: Tensor;
  readonly target: Tensor;
}

export class Replay {
  readonly #step: BatchStep;
  readonly #batches: Generator<Batch, void>;
  readonly #tensors: BatchTensors;

  private constructor(
    readonly task: Task,
    readonly totals: Totals,
    loader: DataLoader,
    /** Steps taken. */
    public step: number,
    position: { readonly epoch: number; readonly batch: number },
  ) {
    this.#step = trainingStep(task, totals, () => undefined);
    this.#tensors = new BatchTensors(loader.dataset);
    this.#batches = loader.epoch(position.epoch, { start: position.batch });
    task.model.train();
  }

  /** Throws a `FileError` when the checkpoint cannot be read. */
  static async open({ loaded, loader, checkpoint }: ReplayOptions): Promise<Replay> {
    const task = buildTask(loaded);
    const totals = task.totals('training');
    if (checkpoint === undefined) {
      await loadInitialWeights(loaded, task);
      return new Replay(task, totals, loader, 0, { epoch: 0, batch: 0 });
    }
    const stored = await readCheckpoint(checkpoint);
    restoreTask(task, totals, checkpoint, stored);
    return new Replay(task, totals, loader, stored.state.step, stored.state);
  }

  /** The next batch of the epoch, which the caller trains on; nothing at its end. */
  next(): ReplayBatch | undefined {
    const { value } = this.#batches.next();
    if (!value) return undefined;
    this.step++;
    const { inputs, targets } = this.#tensors;
    return {
      ...value,
      input: inputs.call(this.#tensors, value),
      target: targets.call(this.#tensors, value),
    };
  }

  /** Takes a step. False at the end of the epoch. */
  async take(): Promise<boolean> {
    const batch = this.next();
    if (batch !== undefined) await this.#step(batch.input, batch.target);
    return batch !== undefined;
  }

  /** The mean loss of the steps since this was asked last. */
  async loss(): Promise<number> {
    const { loss } = (await this.totals.read()).values;
    this.totals.clear();
    return loss;
  }

  /** Whether all parameters and buffers are finite. */
  async isFinite(): Promise<boolean> {
    const tensors = this.task.model.stateTensors().filter(({ dtype }) => isFloating(dtype));
    // A finite number times zero is zero; NaN and infinity give NaN.
    const zeros = noGrad(() => tensors.map((tensor) => tensor.mul(0).sum().to('float32')));
    const values = await Promise.all(zeros.map((zero) => zero.data()));
    return values.every(([value]) => value === 0);
  }

  dispose(): void {
    this.#batches.return();
    this.#step.dispose();
  }
}
