/** `predict`: what a trained model says of files that are not part of its data set. */

import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { byCodePoint } from '../base/by-code-point.ts';
import { type HostArray, hostArray } from '../base/dtype.ts';
import { TorchtsError } from '../base/errors.ts';
import { numel } from '../base/shape.ts';
import { shortType } from '../base/user-code.ts';
import { setThreads } from '../core/device.ts';
import type { Tensor } from '../core/tensor.ts';
import type { DatasetSource, EncodedFile, Field, SampleEncoder } from '../data/index.ts';
import { fewLengths, holding } from '../data/loading/buckets.ts';
import { fromHost } from '../io/tensors.ts';
import { restoreWeights } from './checkpoint/snapshot.ts';
import type { PredictEvent, Prediction, PredictRequest } from './request.ts';
import { withLearnedBy } from './run/learned.ts';
import { type PredictionStep, predictionStep, shares } from './task/prediction-step.ts';
import { sampleSource } from './task/sample-source.ts';
import { buildTask } from './task/task.ts';

/** Files read at a time. */
const AT_ONCE = 8;

/**
 * A prediction for each sample in the files, in order, and an event for each file that is at fault.
 * Files are read as they are needed: a batch of them, and a few ahead, are in memory.
 *
 * @throws ConfigError when the config's parts do not fit together, or its data set does not say how
 *   a file becomes an input; FileError when the checkpoint cannot be read or does not fit.
 */
export async function* predict(request: PredictRequest): AsyncGenerator<PredictEvent, void> {
  const { checkpoint } = request;
  if (request.threads !== undefined) setThreads(request.threads);
  const loaded = withLearnedBy(request.loaded, checkpoint);
  const task = buildTask(loaded);
  const source = sampleSource(loaded, task);
  const reading = readerOf(request, source);
  const { encoder } = reading;
  const texts = textsOf(request, encoder);
  await restoreWeights(task, checkpoint, request.trained);
  task.model.eval();
  const step = predictionStep(task);
  const told = new Set<string>();
  try {
    const files = filesOf(request.inputs, encoder);
    const encoded = inOrder(files, AT_ONCE, (file) => encode(file, encoder));
    const batches = batched(chained(texts, encoded), request.batch_size ?? task.eval_batch_size);
    for await (const batch of batches) {
      for (const { note } of batch.samples.map(({ from }) => from)) {
        if (note === undefined || told.has(note)) continue;
        told.add(note);
        yield { event: 'note', message: note };
      }
      yield* predictions(batch, step, reading);
    }
  } finally {
    step.dispose();
  }
}

/** How the samples of a source are read, and what is said of them. */
interface Reading {
  readonly source: DatasetSource;
  readonly encoder: SampleEncoder;
  readonly topk: number;
}

function readerOf({ loaded, topk }: PredictRequest, source: DatasetSource): Reading {
  const { encoder, target } = source;
  const [type, path] = [shortType(loaded.config.data.train.type), ['data', 'train']];
  if (encoder === undefined) {
    throw loaded.error(path, `${type} does not say how a file becomes an input: cannot predict`);
  }
  if (source.classes.length > 0 && target.shape.length > 0) {
    throw loaded.error(path, `${type} has several classes a sample: cannot predict`);
  }
  return { source, encoder, topk };
}

/** The texts of the request, encoded. */
function textsOf({ texts = [], loaded }: PredictRequest, encoder: SampleEncoder): Encoded[] {
  if (texts.length === 0) return [];
  if (encoder.encodeTexts !== undefined) return [encoder.encodeTexts(texts)];
  const type = shortType(loaded.config.data.train.type);
  throw loaded.error(
    ['data', 'train'],
    `${type} has samples that are no texts: give files of them`,
  );
}

// ---- files -------------------------------------------------------------------------------------

/** A file, or a folder or a path that is none, and why. */
type Found = { readonly file: string; readonly fault?: string };

/** The files of all inputs, those of a folder in the order of their names. */
async function* filesOf(
  inputs: AsyncIterable<string>,
  encoder: SampleEncoder,
): AsyncGenerator<Found, void> {
  for await (const input of inputs) {
    try {
      if ((await stat(input)).isDirectory()) yield* await filesBelow(input, encoder);
      else yield { file: input };
    } catch (error) {
      // Without the name of the call and the path once more.
      const reason = (error as Error).message.replace(/, \w+ '.*'$/s, '');
      yield { file: input, fault: `cannot read ${input}: ${reason}` };
    }
  }
}

async function filesBelow(folder: string, { extensions, kind }: SampleEncoder): Promise<Found[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && extensions.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort(byCodePoint);
  if (files.length > 0) return files.map((file) => ({ file }));
  const fault = `${folder} holds no ${kind}s (${extensions.join(', ')})`;
  return [{ file: folder, fault }];
}

/** A file whose samples are there, or texts that are in none; or why they are not. */
type Encoded =
  | (EncodedFile & { readonly file?: string; readonly fault?: undefined })
  | { readonly file: string; readonly fault: string };

async function* chained<T>(first: Iterable<T>, others: AsyncIterable<T>): AsyncGenerator<T, void> {
  yield* first;
  yield* others;
}

async function encode({ file, fault }: Found, encoder: SampleEncoder): Promise<Encoded> {
  if (fault !== undefined) return { file, fault };
  try {
    return { file, ...(await encoder.encode(file)) };
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    const { message } = error;
    return { file, fault: message.includes(file) ? message : `${file}: ${message}` };
  }
}

/** What `make` gives for each item, in order; up to `width` are being made. */
async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  width: number,
  make: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const pending: Promise<R>[] = [];
  for await (const item of items) {
    const made = make(item);
    // Whoever takes it hears of the failure; until then it is nobody's.
    made.catch(() => undefined);
    pending.push(made);
    if (pending.length >= width) yield await pending.shift()!;
  }
  for (const made of pending) yield await made;
}

// ---- batches -----------------------------------------------------------------------------------

interface Sample {
  readonly from: EncodedFile & { readonly file?: string };
  /** Which of the file's samples. */
  readonly place: number;
}

interface Batch {
  readonly samples: readonly Sample[];
  /** Files that are at fault, told before the samples behind them. */
  readonly faults: readonly { readonly file: string; readonly fault: string }[];
}

/** Samples in batches of `size`, whichever files they are from. */
async function* batched(files: AsyncIterable<Encoded>, size: number): AsyncGenerator<Batch, void> {
  let samples: Sample[] = [];
  let faults: { file: string; fault: string }[] = [];
  for await (const from of files) {
    if (from.fault !== undefined) {
      faults.push(from);
      continue;
    }
    for (let place = 0; place < from.length; place++) {
      samples.push({ from, place });
      if (samples.length < size) continue;
      yield { samples, faults };
      [samples, faults] = [[], []];
    }
  }
  if (samples.length + faults.length > 0) yield { samples, faults };
}

async function* predictions(
  { samples, faults }: Batch,
  step: PredictionStep,
  reading: Reading,
): AsyncGenerator<PredictEvent, void> {
  for (const { file, fault } of faults) yield { event: 'failed', file, message: fault };
  if (samples.length === 0) return;
  using input = inputsOf(samples, reading.source.input);
  using output = await step(input);
  const outputs = (await output.data()) as Float32Array;
  const count = outputs.length / samples.length;
  for (const [i, sample] of samples.entries()) {
    const numbers = outputs.subarray(i * count, (i + 1) * count);
    yield { event: 'prediction', ...origin(sample), ...saying(numbers, reading) };
  }
}

/** A batch, padded as batches of texts are where samples vary. */
function inputsOf(samples: readonly Sample[], { dtype, shape, varies }: Field): Tensor {
  const whole = numel(shape);
  const rows = samples.map(({ from: { inputs, bounds }, place }): HostArray => {
    const [start, end] = bounds
      ? [bounds[place], bounds[place + 1]]
      : [place * whole, (place + 1) * whole];
    return inputs.subarray(start, end);
  });
  const [longest, ...rest] = shape;
  const needed = Math.max(...rows.map(({ length }) => length / numel(rest)));
  const sizes = varies ? [holding(fewLengths(longest!), needed), ...rest] : shape;
  const width = numel(sizes);
  const data = hostArray(dtype, samples.length * width);
  for (const [i, row] of rows.entries()) {
    (data as { set(values: HostArray, at: number): void }).set(row, i * width);
  }
  return fromHost({ dtype, shape: [samples.length, ...sizes], data });
}

/** Where a sample is from. */
function origin({ from: { file, rows, texts }, place }: Sample) {
  return {
    ...(file !== undefined && { file }),
    ...(rows !== undefined && { row: rows[place]! }),
    ...(texts !== undefined && { text: texts[place]! }),
  };
}

/** What a model's outputs for one sample mean. */
function saying(
  outputs: Float32Array,
  { source, encoder, topk }: Reading,
): Pick<Prediction, 'classes' | 'values'> {
  const { classes } = source;
  if (classes.length === 0) {
    const nameOf = (i: number) => encoder.outputs?.[i] ?? `output${i}`;
    return { values: Object.fromEntries(Array.from(outputs, (value, i) => [nameOf(i), value])) };
  }
  const likely = shares(outputs);
  const order = classes.map((_, i) => i).sort((a, b) => likely[b]! - likely[a]!);
  return {
    classes: order.slice(0, topk).map((i) => ({ class: classes[i]!, probability: likely[i]! })),
  };
}
