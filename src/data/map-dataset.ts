/**
 * MapDataset: the simplest data set a user can write. `get(i)` gives one sample as numbers; batches
 * are put together here, on the host.
 */

import { type AnyClass, kindOf, schemaOf } from '../base/adopt.ts';
import { category, type HostArray, hostArray, isDType } from '../base/dtype.ts';
import { ArgumentError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { Engine } from '../engine/engine.ts';
import type {
  BatchReader,
  BatchRequest,
  Dataset,
  DatasetSource,
  Field,
  OpenOptions,
} from './dataset.ts';
import { datasets } from './dataset.ts';
import { cutShape } from './description.ts';
import { fewLengths } from './loading/buckets.ts';

type Scalar = number | bigint | boolean;

/** A field of one sample: a number, or all of its numbers, row-major, or nested arrays of them. */
export type SampleValue = Scalar | ArrayLike<Scalar> | readonly SampleValue[];

/** What a random transform may draw from, so that a run that goes on draws the same again. */
export interface Draw {
  /** Which pass over the data this is, from 0. */
  readonly epoch: number;
  /** The config's seed; 0 for validation data. */
  readonly seed: number;
}

/**
 * A data set of one's own: a class, or an object, with these members.
 * https://docs.pytorch.org/docs/stable/data.html#map-style-datasets
 */
export interface MapDataset {
  /** The number of samples; asked for after `load`. */
  readonly length: number;
  /** What the model takes, without the batch dimension, such as float32 (3, 32, 32). */
  readonly input: Field;
  /** What the loss compares with; a class is int64 (). */
  readonly target: Field;
  /** The names of the classes, where targets are classes. */
  readonly classes?: readonly string[];
  /** Reads what the samples need. Until then nothing but the fields and classes is asked for. */
  load?(): void | Promise<void>;
  /** How long each sample is, where its input varies. Unless given, all are asked for once. */
  readonly lengths?: ArrayLike<number>;
  /** Sample `index`, in [0, length). */
  get(index: number, draw: Draw): readonly [input: SampleValue, target: SampleValue];
}

datasets.adopt((value) => {
  if (typeof value === 'function') {
    const type = value as AnyClass<unknown>;
    return {
      ...schemaOf(type),
      create: (options) => sourceOf(new type(options), type.name),
    };
  }
  if (typeof value !== 'object' || value === null) {
    throw new ArgumentError(`expected a class or an object, got ${kindOf(value)}`);
  }
  return { ...schemaOf(value), create: () => sourceOf(value, kindOf(value)) };
});

/** What a user made as a source: a `MapDataset`, or a `DatasetSource` as torchts' own are. */
function sourceOf(made: unknown, name: string): DatasetSource {
  const { input, target, classes = [], get } = made as Partial<MapDataset>;
  for (const [key, field] of Object.entries({ input, target })) checkField(name, key, field);
  if (!Array.isArray(classes)) {
    throw new ArgumentError(`[${name}] classes must be a list of names, got ${kindOf(classes)}`);
  }
  if (typeof get !== 'function') {
    throw new ArgumentError(
      `[${name}] get must be a method that gives a sample, got ${kindOf(get)}`,
    );
  }
  const samples = made as MapDataset;
  const load = async () => {
    await samples.load?.();
    return new HostDataset(samples, name);
  };
  return { input: input!, target: target!, classes, load };
}

function checkField(name: string, key: string, field: Field | undefined): void {
  const { dtype, shape } = field ?? {};
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size > 0);
  if (isDType(dtype) && isShape) {
    checkPadding(name, key, field!);
    return;
  }
  throw new ArgumentError(
    `[${name}] ${key} must say dtype and shape, such as { dtype: 'float32', shape: [3, 32, 32] }`,
  );
}

function checkPadding(
  name: string,
  key: string,
  { dtype, varies, padding_value = 0, shape }: Field,
) {
  if (varies && shape.length === 0) {
    throw new ArgumentError(`[${name}] ${key} has no dimension that could vary`);
  }
  if (category(dtype) === 'floating' || Number.isSafeInteger(padding_value)) return;
  throw new ArgumentError(
    `[${name}] ${key}: padding_value is ${padding_value}; ${dtype} takes whole numbers`,
  );
}

class HostDataset implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];
  readonly length: number;
  #lengths: Int32Array | undefined;

  constructor(
    readonly samples: MapDataset,
    readonly name: string,
  ) {
    const { input, target, classes = [], length } = samples;
    if (!Number.isSafeInteger(length) || length < 1) {
      throw new ArgumentError(
        `[${name}] length must be a whole number of at least 1, got ${length}`,
      );
    }
    this.input = input;
    this.target = target;
    this.classes = classes;
    this.length = length;
  }

  /** Of targets that are classes, by asking for every sample, as an epoch of training would. */
  get labels(): Int32Array | undefined {
    if (this.classes.length === 0 || this.target.shape.length > 0) return undefined;
    return Int32Array.from({ length: this.length }, (_, index) => {
      const label = Number(flat(this.#sample(index, { epoch: 0, seed: 0 })[1])[0]);
      this.#checkClass(index, label);
      return label;
    });
  }

  /** Of inputs that vary. */
  get lengths(): Int32Array | undefined {
    if (!this.input.varies) return undefined;
    this.#lengths ??= this.#knownLengths() ?? this.#foundLengths();
    return this.#lengths;
  }

  get pad_to(): readonly number[] | undefined {
    return this.input.varies ? fewLengths(this.input.shape[0]!) : undefined;
  }

  #knownLengths(): Int32Array | undefined {
    const { lengths } = this.samples;
    if (lengths === undefined) return undefined;
    const [most] = this.input.shape as [number];
    const isLength = (length: number) => Number.isInteger(length) && length >= 1 && length <= most;
    const wrong = Array.from(lengths).findIndex((length) => !isLength(length));
    if (wrong < 0 && lengths.length === this.length) return Int32Array.from(lengths);
    const fault =
      wrong < 0
        ? `${lengths.length} numbers for ${this.length} samples`
        : `${lengths[wrong]} for sample ${wrong}, of at most ${most}`;
    throw new ArgumentError(`[${this.name}] lengths has ${fault}`);
  }

  /** By asking for every sample, as an epoch of training would. */
  #foundLengths(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, index) => {
      const [input] = this.#sample(index, { epoch: 0, seed: 0 });
      return this.#steps(index, 'input', flat(input).length);
    });
  }

  /** How many steps `count` numbers of a field that varies are. */
  #steps(index: number, key: 'input' | 'target', count: number): number {
    const [most, ...rest] = this[key].shape as [number, ...number[]];
    const steps = count / numel(rest);
    if (Number.isInteger(steps) && steps >= 1 && steps <= most) return steps;
    const needed = `1 to ${most} times ${numel(rest)}`;
    throw this.#fault(index, `gives ${count} numbers as ${key}, needs ${needed}`);
  }

  #sample(index: number, draw: Draw): readonly [input: SampleValue, target: SampleValue] {
    const sample = this.samples.get(index, draw);
    if (Array.isArray(sample) && sample.length === 2) return sample;
    throw this.#fault(index, `must give [input, target], got ${kindOf(sample)}`);
  }

  open(engine: Engine, { seed = 0 }: OpenOptions = {}): BatchReader {
    const { input, target } = this;
    return {
      read: ({ indices, epoch, length, inputs, targets }: BatchRequest) => {
        const rows = {
          input: paddedArray(input, indices.length, length),
          target: paddedArray(target, indices.length, length),
        };
        for (const [row, index] of indices.entries()) {
          const [input, target] = this.#sample(index, { epoch, seed });
          this.#put(rows.input, { row, index, length }, 'input', input);
          this.#put(rows.target, { row, index, length }, 'target', target);
        }
        engine.write(inputs, rows.input);
        engine.write(targets, rows.target);
      },
      dispose: () => undefined,
    };
  }

  /** Copies one field of a sample to its row of a batch. */
  #put(
    rows: HostArray,
    { row, index, length }: Place,
    key: 'input' | 'target',
    value: SampleValue,
  ): void {
    const { dtype, shape, varies } = this[key];
    const values = flat(value);
    const sizes = cutShape(this[key], length);
    const width = numel(sizes);
    if (varies) {
      const steps = this.#steps(index, key, values.length);
      if (steps > sizes[0]!) {
        const message = `gives ${steps} steps as ${key}, more than its own length, ${sizes[0]}`;
        throw this.#fault(index, message);
      }
    } else if (values.length !== width) {
      const needed = `${width} for ${formatShape(shape)}`;
      throw this.#fault(index, `gives ${values.length} numbers as ${key}, needs ${needed}`);
    }
    const isWhole = category(dtype) !== 'floating';
    const start = row * width;
    for (let i = 0; i < values.length; i++) {
      const number = Number(values[i]);
      if (isWhole && !Number.isSafeInteger(number)) {
        throw this.#fault(index, `gives ${values[i]} as ${key}; ${dtype} takes whole numbers`);
      }
      if (key === 'target') this.#checkClass(index, number);
      rows[start + i] = rows instanceof BigInt64Array ? BigInt(number) : number;
    }
  }

  #checkClass(index: number, label: number): void {
    const count = this.classes.length;
    if (count === 0 || (label >= 0 && label < count)) return;
    throw this.#fault(index, `gives the class ${label}, which is none of ${count}`);
  }

  #fault(index: number, what: string): ArgumentError {
    return new ArgumentError(`[${this.name}] get(${index}) ${what}`);
  }
}

/** Where a sample stands in a batch, and what the batch is padded to. */
interface Place {
  readonly row: number;
  readonly index: number;
  readonly length: number | undefined;
}

/** The rows of a batch, all padding. */
function paddedArray(field: Field, count: number, length: number | undefined): HostArray {
  const rows = hostArray(field.dtype, count * numel(cutShape(field, length)));
  const { padding_value = 0 } = field;
  if (rows instanceof BigInt64Array) return rows.fill(BigInt(padding_value));
  return rows.fill(padding_value);
}

function flat(value: SampleValue): ArrayLike<Scalar> {
  if (typeof value === 'object' && value !== null) {
    const isNested = Array.isArray(value) && typeof value[0] === 'object';
    return (isNested ? value.flat(Number.POSITIVE_INFINITY) : value) as ArrayLike<Scalar>;
  }
  return [value as Scalar];
}
