/**
 * What a run tells those who watch it. The loop emits events; the progress bar, the plain log,
 * `--json` and the run directory's `metrics.jsonl` are written from them and from nothing else.
 */

import type { MetricsRecord } from '../callbacks/index.ts';
import type { ConfigChange } from '../config/changes.ts';
import type { Damaged } from './checkpoint/checkpoint.ts';
import type { Measurement } from './loop/totals.ts';
import type { WeightsReport } from './task/initial-weights.ts';

export type { MetricsRecord };

/** What a pass over a split measured beside numbers; the newest is in `evaluations/SPLIT.json`. */
export interface ArraysRecord {
  readonly step: number;
  readonly epoch: number;
  readonly split: string;
  readonly samples: number;
  /** The names of the classes, where targets are classes. */
  readonly classes: readonly string[];
  /** By the metric's name: a value a class; a matrix has the actual classes as its rows. */
  readonly arrays: Measurement['arrays'];
}

export type TrainEvent =
  /** Before `start`, of a run that goes on. */
  | {
      readonly event: 'resume';
      readonly step: number;
      readonly checkpoint: string;
      /** Newer checkpoints that were passed over. */
      readonly damaged: readonly Damaged[];
      /** What differs from the config that the run had until now. */
      readonly changes: readonly ConfigChange[];
      /** The file of weights that the run began with, if its contents are others now. */
      readonly weights_changed: string | null;
    }
  /** A new run has taken over the weights that its config names. */
  | ({ readonly event: 'weights' } & WeightsReport)
  | {
      readonly event: 'start';
      readonly name: string;
      readonly directory: string;
      readonly device: string;
      readonly threads: number;
      readonly parameters: number;
      /** Those that are not frozen. */
      readonly trained_parameters: number;
      readonly train_samples: number;
      /** Of all sets of `data.val` together. */
      readonly val_samples: number;
      readonly test_samples: number;
      readonly epochs: number;
      readonly total_steps: number;
      /** The step a resumed run goes on from; 0 for a new one. */
      readonly start_step: number;
    }
  /** Often, for a progress bar; never stored. `loss` is the newest known mean. */
  | {
      readonly event: 'progress';
      readonly step: number;
      readonly total_steps: number;
      readonly epoch: number;
      readonly loss: number | undefined;
      readonly lr: number;
      readonly samples_per_second: number;
      readonly seconds_left: number;
    }
  | ({ readonly event: 'metrics' } & MetricsRecord)
  | ({ readonly event: 'arrays' } & ArraysRecord)
  | { readonly event: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly event: 'retrace'; readonly reason: string }
  /** Training has failed; some steps are taken again to find out where that began. */
  | {
      readonly event: 'trace';
      /** What was noticed. */
      readonly what: string;
      readonly from_step: number;
      readonly to_step: number;
      /** The most that it may take. */
      readonly seconds: number;
    }
  | {
      readonly event: 'expect';
      readonly key: string;
      readonly value: number;
      readonly ok: boolean;
      readonly message: string;
    }
  /** Training is over before its last step, because of the config. */
  | { readonly event: 'ended_early'; readonly step: number; readonly reason: string }
  | {
      readonly event: 'stopped';
      readonly step: number;
      readonly signal: string;
      /** Nothing was trained, and none written, where the signal came during the set-up. */
      readonly checkpoint: string | null;
    }
  | ({ readonly event: 'end' } & RunSummary);

/** Also written to `summary.json`. */
export interface RunSummary {
  readonly name: string;
  readonly directory: string;
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
  /** The last values: `train_loss`, `train_accuracy`, `val_loss`, `val_accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** False when an `expect:` was not met. */
  readonly ok: boolean;
}

/** Environment variable: the step after whose checkpoint a training process kills itself. */
export const KILL_AFTER = 'TORCHTS_KILL_AFTER_STEP';
