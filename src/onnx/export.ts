/** A module as an ONNX model. */

import { ArgumentError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { encodeModel } from '../io/onnx/encode.ts';
import type { OnnxModel } from '../io/onnx/model.ts';
import { Graph } from '../nn/graph.ts';
import type { AnyModule } from '../nn/module.ts';
import { type GraphNames, makeGraph } from './graph.ts';
import { IR_VERSIONS } from './opsets.ts';
import { BatchSize } from './size.ts';
import { type Field, type TracedModule, traceModule } from './trace.ts';

export interface ExportOptions {
  /** How many samples the model takes at once; by default (`dynamic`) as many as it is given. */
  readonly batch?: number | 'dynamic';
  /** The version of ONNX's operators, 18 (the default) to 22. */
  readonly opset_version?: number;
  /** By default those of a Graph's inputs; else `input`, or `input_0`, `input_1`, ... */
  readonly input_names?: readonly string[];
  /** By default those of a Graph's outputs; else `output`, or `output_0`, `output_1`, ... */
  readonly output_names?: readonly string[];
  /** The names of the classes, kept in the model's metadata as a JSON list under `classes`. */
  readonly classes?: readonly string[];
  /** More entries of the metadata, such as the mean and the deviation of the training images. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * `module` in evaluation mode as the bytes of an ONNX file. Its weights are stored under their keys
 * in the state_dict. What is done to samples before the model gets them is no part of it.
 *
 * @param input what the module takes, each without the batch dimension: its first.
 * @throws ArgumentError for what cannot be exported, naming the op and the path of the module;
 *   FileError for a model of 2 GiB or more; the module's own errors when `input` does not fit it.
 */
export async function exportOnnx(
  module: AnyModule,
  input: Field | readonly Field[],
  options: ExportOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { batch = 'dynamic', opset_version = 18, classes, metadata = {} } = options;
  const ir_version = checked(opset_version, batch);
  const fields = 'shape' in input ? [input] : input;
  const traced = traceModule(module, fields, batch);
  const names = namesOf(module, traced, options);
  const samples = batch === 'dynamic' ? new BatchSize(1, 0) : batch;
  const graph = await makeGraph(traced, names, { batch: samples, opset_version });
  const props: Record<string, string> = { ...metadata };
  if (classes !== undefined) props.classes = JSON.stringify(classes);
  const model: OnnxModel = {
    ir_version,
    producer_name: 'torchts',
    producer_version: version(),
    opset_version,
    graph: { name: module.constructor.name, ...graph },
    metadata_props: props,
  };
  return encodeModel(model);
}

function checked(opset_version: number, batch: number | 'dynamic'): number {
  if (batch !== 'dynamic' && !(Number.isInteger(batch) && batch > 0)) {
    throw new ArgumentError(`[onnx] batch must be a positive integer or "dynamic", got ${batch}`);
  }
  const ir_version = IR_VERSIONS[opset_version];
  if (ir_version !== undefined) return ir_version;
  const known = Object.keys(IR_VERSIONS);
  throw new ArgumentError(
    `[onnx] opset_version must be ${known[0]} to ${known.at(-1)}, got ${opset_version}`,
  );
}

function namesOf(module: AnyModule, traced: TracedModule, options: ExportOptions): GraphNames {
  const own = module instanceof Graph ? module.names : undefined;
  const inputs = options.input_names ?? own?.inputs ?? numbered('input', traced.inputs.length);
  const several = traced.outputs.length > 1 ? own?.outputs : undefined;
  const outputs = options.output_names ?? several ?? numbered('output', traced.outputs.length);
  checkNames('input', inputs, traced.inputs.length);
  checkNames('output', outputs, traced.outputs.length);
  const twice = inputs.find((name) => outputs.includes(name));
  if (twice === undefined) return { inputs, outputs };
  throw new ArgumentError(`[onnx] "${twice}" is the name of an input and of an output`);
}

const numbered = (word: string, count: number) =>
  count === 1 ? [word] : Array.from({ length: count }, (_, i) => `${word}_${i}`);

function checkNames(what: string, names: readonly string[], count: number): void {
  if (names.length !== count) {
    throw new ArgumentError(
      `[onnx] the model has ${count} ${what}s, but ${what}_names has ${names.length}`,
    );
  }
  if (new Set(names).size === count && !names.includes('')) return;
  throw new ArgumentError(`[onnx] ${what}_names must differ and not be empty: ${names.join(', ')}`);
}
