/** What writer.py wrote, as values again. */

import type { DType, HostArray } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import type { Tensor } from '../../src/index.ts';
import * as torchts from '../../src/index.ts';
import { type AnyModule, findClass, findFunction, type ModuleClass } from './names.ts';

/**
 * A tensor: where its numbers begin in the binary file. bfloat16 and float16 are kept as float32.
 */
export interface RecordedTensor {
  readonly tensor: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly grad?: true;
}

/** A value as JSON; an object says what it is by its one key. */
export type Recorded =
  | null
  | boolean
  | number
  | string
  | RecordedTensor
  | Readonly<Record<string, never>>;

export interface Arguments {
  readonly args: readonly Recorded[];
  readonly kwargs: Readonly<Record<string, Recorded>>;
}

/** How a module is made. */
export interface ModuleOptions {
  readonly training: boolean;
  readonly options: Readonly<Record<string, Recorded>>;
}

/** Recorded values as the arguments of a call. */
export class Reader {
  readonly #numbers: ArrayBuffer;
  /** The tensors of the arguments so far, by where they begin: one given twice is one tensor. */
  readonly #given = new Map<number, Tensor>();

  constructor(numbers: ArrayBuffer) {
    this.#numbers = numbers;
  }

  /** The call's arguments, and those tensors among them that get gradients, in order. */
  arguments({ args, kwargs }: Arguments) {
    const inputs: Tensor[] = [];
    const byPlace = args.map((arg) => this.value(arg, inputs));
    const byName = Object.entries(kwargs).map(([name, v]) => [name, this.value(v, inputs)]);
    const named = byName.length === 0 ? [] : [Object.fromEntries(byName) as object];
    return { given: [...byPlace, ...named], inputs };
  }

  value(recorded: Recorded, inputs: Tensor[] = []): unknown {
    if (typeof recorded !== 'object' || recorded === null) return recorded;
    if ('tensor' in recorded) return this.#argument(recorded as RecordedTensor, inputs);
    const [[kind, held]] = Object.entries(recorded) as [[string, never]];
    if (kind === 'list') return (held as Recorded[]).map((item) => this.value(item, inputs));
    if (kind === 'float') return Number(String(held).replace('inf', 'Infinity'));
    if (kind === 'int') return BigInt(held);
    if (kind === 'dtype') return held;
    if (kind === 'function') return findFunction(`nn.functional.${held}`);
    if (kind === 'module') return this.#layer(held);
    if (kind === 'slice') return torchts.Slice(...(held as (number | null)[]));
    if (kind === 'ellipsis') return '...';
    return Object.fromEntries(
      Object.entries(held as Record<string, Recorded>).map(([k, v]) => [k, this.value(v, inputs)]),
    );
  }

  #argument(recorded: RecordedTensor, inputs: Tensor[]): Tensor {
    const before = this.#given.get(recorded.tensor);
    // Empty tensors begin where the next one does.
    if (before !== undefined && before.numel() > 0) return before;
    const made = this.tensor(recorded);
    this.#given.set(recorded.tensor, made);
    if (recorded.grad) inputs.push(made.requires_grad_());
    return made;
  }

  /** A module made with a sample's options. */
  module(Class: ModuleClass, { options, training }: ModuleOptions): AnyModule {
    const given = Object.entries(options).map(([name, v]) => [name, this.value(v)]);
    return new Class(Object.fromEntries(given)).train(training);
  }

  /** A module that is an argument: a layer of another, or a function of tensors. */
  #layer(held: { readonly class: string; readonly options: ModuleOptions['options'] }) {
    const layer = this.module(findClass(held.class)!, { options: held.options, training: true });
    const isDistance = held.class.endsWith('Distance');
    return isDistance ? (...inputs: unknown[]) => layer.forward(...inputs) : layer;
  }

  tensor({ tensor: start, dtype, shape }: RecordedTensor): Tensor {
    return torchts.tensor(this.#host(start, dtype, shape), { dtype, shape });
  }

  /** The numbers of a recorded tensor. */
  data(recorded: RecordedTensor): number[] {
    return Array.from(this.#host(recorded.tensor, recorded.dtype, recorded.shape), Number);
  }

  #host(start: number, dtype: DType, shape: readonly number[]): HostArray {
    const Arrays = {
      float64: Float64Array,
      int64: BigInt64Array,
      int32: Int32Array,
      uint8: Uint8Array,
      bool: Uint8Array,
    };
    const ArrayType = Arrays[dtype as keyof typeof Arrays] ?? Float32Array;
    return new ArrayType(this.#numbers, start, numel(shape));
  }
}
