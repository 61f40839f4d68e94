/** What a report is made from: plain records, as they lie in the folder of a run. */

export interface ReportData {
  readonly name: string;
  readonly directory: string;
  /** `finished`, `stopped`, `failed`, ... */
  readonly state: string;
  /** Why it stopped or failed. */
  readonly message: string | null;
  /** ISO 8601. */
  readonly started: string | null;
  readonly seconds: number | null;
  readonly step: number | null;
  readonly total_steps: number | null;
  readonly best: { readonly metric: string; readonly value: number; readonly step: number } | null;
  /** The last values: `train_loss`, `val_accuracy`, ... */
  readonly metrics: Readonly<Record<string, number>>;
  readonly records: readonly ReportRecord[];
  /** The resolved config, as YAML. */
  readonly config: string;
  /** Of any depth. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly model: ReportModel | null;
  readonly predictions: Predictions | null;
  /** Files of the run's folder, by their paths in it. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** A line of `metrics.jsonl`: `step`, `epoch`, `split`, `lr`, ..., and metrics. */
export type ReportRecord = Readonly<Record<string, unknown>> & {
  readonly step: number;
  readonly split: string;
};

export interface ReportModel {
  readonly layers: readonly {
    readonly path: string;
    readonly type: string;
    readonly output_shape: readonly number[];
    readonly parameters: number;
    /** Of the forward pass for one batch. */
    readonly flops: number;
  }[];
  readonly input_shape: readonly number[];
  readonly parameters: number;
  readonly flops: number;
}

/** What a model says of samples that have classes. */
export interface Predictions {
  readonly split: string;
  /** The folder of the checkpoint, in the run's. */
  readonly checkpoint: string;
  /** How many were looked at, of how many there are. */
  readonly samples: number;
  readonly of: number;
  readonly classes: readonly string[];
  /** (actual, predicted): counts. */
  readonly confusion: readonly (readonly number[])[];
  /** Wrong ones of which the model was surest, the surest first. */
  readonly mistakes: readonly Example[];
  readonly right: readonly Example[];
}

export interface Example {
  readonly sample: number;
  readonly actual: number;
  readonly predicted: number;
  /** In [0, 1], of the predicted and of the actual class. */
  readonly confidence: number;
  readonly actual_confidence: number;
  /** A PNG file in base64; null where samples are no images. */
  readonly image: string | null;
}
