/** `importWeights`: what a file of weights holds, which model it is of, and a new file of it. */

import { ArgumentError, ConfigError, FileError, nearestName } from '../base/errors.ts';
import { chosen, idlePatterns } from '../base/patterns.ts';
import { version } from '../base/version.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import type { HostTensor } from '../io/host-tensor.ts';
import { fromHost, toHost } from '../io/tensors.ts';
import { type MatchOptions, modules, renamedKeys } from '../nn/index.ts';
import { readStored, type StoredContents } from './checkpoint/weights-file.ts';
import {
  type Comparison,
  type ComparisonRequest,
  compare,
  type ModelComparison,
} from './weights/comparison.ts';
import type { WeightsFormat } from './weights/formats.ts';
import { checkWritable, writeWeights } from './weights/write.ts';
import { type State, zooTypes } from './weights/zoo.ts';

export interface ImportRequest extends ComparisonRequest {
  readonly out?: { readonly file: string; readonly format: WeightsFormat } | undefined;
  /** Replaces a file that is there. */
  readonly force?: boolean;
}

export interface ImportReport extends Omit<StoredContents, 'tensors'> {
  readonly file: string;
  readonly tensors: readonly TensorRow[];
  /** The one it was compared with; nothing where none of the zoo is like it. */
  readonly model: ModelComparison | undefined;
  readonly written: WrittenFile | undefined;
}

export interface TensorRow {
  readonly key: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface WrittenFile {
  readonly file: string;
  readonly format: WeightsFormat;
  readonly bytes: number;
  readonly tensors: number;
}

/**
 * Reads a file of weights, of which nothing is executed, compares it with a model, and writes it
 * with the model's keys where `out` is given; as it is where it fits none of the zoo.
 *
 * @throws FileError when it cannot be read, or is to be written but does not fit the model that was
 *   asked for; ConfigError for a model that is not known, options that match nothing, or a file
 *   that is there already.
 */
export async function importWeights(request: ImportRequest): Promise<ImportReport> {
  const { file, out, force = false } = request;
  if (out !== undefined) checkWritable(out.file, force);
  if (typeof request.model === 'string') checkType(request.model);
  const { tensors, ...contents } = await readStored(file);
  const make = out === undefined ? withoutContents : fromHost;
  const values = new Map([...tensors].map(([key, host]) => [key, make(host)]));
  const comparison = asOptions(() => compare(values, request));
  let written: WrittenFile | undefined;
  if (out !== undefined) {
    const named = await toHost(asOptions(() => renamed(values, comparison, request)));
    const metadata = { ...contents.metadata, torchts: version() };
    const bytes = await writeWeights(out.file, out.format, named, metadata);
    written = { ...out, bytes, tensors: named.size };
  }
  const rows = [...tensors].map(([key, { dtype, shape }]) => ({ key, dtype, shape }));
  return { file, ...contents, tensors: rows, model: comparison?.report, written };
}

function checkType(model: string): void {
  const types = zooTypes();
  if (types.includes(model)) return;
  if (modules.names().includes(model)) {
    throw new ConfigError(`${model} has no weights without arguments; name a config that has it`);
  }
  const nearest = nearestName(model, types);
  const hint = nearest === undefined ? 'docs/models.md lists them' : `did you mean "${nearest}"?`;
  throw new ConfigError(`--model ${model} is no config, and no model of the zoo; ${hint}`);
}

/** What is wrong with arguments here, the command line said. */
function asOptions<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof ArgumentError ? new ConfigError(error.message) : error;
  }
}

/** For a comparison, which looks at dtypes and shapes. */
const withoutContents = ({ dtype, shape }: HostTensor): Tensor =>
  new Tensor(placeholder({ dtype, shape }, 0));

/** The tensors by the names that they have in a new file. */
function renamed(values: State, comparison: Comparison | undefined, request: ImportRequest): State {
  const { report, match } = comparison ?? {};
  if (report?.fits) return match!.values;
  if (report?.asked) throw new FileError(`${report.refusal}\n  Nothing was written.`);
  const found = renamedOnly(values, request);
  if (found.size > 0) return found;
  throw new FileError(`${request.file} has no tensor that is left to write`);
}

/** The same without a model. */
function renamedOnly(values: State, { exclude = [], ...naming }: MatchOptions): State {
  const origins = renamedKeys(values.keys(), naming);
  const names = [...origins.keys()];
  const [idle] = idlePatterns(exclude, names, 'key');
  if (idle !== undefined) throw new ArgumentError(`[import] exclude: ${idle.message}`);
  const excluded = chosen(exclude, names);
  const kept = [...origins].filter(([name]) => !excluded.has(name));
  return new Map(kept.map(([name, key]) => [name, values.get(key)!]));
}
