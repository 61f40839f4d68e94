/** Module: a function with state. What belongs to it is in `module-tree.ts`. */

// Modules are written with tensor methods.
import '../ops/methods.ts';

import { type DType, isDType, isFloating } from '../base/dtype.ts';
import { CompileError, currentScope, DTypeError, opError, withScope } from '../base/errors.ts';
import type { Stateful } from '../core/compile.ts';
import type { HookOptions, RemovableHandle } from '../core/hooks.ts';
import { realize } from '../core/realize.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { zerosLike } from '../ops/creation.ts';
import { cast } from '../ops/pointwise.ts';
import { copyState, type LoadResult } from './load-state.ts';
import {
  type BackwardHook,
  type BackwardPreHook,
  type ForwardHook,
  type ForwardPreHook,
  type LoadStateDictPostHook,
  ModuleHooks,
  type StateDictHook,
} from './module-hooks.ts';
import { moduleText, partTexts } from './module-text.ts';
import { type ListOptions, ModuleTree } from './module-tree.ts';
import { Buffer, moduleChanges, modulesChanged } from './parameter.ts';

export type { LoadResult } from './load-state.ts';
export type { ListOptions } from './module-tree.ts';
export { Buffer, Parameter } from './parameter.ts';

/** What most modules take. */
type TensorInputs = [input: Tensor, ...more: Tensor[]];

/** A module whatever it takes and gives. */
// biome-ignore lint/suspicious/noExplicitAny: its inputs are checked by whoever knows its type
export type AnyModule = Module<any, any>;

/** The main output: the tensor itself, or the first of several, such as a recurrent layer's. */
export function firstOutput(output: Tensor | readonly [Tensor, ...unknown[]]): Tensor {
  return output instanceof Tensor ? output : output[0];
}

/** Every output that is a tensor of its own: of a recurrent layer the first alone. */
export function tensorOutputs(output: Tensor | readonly unknown[]): Tensor[] {
  const all = output instanceof Tensor ? [output] : output;
  return all.filter((part) => part instanceof Tensor);
}

/**
 * The base of all layers and models. `Inputs` are what `forward` takes, `Output` what it gives; a
 * tensor each in most modules.
 *
 * Parameters, buffers and modules that are assigned to fields belong to the module; a field may
 * also be an array of modules. They are listed in the order in which the fields were made.
 * https://pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export abstract class Module<Inputs extends readonly unknown[] = TensorInputs, Output = Tensor>
  extends ModuleTree
  implements Stateful
{
  #training = true;
  readonly #hooks = new ModuleHooks();
  #traceKey = { key: '', asOf: -1 };
  /** Where this module stands in the one it belongs to, such as `layers.2`; for messages. */
  #path: string | undefined;

  /** True while training; changed by `train()` and `eval()`. */
  get training(): boolean {
    return this.#training;
  }

  set training(mode: boolean) {
    if (mode !== this.#training) modulesChanged();
    this.#training = mode;
  }

  /** The names of what `forward` takes, in order, where it may be given by name in a Graph. */
  get argumentNames(): readonly string[] | undefined {
    return undefined;
  }

  /** Computes the output. Call the module through `call`, which also names it in errors. */
  abstract forward(...inputs: Inputs): Output;

  /** `forward` between the hooks, with the module's path in every error and graph node. */
  call(...inputs: Inputs): Output {
    if (this.#path === undefined) this.#nameAll();
    // The outermost module stands for those below it.
    if (currentScope() === '') currentTrace()?.uses.add(this);
    return withScope(this.#path!, () =>
      this.#hooks.around(this, inputs, (given) => this.forward(...(given as unknown as Inputs))),
    ) as Output;
  }

  #nameAll(): void {
    for (const [path, module] of this.namedModules()) {
      // A layer that was called before it became part of this module had its class name only.
      if (path !== '') module.#path = path;
      else module.#path ??= module.constructor.name;
    }
  }

  // ---- hooks -----------------------------------------------------------------------------------

  /**
   * Calls `hook` before every `forward`; it may give other inputs, as an array.
   * https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook
   */
  registerForwardPreHook(hook: ForwardPreHook, options?: HookOptions): RemovableHandle {
    return this.#hooks.forwardPre.add(hook, options);
  }

  /** Calls `hook` after every `forward`; it may give another output. */
  registerForwardHook(hook: ForwardHook, options?: HookOptions): RemovableHandle {
    return this.#hooks.forward.add(hook, options);
  }

  /** Calls `hook` with the gradients of the outputs, on the way back; it may give others. */
  registerFullBackwardPreHook(hook: BackwardPreHook, options?: HookOptions): RemovableHandle {
    return this.#hooks.backwardPre.add(hook, options);
  }

  /**
   * Calls `hook` with the gradients of the inputs and of the outputs, on the way back; it may give
   * others of the inputs. Where no input requires a gradient it is called with nulls for them.
   * https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook
   */
  registerFullBackwardHook(hook: BackwardHook, options?: HookOptions): RemovableHandle {
    return this.#hooks.backward.add(hook, options);
  }

  /** Calls `hook` with every state_dict that is made of this module or of one it belongs to. */
  registerStateDictPostHook(hook: StateDictHook): RemovableHandle {
    return this.#hooks.stateDict.add(hook);
  }

  /** Calls `hook` with every state_dict that is loaded, before: it may rename keys in it. */
  registerLoadStateDictPreHook(hook: StateDictHook): RemovableHandle {
    return this.#hooks.loadStateDictPre.add(hook);
  }

  /** Calls `hook` with the keys that did not fit; what it takes from the lists is no fault. */
  registerLoadStateDictPostHook(hook: LoadStateDictPostHook): RemovableHandle {
    return this.#hooks.loadStateDictPost.add(hook);
  }

  // ---- state -----------------------------------------------------------------------------------

  /** Parameters and persistent buffers by PyTorch's keys: the module's own tensors, not copies. */
  stateDict({ prefix = '' }: Pick<ListOptions, 'prefix'> = {}): Map<string, Tensor> {
    const state: Map<string, Tensor> = new Map(this.#savedTensors(prefix));
    for (const [path, module] of this.#parts(prefix)) {
      for (const hook of module.#hooks.stateDict) hook(module, state, path);
    }
    return state;
  }

  #savedTensors(prefix = ''): [string, Tensor][] {
    return this.namedTensors(prefix).filter(
      ([, tensor]) => !(tensor instanceof Buffer) || tensor.persistent,
    );
  }

  /** The modules below this one, then this one, with what their keys begin with. */
  #parts(prefix = ''): [string, AnyModule][] {
    const all = [...this.namedModules({ prefix, remove_duplicate: false })].reverse();
    return all.map(([path, module]) => [path === '' ? '' : `${path}.`, module]);
  }

  /** `values` after the hooks that are called before they are loaded: keys may be renamed. */
  preparedState(values: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const given = new Map(values);
    for (const [prefix, module] of this.#parts()) {
      for (const hook of module.#hooks.loadStateDictPre) hook(module, given, prefix);
    }
    return given;
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
    return this.loadPreparedState(this.preparedState(values), { strict });
  }

  /** `loadStateDict` of what `preparedState` gave: no hook changes it again. */
  loadPreparedState(
    values: ReadonlyMap<string, Tensor>,
    { strict = true }: { strict?: boolean } = {},
  ): LoadResult {
    const parts = this.#parts();
    return copyState(this.constructor.name, new Map(this.#savedTensors()), values, {
      strict,
      forgive: (result) => {
        for (const [, module] of parts) {
          for (const hook of module.#hooks.loadStateDictPost) hook(module, result);
        }
      },
    });
  }

  /** Everything a compiled step may update. */
  stateTensors(): Tensor[] {
    return this.namedTensors().map(([, tensor]) => tensor);
  }

  /** Asked for at every call of a compiled step, so it is kept until something changes. */
  traceKey(): string {
    if (this.#traceKey.asOf !== moduleChanges()) {
      this.#traceKey = { key: this.#describeModes(), asOf: moduleChanges() };
    }
    return this.#traceKey.key;
  }

  #describeModes(): string {
    const trained = this.modules().map((module) => (module.training ? 't' : 'e'));
    const frozen = this.parameters().map((parameter) => (parameter.requires_grad ? '1' : '0'));
    const hooks = this.modules().map((module) => module.#hooks.changes);
    const changed = hooks.some((count) => count > 0) ? ` hooks ${hooks.join(' ')}` : '';
    return `modes ${trained.join('')} requires_grad ${frozen.join('')}${changed}${this.#precision()}`;
  }

  /** The dtypes of floating state where they are not all float32. */
  #precision(): string {
    const dtypes = this.stateTensors().map(({ dtype }) => dtype);
    const floating = dtypes.filter(isFloating);
    return floating.every((dtype) => dtype === 'float32') ? '' : ` dtypes ${floating.join(' ')}`;
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

  /** Forgets the gradients, or makes them zeros. */
  zeroGrad(set_to_none = true): void {
    for (const parameter of this.parameters()) {
      if (set_to_none) parameter.grad = null;
      else if (parameter.grad !== null) parameter.grad = zerosLike(parameter.grad);
    }
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

  /**
   * Casts all floating parameters and buffers, and the gradients. The tensors stay the same ones,
   * so an optimizer keeps them. The name of a device is taken and has no effect: there is one.
   * https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to
   * @throws DTypeError for a dtype that is not floating, CompileError in a compiled step.
   */
  to(...given: readonly (DType | Tensor | string | boolean | null)[]): this {
    const as = given.find((item) => item instanceof Tensor || isDType(item));
    const dtype = as instanceof Tensor ? as.dtype : (as as DType | undefined);
    return dtype === undefined ? this : this.#cast('to', dtype);
  }

  float(): this {
    return this.#cast('float', 'float32');
  }

  double(): this {
    return this.#cast('double', 'float64');
  }

  bfloat16(): this {
    return this.#cast('bfloat16', 'bfloat16');
  }

  half(): this {
    return this.#cast('half', 'float16');
  }

  #cast(method: string, dtype: DType): this {
    if (!isFloating(dtype)) {
      const message = `a module's dtype must be floating point, got ${dtype}`;
      throw opError(DTypeError, method, message);
    }
    if (currentTrace() !== undefined) {
      throw new CompileError(`[${method}] a module's dtype cannot change in a compiled step`);
    }
    for (const tensor of this.stateTensors()) {
      if (!isFloating(tensor.dtype) || tensor.dtype === dtype) continue;
      const { grad } = tensor;
      tensor.exchange(cast(tensor.detach(), dtype).value);
      if (grad !== null) tensor.grad = cast(grad, dtype);
    }
    modulesChanged();
    return this;
  }

  // ---- text ------------------------------------------------------------------------------------

  /** What stands between the parentheses when the module is printed. */
  extraRepr(): string {
    return '';
  }

  override toString(): string {
    return moduleText(this.constructor.name, this.extraRepr(), partTexts(this.namedChildren()));
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
