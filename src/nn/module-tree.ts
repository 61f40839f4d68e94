/** What belongs to a module: parameters, buffers and modules in its fields, and their paths. */

import { ArgumentError, nearestName } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AnyModule } from './module.ts';
import { Buffer, modulesChanged, Parameter } from './parameter.ts';

/** What is listed of a module. */
export interface ListOptions {
  /** What every path begins with. Default: ''. */
  readonly prefix?: string;
  /** Also of the modules below this one. Default: true. */
  readonly recurse?: boolean;
  /** Give what is there under several paths once, under the first. Default: true. */
  readonly remove_duplicate?: boolean;
}

/** Module is the only class that extends ModuleTree. */
function isModule(value: unknown): value is AnyModule {
  return value instanceof ModuleTree;
}

const joined = (prefix: string, name: string) => (prefix === '' ? name : `${prefix}.${name}`);

/**
 * Parts are found in the fields, in the order in which these were made, so that `stateDict()` has
 * PyTorch's keys without any registration. A field may also be an array of modules.
 */
export abstract class ModuleTree {
  get #self(): AnyModule {
    return this as unknown as AnyModule;
  }

  /**
   * Adds a parameter as field `name`, or null for one that may be set later.
   * @throws ArgumentError for a name with a dot or one that is taken.
   */
  registerParameter(name: string, param: Parameter | null): void {
    this.#register('registerParameter', name, param, Parameter);
  }

  /** Adds a buffer as field `name`; the state_dict leaves it out if it is not `persistent`. */
  registerBuffer(
    name: string,
    tensor: Tensor | null,
    { persistent = true }: { readonly persistent?: boolean } = {},
  ): void {
    const isReady = tensor instanceof Buffer && tensor.persistent === persistent;
    const buffer = tensor === null || isReady ? tensor : new Buffer(tensor, persistent);
    this.#register('registerBuffer', name, buffer, Buffer);
  }

  /** Adds a module as field `name`, or null. */
  addModule(name: string, module: AnyModule | null): void {
    this.#register('addModule', name, module, ModuleTree);
  }

  /** `addModule`. */
  registerModule(name: string, module: AnyModule | null): void {
    this.addModule(name, module);
  }

  #register(method: string, name: string, value: unknown, kind: PartClass): void {
    const refuse = (problem: string) => {
      const { name: type } = this.constructor;
      return new ArgumentError(`[${method}] ${type}: ${problem}`);
    };
    if (name === '' || name.includes('.')) throw refuse(`a name cannot be "${name}"`);
    if (value !== null && !(value instanceof kind)) {
      const wanted = kind === ModuleTree ? 'Module' : kind.name;
      throw refuse(`${name} must be a ${wanted} or null`);
    }
    const fields = this as unknown as Record<string, unknown>;
    const known = fields[name];
    if (name in this && known !== null && !(known instanceof kind)) {
      throw refuse(`there is a ${name} already`);
    }
    fields[name] = value;
    modulesChanged();
  }

  /** Direct sub-modules. */
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** Direct sub-modules by field name. A list field gives `field.0`, `field.1`, ... */
  namedChildren(): [string, AnyModule][] {
    return Object.entries(this).flatMap(([name, field]): [string, AnyModule][] => {
      if (isModule(field)) return [[name, field]];
      const list: readonly unknown[] = Array.isArray(field) ? field : [];
      return list.flatMap((item, i): [string, AnyModule][] =>
        isModule(item) ? [[`${name}.${i}`, item]] : [],
      );
    });
  }

  /** This module and all below it, depth first, with their paths. */
  *namedModules(
    { prefix = '', remove_duplicate = true }: Omit<ListOptions, 'recurse'> = {},
    seen = new Set<AnyModule>(),
  ): Generator<[string, AnyModule]> {
    const self = this.#self;
    if (remove_duplicate && seen.has(self)) return;
    seen.add(self);
    yield [prefix, self];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules({ prefix: joined(prefix, name), remove_duplicate }, seen);
    }
  }

  modules(): AnyModule[] {
    return [...this.namedModules()].map(([, module]) => module);
  }

  /** Calls `fn` with every module below this one, then with this one. */
  apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this.#self);
    return this;
  }

  /** The module at a path such as `layers.2`; this one at ''. */
  getSubmodule(target: string): AnyModule {
    return found(
      this.#self,
      'getSubmodule',
      target,
      this.namedModules({ remove_duplicate: false }),
    );
  }

  /** The parameter at a path such as `layers.2.weight`. */
  getParameter(target: string): Parameter {
    const all = this.namedParameters({ remove_duplicate: false });
    return found(this.#self, 'getParameter', target, all);
  }

  /** The buffer at a path such as `norm.running_mean`. */
  getBuffer(target: string): Buffer {
    return found(this.#self, 'getBuffer', target, this.namedBuffers({ remove_duplicate: false }));
  }

  /** Parameters by path. */
  namedParameters(options: ListOptions = {}): [string, Parameter][] {
    return this.#named(Parameter, options);
  }

  parameters(options: Pick<ListOptions, 'recurse'> = {}): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  /** Buffers by path. */
  namedBuffers(options: ListOptions = {}): [string, Buffer][] {
    return this.#named(Buffer, options);
  }

  buffers(options: Pick<ListOptions, 'recurse'> = {}): Buffer[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  #named<T extends Tensor>(
    // biome-ignore lint/suspicious/noExplicitAny: whatever it is made of
    kind: new (...given: any[]) => T,
    { prefix = '', recurse = true, remove_duplicate = true }: ListOptions,
  ): [string, T][] {
    const seen = new Set<Tensor>();
    return this.namedTensors(prefix, recurse).filter((entry): entry is [string, T] => {
      const [, tensor] = entry;
      if (!(tensor instanceof kind) || (remove_duplicate && seen.has(tensor))) return false;
      seen.add(tensor);
      return true;
    });
  }

  /** Parameters and buffers by path, under each of their paths. */
  protected namedTensors(prefix = '', recurse = true): [string, Parameter | Buffer][] {
    const found: [string, Parameter | Buffer][] = [];
    const all = this.namedModules({ prefix, remove_duplicate: false });
    for (const [path, module] of recurse ? all : [[prefix, this.#self] as const]) {
      for (const [name, field] of Object.entries(module)) {
        const isState = field instanceof Parameter || field instanceof Buffer;
        if (isState) found.push([joined(path, name), field]);
      }
    }
    return found;
  }
}

type PartClass = typeof Parameter | typeof Buffer | typeof ModuleTree;

function found<T>(
  { constructor: { name } }: AnyModule,
  method: string,
  target: string,
  entries: Iterable<[string, T]>,
): T {
  const known = new Map(entries);
  const value = known.get(target);
  if (value !== undefined) return value;
  const nearest = nearestName(target, known.keys());
  const hint = nearest === undefined ? '' : `; is it ${nearest}?`;
  throw new ArgumentError(`[${method}] ${name} has no ${target}${hint}`);
}
