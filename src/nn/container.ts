/** Modules made of modules. */

import { z } from 'zod';
import { ArgumentError, opError, TorchtsError, withScope } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { type AnyModule, firstOutput, Module, Parameter } from './module.ts';
import { type BuildContext, BuildError, build, forwardOnce, modules } from './registry.ts';

/** A module that is not called itself. */
abstract class Container extends Module<never, never> {
  forward(): never {
    throw new TorchtsError(`[${this.constructor.name}] is a list of parts and computes nothing`);
  }
}

/** Places `index` counts from the end where it is negative. */
function placeOf(name: string, index: number, length: number): number {
  const place = index < 0 ? index + length : index;
  if (Number.isInteger(place) && place >= 0 && place < length) return place;
  throw opError(ArgumentError, name, `index ${index} is out of range for ${length} parts`);
}

/**
 * Passes its input through the layers in order; of a layer with several outputs, such as LSTM, the
 * first is passed on. Layers are named `0`, `1`, ... or by the keys of a
 * map, and the state_dict keys begin with these names.
 * https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module {
  #layers: [string, AnyModule][];

  constructor(layers: readonly AnyModule[] | ReadonlyMap<string, AnyModule> = []) {
    super();
    // A map keeps its order; an object would put whole-number names first.
    this.#layers = layers instanceof Map ? [...layers] : Object.entries(layers);
  }

  override namedChildren(): [string, AnyModule][] {
    return [...this.#layers];
  }

  forward(input: Tensor): Tensor {
    return this.#layers.reduce((value, [, layer]) => firstOutput(layer.call(value)), input);
  }

  get length(): number {
    return this.#layers.length;
  }

  *[Symbol.iterator](): Generator<AnyModule> {
    for (const [, layer] of this.#layers) yield layer;
  }

  /** The layer at a place, counted from the end where it is negative. */
  at(index: number): AnyModule {
    return this.#layers[placeOf('Sequential', index, this.length)]![1];
  }

  /** A Sequential of some of these layers. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map(this.#layers.slice(start, end)));
  }

  /** Adds a layer behind the others, named by its place. */
  append(layer: AnyModule): this {
    this.#layers.push([String(this.length), layer]);
    return this;
  }

  extend(layers: Iterable<AnyModule>): this {
    for (const layer of layers) this.append(layer);
    return this;
  }

  /** Puts a layer before that at `index`; layers are then named by their places. */
  insert(index: number, layer: AnyModule): this {
    const layers = [...this];
    layers.splice(index < 0 ? Math.max(0, index + this.length) : index, 0, layer);
    this.#layers = Object.entries(layers);
    return this;
  }

  /** Takes a layer out and gives it; layers are then named by their places. */
  pop(index = -1): AnyModule {
    const layers = [...this];
    const [layer] = layers.splice(placeOf('Sequential', index, this.length), 1);
    this.#layers = Object.entries(layers);
    return layer!;
  }
}

/**
 * A list of modules, whose parameters belong to the module that holds it.
 * https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 */
export class ModuleList<M extends AnyModule = AnyModule> extends Container {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#modules = [...modules];
  }

  override namedChildren(): [string, AnyModule][] {
    return this.#modules.map((module, i) => [String(i), module]);
  }

  get length(): number {
    return this.#modules.length;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  /** The module at a place, counted from the end where it is negative. */
  at(index: number): M {
    return this.#modules[placeOf('ModuleList', index, this.length)]!;
  }

  append(module: M): this {
    this.#modules.push(module);
    return this;
  }

  extend(modules: Iterable<M>): this {
    this.#modules.push(...modules);
    return this;
  }

  /** Puts a module before that at `index`. */
  insert(index: number, module: M): this {
    this.#modules.splice(index, 0, module);
    return this;
  }

  /** Takes a module out and gives it. */
  pop(index = -1): M {
    return this.#modules.splice(placeOf('ModuleList', index, this.length), 1)[0]!;
  }
}

/** Entries of an object or of anything that has them. */
type Entries<T> = Readonly<Record<string, T>> | Iterable<readonly [string, T]>;

function entriesOf<T>(given: Entries<T>): Iterable<readonly [string, T]> {
  return Symbol.iterator in given ? given : Object.entries(given);
}

/**
 * Modules by name. https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict<M extends AnyModule = AnyModule> extends Container {
  readonly #modules: Map<string, M>;

  constructor(modules: Entries<M> = {}) {
    super();
    this.#modules = new Map(entriesOf(modules));
  }

  override namedChildren(): [string, AnyModule][] {
    return [...this.#modules];
  }

  get size(): number {
    return this.#modules.size;
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.#modules[Symbol.iterator]();
  }

  get(name: string): M | undefined {
    return this.#modules.get(name);
  }

  set(name: string, module: M): this {
    this.#modules.set(name, module);
    return this;
  }

  has(name: string): boolean {
    return this.#modules.has(name);
  }

  delete(name: string): boolean {
    return this.#modules.delete(name);
  }

  keys(): string[] {
    return [...this.#modules.keys()];
  }

  values(): M[] {
    return [...this.#modules.values()];
  }

  update(modules: Entries<M>): this {
    for (const [name, module] of entriesOf(modules)) this.set(name, module);
    return this;
  }
}

/** Tensors become parameters; parameters stay themselves. */
const asParameter = (x: Tensor) => (x instanceof Parameter ? x : new Parameter(x.detach()));

/**
 * Parameters by name. https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Container {
  constructor(parameters: Entries<Tensor> = {}) {
    super();
    this.update(parameters);
  }

  /** Parameters are fields, as those of any module. */
  get #fields(): Record<string, Parameter> {
    return this as unknown as Record<string, Parameter>;
  }

  get size(): number {
    return this.keys().length;
  }

  *[Symbol.iterator](): Generator<[string, Parameter]> {
    for (const name of this.keys()) yield [name, this.#fields[name]!];
  }

  get(name: string): Parameter | undefined {
    return Object.hasOwn(this, name) ? this.#fields[name] : undefined;
  }

  set(name: string, parameter: Tensor): this {
    Object.defineProperty(this, name, {
      value: asParameter(parameter),
      ...{ configurable: true, enumerable: true, writable: true },
    });
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this, name);
  }

  delete(name: string): boolean {
    return this.has(name) && delete this.#fields[name];
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): Parameter[] {
    return Object.values(this.#fields);
  }

  update(parameters: Entries<Tensor>): this {
    for (const [name, parameter] of entriesOf(parameters)) this.set(name, parameter);
    return this;
  }
}

/**
 * A list of parameters. https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Container {
  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  get #fields(): Parameter[] {
    return Object.values(this) as Parameter[];
  }

  get length(): number {
    return this.#fields.length;
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.#fields[Symbol.iterator]();
  }

  /** The parameter at a place, counted from the end where it is negative. */
  at(index: number): Parameter {
    return this.#fields[placeOf('ParameterList', index, this.length)]!;
  }

  append(parameter: Tensor): this {
    Object.assign(this, { [this.length]: asParameter(parameter) });
    return this;
  }

  extend(parameters: Iterable<Tensor>): this {
    for (const parameter of parameters) this.append(parameter);
    return this;
  }
}

const options = strict({ layers: z.array(z.lazy(() => modules.spec())).min(1) });

modules.register('Sequential', { schema: options, create: buildSequential });

function buildSequential(
  { layers }: z.output<typeof options>,
  { input, observe, path = [] }: BuildContext,
): Sequential {
  const named = new Map<string, AnyModule>();
  let value = input;
  for (const [i, spec] of layers.entries()) {
    const at = [...path, 'layers', i];
    const name = typeof spec.name === 'string' ? spec.name : String(i);
    if (named.has(name)) throw new BuildError(`two layers are named "${name}"`, [...at, 'name']);
    const scope = at.join('.');
    const layer = withScope(scope, () => build(spec, { input: value, observe, path: at }));
    named.set(name, layer);
    if (value !== undefined) value = passOn(layer, value, at);
  }
  return new Sequential(named);
}

/** A layer's output for a symbolic input; what does not fit is the layer's fault. */
function passOn(layer: AnyModule, input: Tensor, at: readonly (string | number)[]): Tensor {
  try {
    return forwardOnce(layer, input);
  } catch (error) {
    if (error instanceof BuildError || !(error instanceof TorchtsError)) throw error;
    throw new BuildError(error.message, at);
  }
}
