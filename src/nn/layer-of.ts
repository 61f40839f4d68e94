/** Layers that are a function with fixed arguments: most activations and losses. */

import type { z } from 'zod';
import { parseOptions, type Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Module } from './module.ts';

/** Arguments of the constructor; left out where every option has a default. */
export type Given<S extends z.ZodObject> =
  Record<never, never> extends z.input<S> ? [given?: z.input<S>] : [given: z.input<S>];

/** What the layer computes, of its options, of the mode it is in, and of its inputs. */
export type Compute<S extends z.ZodObject, Inputs extends readonly Tensor[]> = (
  options: z.output<S> & { readonly training: boolean },
  ...inputs: Inputs
) => Tensor;

/** The options as fields; there are none under an empty schema. */
export type Fields<S extends z.ZodObject> = string extends keyof z.output<S>
  ? unknown
  : Readonly<z.output<S>>;

export interface LayerClass<S extends z.ZodObject, Inputs extends readonly Tensor[]> {
  new (...given: Given<S>): FunctionLayer<S, Inputs> & Fields<S>;
  readonly schema: S;
}

/** Not worth printing: they change nothing. */
const SILENT = ['inplace', 'size_average', 'reduce'];

export class FunctionLayer<
  S extends z.ZodObject,
  Inputs extends readonly Tensor[],
> extends Module<Inputs> {
  readonly #options: z.output<S>;
  readonly #compute: Compute<S, Inputs>;

  constructor(options: z.output<S>, compute: Compute<S, Inputs>) {
    super();
    this.#options = options;
    this.#compute = compute;
    Object.assign(this, options);
  }

  forward(...inputs: Inputs): Tensor {
    return this.#compute({ ...this.#options, training: this.training }, ...inputs);
  }

  protected override describe(): string {
    return Object.entries(this.#options)
      .filter(([name]) => !SILENT.includes(name))
      .map(([name, value]) => `${name}=${typeof value === 'string' ? `'${value}'` : value}`)
      .join(', ');
  }
}

/**
 * The class of layers that compute `compute`. The options of `schema` are the constructor's, and
 * fields of the layer. A class that extends it has its name.
 */
export function layerOf<S extends z.ZodObject, Inputs extends readonly Tensor[] = [input: Tensor]>(
  schema: S,
  compute: Compute<S, Inputs>,
): LayerClass<S, Inputs> {
  class Layer extends FunctionLayer<S, Inputs> {
    static readonly schema = schema;

    constructor(given: z.input<S> = {} as z.input<S>) {
      super(
        parseOptions(new.target.name, schema as z.ZodType as z.ZodType<z.output<S>>, given),
        compute,
      );
    }
  }
  return Layer as unknown as LayerClass<S, Inputs>;
}

/** Enters classes of `layerOf` in a registry, under their names. */
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
