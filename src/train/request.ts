/** What callers of training and evaluation ask for, and what they get back. */

import type { LoadedConfig } from '../config/load.ts';
import type { TrainEvent } from './events.ts';
import type { Measurement } from './loop/totals.ts';

export interface TrainRequest {
  readonly loaded: LoadedConfig;
  /** The folder of all runs. */
  readonly out: string;
  /** The name of the folder in `out` that its run is put into; the config's name unless given. */
  readonly folder?: string | undefined;
  /** The folder of a run to go on with, or `auto`: the newest one of this name, if there is one. */
  readonly resume: string | undefined;
  /** The most threads to use; the engine's own choice unless given. */
  readonly threads: number | undefined;
  /** The file of a Chrome trace of some steps; `true`: `profile.json` in the run's folder. */
  readonly profile?: string | true | undefined;
  readonly onEvent: (event: TrainEvent) => void;
  /** Aborted with the name of the signal: finish the step, write a checkpoint, return. */
  readonly signal: AbortSignal;
}

export interface EvaluateRequest {
  readonly loaded: LoadedConfig;
  /** The folder of a checkpoint. */
  readonly checkpoint: string;
  /** `train`, `val` (all sets of it), `val_NAME` or `test`. */
  readonly split: string;
  /** The weights as they were trained, also where their average is kept. */
  readonly trained?: boolean;
  readonly threads: number | undefined;
}

export interface EvaluateResult {
  readonly checkpoint: string;
  readonly split: string;
  readonly samples: number;
  readonly seconds: number;
  /** `loss`, and the config's metrics, such as `accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics that are lists or matrices, such as `confusion_matrix`. */
  readonly arrays: Measurement['arrays'];
}

export interface PredictRequest {
  readonly loaded: LoadedConfig;
  /** The folder of a checkpoint. */
  readonly checkpoint: string;
  /** The weights as they were trained, also where their average is kept. */
  readonly trained?: boolean;
  /** Files and folders of them. */
  readonly inputs: AsyncIterable<string>;
  /** Texts that are in no file, told of before the files. */
  readonly texts?: readonly string[];
  /** How many classes are told of a sample, the likeliest first. */
  readonly topk: number;
  /** Samples a batch; those of an evaluation unless given. */
  readonly batch_size?: number | undefined;
  readonly threads: number | undefined;
}

/** What the model says of a sample: its likeliest classes, or numbers by their names. */
export interface Prediction {
  readonly event: 'prediction';
  /** Nothing for a text of the request. */
  readonly file?: string;
  /** The row of a table, as a person counts them: the header is the first; or a line of a text. */
  readonly row?: number;
  readonly text?: string;
  readonly classes?: readonly { readonly class: string; readonly probability: number }[];
  readonly values?: Readonly<Record<string, number>>;
}

export type PredictEvent =
  | Prediction
  /** A file that was passed over, and why. */
  | { readonly event: 'failed'; readonly file: string; readonly message: string }
  /** What was done to some files so that they fit; each is told once. */
  | { readonly event: 'note'; readonly message: string };

export interface ReportRequest {
  /** The folder of the run. */
  readonly run: string;
  /** Its config. */
  readonly loaded: LoadedConfig;
  readonly threads: number | undefined;
}
