/** `exportModel`: a model with its weights as a file that others read. */

import type { LoadedConfig } from '../config/load.ts';
import type { Field } from '../data/index.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import { toHost } from '../io/tensors.ts';
import { countParameters } from '../nn/describe.ts';
import { exportOnnx } from '../onnx/index.ts';
import { AVERAGE_FILE, readModelWeights } from './checkpoint/checkpoint.ts';
import { restoreModel } from './checkpoint/snapshot.ts';
import { withLearnedBy } from './run/learned.ts';
import { loadInitialWeights } from './task/initial-weights.ts';
import { sampleSource } from './task/sample-source.ts';
import { buildTask, type Task } from './task/task.ts';
import type { ExportFormat } from './weights/formats.ts';
import { modelMetadata } from './weights/metadata.ts';
import { checkWritable, writeWeights } from './weights/write.ts';

export interface ExportRequest {
  readonly loaded: LoadedConfig;
  /** The folder of a checkpoint; without one, the weights that training would begin with. */
  readonly checkpoint: string | undefined;
  /** The weights as they were trained, also where their average is kept. */
  readonly trained?: boolean;
  readonly file: string;
  readonly format: ExportFormat;
  /** Replaces a file that is there. */
  readonly force?: boolean;
  /** Of ONNX: see `onnx.export`. */
  readonly opset_version?: number | undefined;
  readonly batch?: number | 'dynamic' | undefined;
}

export interface ExportResult {
  readonly file: string;
  readonly format: ExportFormat;
  readonly bytes: number;
  /** Of the state dict. */
  readonly tensors: number;
  /** Numbers that are trained, frozen ones included. */
  readonly parameters: number;
  readonly weights: WeightsOrigin;
  /** What the model takes, without the batch. */
  readonly input: Field;
}

/** Where the weights are from: a checkpoint, the file in `model.weights`, or nowhere. */
export type WeightsOrigin =
  | { readonly checkpoint: string; readonly step: number; readonly ema: boolean }
  | { readonly file: string }
  | { readonly initial: true };

/**
 * Writes the weights that evaluations measure, under the keys of the state dict; as ONNX with what
 * is computed with them in evaluation mode. The file appears whole or not at all.
 *
 * @throws ConfigError when the config's parts do not fit together, or the file is there already;
 *   FileError when the checkpoint cannot be read, does not fit, or the file cannot be written;
 *   ArgumentError for a model that ONNX cannot express, naming the op and the path of the module.
 */
export async function exportModel(request: ExportRequest): Promise<ExportResult> {
  const { checkpoint, file, format, opset_version, batch } = request;
  checkWritable(file, request.force ?? false);
  const loaded = checkpoint ? withLearnedBy(request.loaded, checkpoint) : request.loaded;
  const task = buildTask(loaded);
  const weights = await giveWeights(task, request);
  const { model } = task;
  const source = sampleSource(loaded, task);
  const metadata = modelMetadata(loaded, source);
  const { dtype, shape } = source.input;
  let bytes: number;
  if (format === 'onnx') {
    const options = { metadata, ...(batch && { batch }), ...(opset_version && { opset_version }) };
    const contents = await exportOnnx(model, { dtype, shape }, options);
    await writeFileAtomic(file, [contents]);
    bytes = contents.length;
  } else {
    bytes = await writeWeights(file, format, await toHost(model.stateDict()), metadata);
  }
  return {
    ...{ file, format, bytes, weights },
    tensors: model.stateDict().size,
    parameters: countParameters(model),
    input: { dtype, shape },
  };
}

async function giveWeights(
  task: Task,
  { loaded, checkpoint, trained }: ExportRequest,
): Promise<WeightsOrigin> {
  if (checkpoint === undefined) {
    const report = await loadInitialWeights(loaded, task);
    return report === undefined ? { initial: true } : { file: report.file };
  }
  const { state, file, weights } = await readModelWeights(checkpoint, trained);
  restoreModel(task.model, file, weights);
  return { checkpoint, step: state.step, ema: file.endsWith(AVERAGE_FILE) };
}
