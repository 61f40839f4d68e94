/**
 * Module: parameters, buffers and sub-modules are found in its fields, in the order they were
 * assigned, so `stateDict()` has PyTorch's keys without any registration.
 */

// Modules are written with tensor methods.
import '../ops/methods.ts';

import {
  ArgumentError,
  currentScope,
  nearestName,
  TorchtsError,
  withScope,
} from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Stateful } from '../core/compile.ts';
import { noGrad } from '../core/grad-mode.ts';
import { type RemovableHandle, removable } from '../core/hooks.ts';
import { realize, realizeSync } from '../core/realize.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';

/** Changes of any module's mode or any parameter's `requires_grad`: what trace keys depend on. */
let modeChanges = 0;

/** A tensor that is trained: a leaf that requires a gradient. */
export class Parameter extends Tensor {
  constructor(data: Tensor, requires_grad = true) {
    super(data.value);
    this.requires_grad_(requires_grad);
  }

  override requires_grad_(requires_grad = true): this {
    modeChanges++;
    return super.requires_grad_(requires_grad);
  }
}

/** A tensor that belongs to a module's state but is not trained. */
export class Buffer extends Tensor {
  constructor(data: Tensor) {
    super(data.detach().value);
  }
}

export interface LoadResult {
  readonly missing_keys: string[];
  readonly unexpected_keys: string[];
}

/**
 * Gives other inputs, or nothing. Not typed by the module: modules of different inputs would be no
 * related types any more.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type ForwardPreHook = (module: AnyModule, inputs: any[]) => unknown;

/** Gives another output, or nothing. */
// biome-ignore lint/suspicious/noExplicitAny: as of ForwardPreHook
export type ForwardHook = (module: AnyModule, inputs: any[], output: any) => unknown;

/** What most modules take. */
type TensorInputs = [input: Tensor, ...more: Tensor[]];

/** A module whatever it takes and gives. */
// biome-ignore lint/suspicious/noExplicitAny: its inputs are checked by whoever knows its type
export type AnyModule = Module<any, any>;

/** The main output: the tensor itself, or the first of several, such as a recurrent layer's. */
export function firstOutput(output: Tensor | readonly [Tensor, ...unknown[]]): Tensor {
  return output instanceof Tensor ? output : output[0];
}

/** `Inputs` are what `forward` takes, `Output` what it gives; a tensor each in most modules. */
export abstract class Module<Inputs extends readonly unknown[] = TensorInputs, Output = Tensor>
  implements Stateful
{
  #training = true;
  readonly #preHooks = new Set<ForwardPreHook>();
  readonly #hooks = new Set<ForwardHook>();
  #hookChanges = 0;
  #traceKey = { key: '', asOf: -1 };
  /** Where this module stands in the one it belongs to, such as `layers.2`; for messages. */
  #path: string | undefined;

  /** True while training; changed by `train()` and `eval()`. */
  get training(): boolean {
    return this.#training;
  }

  set training(mode: boolean) {
    if (mode !== this.#training) modeChanges++;
    this.#training = mode;
  }

  /** Computes the output. Call the module through `call`, which also names it in errors. */
  abstract forward(...inputs: Inputs): Output;

  /** `forward`, with the module's path in every error and graph node. */
  call(...inputs: Inputs): Output {
    if (this.#path === undefined) this.#nameAll();
    // The outermost module stands for those below it.
    if (currentScope() === '') currentTrace()?.uses.add(this);
    return withScope(this.#path!, () => this.#hooked(inputs));
  }

  /** `forward` between the hooks. */
  #hooked(inputs: readonly unknown[]): Output {
    let given = [...inputs];
    for (const hook of this.#preHooks) {
      const other = hook(this, given);
      if (other !== undefined) given = Array.isArray(other) ? other : [other];
    }
    let output = this.forward(...(given as unknown as Inputs));
    for (const hook of this.#hooks) {
      output = (hook(this, given, output) as Output | undefined) ?? output;
    }
    return output;
  }

  /**
   * Calls `hook` before every `forward`; it may give other inputs, as an array.
   * https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook
   */
  registerForwardPreHook(hook: ForwardPreHook): RemovableHandle {
    return this.#register(this.#preHooks, hook);
  }

  /** Calls `hook` after every `forward`; it may give another output. */
  registerForwardHook(hook: ForwardHook): RemovableHandle {
    return this.#register(this.#hooks, hook);
  }

  /** Hooks are part of what a compiled step traces, so a change of them is a change of mode. */
  #register<T>(hooks: Set<T>, hook: T): RemovableHandle {
    return removable(hooks, hook, () => {
      this.#hookChanges++;
      modeChanges++;
    });
  }

  /** Direct sub-modules. */
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** Calls `fn` with every module below this one, then with this one. */
  apply(fn: (module: AnyModule) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** The module at a path such as `layers.2`; this one at ''. */
  getSubmodule(target: string): AnyModule {
    return found(this, 'getSubmodule', target, this.namedModules());
  }

  /** The parameter at a path such as `layers.2.weight`. */
  getParameter(target: string): Parameter {
    return found(this, 'getParameter', target, this.namedParameters());
  }

  /** The buffer at a path such as `norm.running_mean`. */
  getBuffer(target: string): Buffer {
    return found(this, 'getBuffer', target, this.namedBuffers());
  }

  #nameAll(): void {
    for (const [path, module] of this.namedModules()) {
      // A layer that was called before it became part of this module had its class name only.
      if (path !== '') module.#path = path;
      else module.#path ??= module.constructor.name;
    }
  }

  /** Direct sub-modules by field name. A list field gives `field.0`, `field.1`, ... */
  namedChildren(): [string, AnyModule][] {
    return Object.entries(this).flatMap(([name, field]): [string, AnyModule][] => {
      if (field instanceof Module) return [[name, field]];
      const list: readonly unknown[] = Array.isArray(field) ? field : [];
      return list.flatMap((item, i): [string, AnyModule][] =>
        item instanceof Module ? [[`${name}.${i}`, item]] : [],
      );
    });
  }

  /** This module and all below it, depth first, with their paths. */
  *namedModules(prefix = ''): Generator<[string, AnyModule]> {
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(prefix === '' ? name : `${prefix}.${name}`);
    }
  }

  modules(): AnyModule[] {
    return [...this.namedModules()].map(([, module]) => module);
  }

  /** Parameters of this module and those below it, each once, by path. */
  namedParameters(): [string, Parameter][] {
    const seen = new Set<Tensor>();
    return this.#namedTensors().filter((entry): entry is [string, Parameter] => {
      const isNew = entry[1] instanceof Parameter && !seen.has(entry[1]);
      seen.add(entry[1]);
      return isNew;
    });
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  namedBuffers(): [string, Buffer][] {
    return this.#namedTensors().filter(
      (entry): entry is [string, Buffer] => entry[1] instanceof Buffer,
    );
  }

  #namedTensors(): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, field] of Object.entries(module)) {
        const isState = field instanceof Parameter || field instanceof Buffer;
        if (isState) found.push([prefix === '' ? name : `${prefix}.${name}`, field]);
      }
    }
    return found;
  }

  /** Parameters and buffers by PyTorch's keys. The tensors are the module's own, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map(this.#namedTensors());
  }

  /**
   * Copies values in by key, at once: the given tensors may be disposed of afterwards. Nothing is
   * changed when anything does not fit.
   * @throws TorchtsError naming every missing, unexpected (when strict) and mis-shaped key.
   */
  loadStateDict(
    values: ReadonlyMap<string, Tensor>,
    { strict = true }: { strict?: boolean } = {},
  ): LoadResult {
    const own = this.stateDict();
    const missing_keys = [...own.keys()].filter((key) => !values.has(key));
    const unexpected_keys = [...values.keys()].filter((key) => !own.has(key));
    const faults = [...own].flatMap(([key, tensor]) => {
      const value = values.get(key);
      if (value === undefined || sameShape(value.shape, tensor.shape)) return [];
      return [`${key} has shape ${formatShape(value.shape)}, needs ${formatShape(tensor.shape)}`];
    });
    if (strict) {
      faults.push(...missing_keys.map((key) => `${key} is missing`));
      faults.push(...unexpected_keys.map((key) => unexpected(key, missing_keys)));
    }
    if (faults.length > 0) {
      throw new TorchtsError(`[loadStateDict] ${this.constructor.name}: ${faults.join('; ')}`);
    }
    noGrad(() => {
      for (const [key, tensor] of own) {
        const value = values.get(key);
        if (value !== undefined) tensor.copy_(value.detach());
      }
    });
    realizeSync([...own.values()].map((tensor) => tensor.value));
    return { missing_keys, unexpected_keys };
  }

  /** Everything a compiled step may update. */
  stateTensors(): Tensor[] {
    return [...this.stateDict().values()];
  }

  /** Asked for at every call of a compiled step, so it is kept until something changes. */
  traceKey(): string {
    if (this.#traceKey.asOf !== modeChanges) {
      this.#traceKey = { key: this.#describeModes(), asOf: modeChanges };
    }
    return this.#traceKey.key;
  }

  #describeModes(): string {
    const trained = this.modules().map((module) => (module.training ? 't' : 'e'));
    const frozen = this.parameters().map((parameter) => (parameter.requires_grad ? '1' : '0'));
    const hooks = this.modules().map((module) => module.#hookChanges);
    const changed = hooks.some((count) => count > 0) ? ` hooks ${hooks.join(' ')}` : '';
    return `modes ${trained.join('')} requires_grad ${frozen.join('')}${changed}`;
  }

  /** Training behaviour (dropout on, batch statistics used) for this module and all below it. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Evaluation behaviour. */
  eval(): this {
    return this.train(false);
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Makes all parameters take part in training, or none. */
  requires_grad_(requires_grad = true): this {
    for (const parameter of this.parameters()) parameter.requires_grad_(requires_grad);
    return this;
  }

  /** Computes all parameters and buffers now, in one run. */
  async realize(): Promise<this> {
    await realize(this.stateTensors().map((tensor) => tensor.value));
    return this;
  }

  /** What stands between the parentheses when the module is printed. */
  protected describe(): string {
    return '';
  }

  toString(): string {
    const children = this.namedChildren();
    const head = `${this.constructor.name}(${this.describe()}`;
    if (children.length === 0) return `${head})`;
    const lines = children.map(([name, child]) => `(${name}): ${child}`.replaceAll('\n', '\n  '));
    return `${head}\n  ${lines.join('\n  ')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function unexpected(key: string, missing: readonly string[]): string {
  const nearest = nearestName(key, missing);
  return `${key} is unexpected${nearest === undefined ? '' : ` (is it ${nearest}?)`}`;
}

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
