/** Modules made of modules. */

import { z } from 'zod';
import { kindOf } from '../base/adopt.ts';
import { BuildError } from '../base/build-error.ts';
import { ArgumentError, opError, withScope } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Container, type Entries, entriesOf, placeOf } from './container-parts.ts';
import { type AnyModule, firstOutput, Module } from './module.ts';
import { listParts, moduleText } from './module-text.ts';
import { modulesChanged } from './parameter.ts';
import { type BuildContext, build, modules, passOn } from './registry.ts';

type Layers = AnyModule[] | [(readonly AnyModule[] | ReadonlyMap<string, AnyModule>)?];

function namedLayers(given: Layers): [string, AnyModule][] {
  const [first] = given;
  const isOne = given.length === 1 && (first instanceof Map || Array.isArray(first));
  const layers = isOne ? first : given.length === 1 && first === undefined ? [] : given;
  // A map keeps its order; an object would put whole-number names first.
  const named: [string, AnyModule][] =
    layers instanceof Map ? [...layers] : Object.entries(layers as AnyModule[]);
  for (const [name, layer] of named) {
    if (layer instanceof Module) continue;
    const message = `layer ${name} must be a module, got ${kindOf(layer)}`;
    throw opError(ArgumentError, 'Sequential', message);
  }
  return named;
}

/**
 * Passes its input through the layers in order; of a layer with several outputs, such as LSTM, the
 * first is passed on. Given as in PyTorch, `new Sequential(a, b)`, or as a list, layers are named
 * `0`, `1`, ...; those of a map by its keys. The state_dict keys begin with these names.
 * https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module {
  #layers: [string, AnyModule][];

  constructor(layers?: readonly AnyModule[] | ReadonlyMap<string, AnyModule>);
  constructor(...layers: AnyModule[]);
  /** @throws ArgumentError for anything that is not a module. */
  constructor(...given: Layers) {
    super();
    this.#layers = namedLayers(given);
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

  /** Adds a layer behind the others, or puts it in the place of the one of that name. */
  override addModule(name: string, module: AnyModule): void {
    const place = this.#layers.findIndex(([known]) => known === name);
    this.#layers.splice(place < 0 ? this.length : place, place < 0 ? 0 : 1, [name, module]);
    modulesChanged();
  }

  /** A Sequential of some of these layers. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map(this.#layers.slice(start, end)));
  }

  /** Adds a layer behind the others, named by its place. */
  append(layer: AnyModule): this {
    this.#layers.push([String(this.length), layer]);
    modulesChanged();
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
    modulesChanged();
    return this;
  }

  /** Takes a layer out and gives it; layers are then named by their places. */
  pop(index = -1): AnyModule {
    const layers = [...this];
    const [layer] = layers.splice(placeOf('Sequential', index, this.length), 1);
    this.#layers = Object.entries(layers);
    modulesChanged();
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
    return this.insert(this.length, module);
  }

  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Puts a module before that at `index`. */
  insert(index: number, module: M): this {
    this.#modules.splice(index, 0, module);
    modulesChanged();
    return this;
  }

  /** Takes a module out and gives it. */
  pop(index = -1): M {
    modulesChanged();
    return this.#modules.splice(placeOf('ModuleList', index, this.length), 1)[0]!;
  }

  /** Puts a module in the place `name`, or behind the others. */
  override addModule(name: string, module: M): void {
    if (name === String(this.length)) this.append(module);
    else {
      this.#modules[placeOf('ModuleList', Number(name), this.length)] = module;
      modulesChanged();
    }
  }

  override toString(): string {
    return moduleText(this.constructor.name, '', listParts(this.#modules));
  }
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
    modulesChanged();
    return this;
  }

  override addModule(name: string, module: M): void {
    this.set(name, module);
  }

  has(name: string): boolean {
    return this.#modules.has(name);
  }

  delete(name: string): boolean {
    modulesChanged();
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
    if (value !== undefined) value = passOn(layer, [value], at);
  }
  return new Sequential(named);
}
