/** What a callback sees of the run it is part of. */

import type { Tensor } from '../core/tensor.ts';
import type { Module } from '../nn/index.ts';
import type { Optimizer } from '../optim/index.ts';

/** Where training stands. */
export interface Position {
  /** Optimizer steps taken. */
  readonly step: number;
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches taken of the epoch under way. */
  readonly batch: number;
}

/** One measured point. `step` counts optimizer steps from 1, `epoch` from 1. */
export interface MetricsRecord {
  readonly step: number;
  readonly epoch: number;
  /** `train`, `val`, `val_NAME` where `data.val` has several sets, or `test`. */
  readonly split: string;
  /** Mean over the samples since the last record of this split. */
  readonly loss: number;
  /** The learning rate; of the first parameter group, while others have theirs as `lr_NAME`. */
  readonly lr: number;
  readonly samples_per_second: number;
  /** Seconds since the run started. */
  readonly time: number;
  /** Further metrics, such as `accuracy` in [0, 1]. */
  readonly [metric: string]: number | string;
}

/** Is this key of a record that of a learning rate? */
export function isRate(key: string): boolean {
  return key === 'lr' || key.startsWith('lr_');
}

export interface SampleBatch {
  /** (N, ...) as the model takes them. */
  readonly inputs: Tensor;
  /** (N, ...) as the loss takes them; classes are int64 (N,). */
  readonly targets: Tensor;
}

export interface SampleOptions {
  /** The training samples unless told otherwise. */
  readonly split?: string;
  /** How many; `data.batch_size` unless given, and never more than there are. */
  readonly size?: number;
}

/**
 * The run, as every hook of a callback gets it. While a hook runs, nothing is computed behind its
 * back: the model is the one of `position`, and its tensors can be read.
 */
export interface TrainingRun {
  /** The resolved config, as in the run's `config.yaml`; not to be changed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The run's folder, for files of your own. */
  readonly directory: string;
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** After the newest step. In `onTrainEpochEnd` the epoch that ends is not counted yet. */
  readonly position: Position;
  /** Steps that the whole run will have, unless something ends it early. */
  readonly total_steps: number;
  /** The last value of each metric: `train_loss`, `val_accuracy`, ... */
  readonly metrics: Readonly<Record<string, number>>;
  /** The names of the classes, where targets are classes. */
  readonly classes: readonly string[];

  /** Ends training after the step under way, as early stopping does. */
  stop(reason: string): void;

  /**
   * Adds a number to the next record of the metrics, whichever split it is of; a later value under
   * the same name replaces an earlier one.
   * @throws ArgumentError for a value that is not finite, or a name that records use themselves.
   */
  log(name: string, value: number): void;

  /**
   * The first samples of a split, always the same ones, in the order of the data set and as the
   * first epoch transforms them.
   * @throws ArgumentError where there is no such split.
   */
  sampleBatch(options?: SampleOptions): Promise<SampleBatch>;

  /**
   * The gradients of the training loss, for one batch (`sampleBatch()` unless given), by the names
   * of the parameters; parameters that the loss does not depend on are left out. The model, its
   * buffers, the optimizer and the random numbers stay as they are.
   */
  gradients(batch?: SampleBatch): Promise<Map<string, Tensor>>;
}
