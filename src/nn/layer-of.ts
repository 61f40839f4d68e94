/** Layers that are a function with fixed arguments: most activations and losses. */

import type { z } from 'zod';
import { parseOptions, type Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Module } from './module.ts';

/** Arguments of a constructor, none where every option may be left out. */
type Given<Options> = Record<never, never> extends Options ? [given?: Options] : [given: Options];

/** Options as fields; an empty schema has none. */
type Fields<Options> = string extends keyof Options ? unknown : Readonly<Options>;

/** What a layer computes, of its options and its inputs. */
export type Compute<Options, Inputs extends readonly unknown[]> = (
  options: Options,
  ...inputs: Inputs
) => Tensor;

/** A class of layers: its constructor takes `In`, and gives fields of `Out`. */
export interface LayerClass<Inputs extends readonly unknown[], In, Out> {
  new (...given: Given<In>): FunctionLayer<Out, Inputs> & Fields<Out>;
  readonly schema: z.ZodObject;
}

/** Not worth printing: they change nothing. */
const SILENT = ['inplace', 'size_average', 'reduce'];

export class FunctionLayer<Options, Inputs extends readonly unknown[]> extends Module<Inputs> {
  readonly #options: Options;
  readonly #compute: Compute<Options, Inputs>;

  constructor(options: Options, compute: Compute<Options, Inputs>) {
    super();
    this.#options = options;
    this.#compute = compute;
    Object.assign(this, options);
  }

  forward(...inputs: Inputs): Tensor {
    return this.#compute(this.#options, ...inputs);
  }

  protected override describe(): string {
    return Object.entries(this.#options as object)
      .filter(([name, value]) => !SILENT.includes(name) && !isTensor(value))
      .map(([name, value]) => `${name}=${optionText(value)}`)
      .join(', ');
  }
}

const isTensor = (value: unknown) =>
  typeof value === 'object' && value !== null && !isNumbers(value);

/** Sizes, of which one may be left open. */
function isNumbers(value: unknown): value is (number | null)[] {
  return Array.isArray(value) && value.every((item) => item === null || typeof item === 'number');
}

function optionText(value: unknown): string {
  if (isNumbers(value)) return `(${value.map(String).join(', ')})`;
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/**
 * The class of layers that compute `compute`. The options of `schema` are the constructor's, and
 * fields of the layer. A class that extends it has its name.
 */
export function layerOf<S extends z.ZodObject>(
  schema: S,
  compute: Compute<z.output<S>, [input: Tensor]>,
): LayerClass<[input: Tensor], z.input<S>, z.output<S>> {
  class Layer extends FunctionLayer<z.output<S>, [input: Tensor]> {
    static readonly schema = schema;

    constructor(given: z.input<S> = {} as z.input<S>) {
      super(
        parseOptions(new.target.name, schema as z.ZodType as z.ZodType<z.output<S>>, given),
        compute,
      );
    }
  }
  return Layer as never;
}

/** Enters classes that know their schema in a registry, under their names. */
export function registerLayers<T, Context>(
  registry: Registry<T, Context>,
  classes: Readonly<Record<string, LayerOf<T>>>,
): void {
  for (const [name, Class] of Object.entries(classes)) {
    registry.register(name, { schema: Class.schema, create: (given) => new Class(given) });
  }
}

interface LayerOf<T> {
  // biome-ignore lint/suspicious/noExplicitAny: each class knows the type its own schema gives
  new (given: any): T;
  readonly schema: z.ZodObject;
}
