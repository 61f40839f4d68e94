/** Layers that are a function with fixed arguments: most activations and losses. */

import { z } from 'zod';
import { parseOptions, type Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Module } from './module.ts';
import { floatText, pythonText } from './module-text.ts';

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

/** What PyTorch does not print. */
const SILENT = [
  'return_indices',
  'align_corners',
  'recompute_scale_factor',
  ...['count_include_pad', 'divisor_override'],
];

export class FunctionLayer<Options, Inputs extends readonly unknown[]> extends Module<Inputs> {
  readonly #options: Options;
  readonly #compute: Compute<Options, Inputs>;
  readonly #text: (options: Options) => string;

  constructor(
    options: Options,
    compute: Compute<Options, Inputs>,
    text: (options: Options) => string,
  ) {
    super();
    this.#options = options;
    this.#compute = compute;
    this.#text = text;
    Object.assign(this, options);
  }

  forward(...inputs: Inputs): Tensor {
    return this.#compute(this.#options, ...inputs);
  }

  override extraRepr(): string {
    return this.#text(this.#options);
  }
}

/** Options by name; `inplace` where it is true. */
function optionsText(schema: z.ZodObject, options: Readonly<Record<string, unknown>>): string {
  return Object.entries(options)
    .filter(([name, value]) => !SILENT.includes(name) && (name !== 'inplace' || value === true))
    .map(([name, value]) => `${name}=${optionText(schema.shape[name]!, value)}`)
    .join(', ');
}

function optionText(type: z.core.$ZodType, value: unknown): string {
  return typeof value === 'number' && !isWhole(type) ? floatText(value) : pythonText(value);
}

/** Are the numbers of this type whole by what they mean? */
function isWhole(type: z.core.$ZodType): boolean {
  if (type instanceof z.ZodDefault || type instanceof z.ZodNullable) return isWhole(type.unwrap());
  if (type instanceof z.ZodUnion) return type.options.every(isWhole);
  return !(type instanceof z.ZodNumber) || type.isInt;
}

/**
 * The class of layers that compute `compute`. The options of `schema` are the constructor's, and
 * fields of the layer. A class that extends it has its name. `text` is what is printed of them.
 */
export function layerOf<S extends z.ZodObject>(
  schema: S,
  compute: Compute<z.output<S>, [input: Tensor]>,
  text: (options: z.output<S>) => string = (options) => optionsText(schema, options),
): LayerClass<[input: Tensor], z.input<S>, z.output<S>> {
  class Layer extends FunctionLayer<z.output<S>, [input: Tensor]> {
    static readonly schema = schema;

    constructor(given: z.input<S> = {} as z.input<S>) {
      super(
        parseOptions(new.target.name, schema as z.ZodType as z.ZodType<z.output<S>>, given),
        compute,
        text,
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
