/** What is called around a module's `forward`, on the way back through it, and with its state. */

import { ArgumentError, opError } from '../base/errors.ts';
import { HookList } from '../core/hooks.ts';
import { Tensor } from '../core/tensor.ts';
import { customFunction } from '../ops/custom-function.ts';
import type { AnyModule, LoadResult } from './module.ts';
import { modulesChanged } from './parameter.ts';

/**
 * Gives other inputs, or nothing. Not typed by the module: modules of different inputs would be no
 * related types any more.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type ForwardPreHook = (module: AnyModule, inputs: any[]) => unknown;

/** Gives another output, or nothing. */
// biome-ignore lint/suspicious/noExplicitAny: as of ForwardPreHook
export type ForwardHook = (module: AnyModule, inputs: any[], output: any) => unknown;

/** One gradient for each input or output; null for what is no tensor or requires none. */
export type Gradients = readonly (Tensor | null)[];

/** Gives other gradients of the outputs, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
export type BackwardPreHook = (module: AnyModule, grad_output: Gradients) => Gradients | void;

/** Gives other gradients of the inputs, or nothing. */
export type BackwardHook = (
  module: AnyModule,
  grad_input: Gradients,
  grad_output: Gradients,
  // biome-ignore lint/suspicious/noConfusingVoidType: as of BackwardPreHook
) => Gradients | void;

/** May change the state_dict that was made; `prefix` is the module's path and a dot. */
export type StateDictHook = (
  module: AnyModule,
  state_dict: Map<string, Tensor>,
  prefix: string,
) => void;

/** May add to or take from the lists of keys that did not fit. */
export type LoadStateDictPostHook = (module: AnyModule, incompatible_keys: LoadResult) => void;

/** All hooks of one module. */
export class ModuleHooks {
  /** How often those that shape the graph changed: a trace made before is no longer right. */
  changes = 0;

  readonly #shaped = () => {
    this.changes++;
    modulesChanged();
  };

  readonly forwardPre = new HookList<ForwardPreHook>(this.#shaped);
  readonly forward = new HookList<ForwardHook>(this.#shaped);
  readonly backwardPre = new HookList<BackwardPreHook>(this.#shaped);
  readonly backward = new HookList<BackwardHook>(this.#shaped);
  readonly stateDict = new HookList<StateDictHook>();
  readonly loadStateDictPre = new HookList<StateDictHook>();
  readonly loadStateDictPost = new HookList<LoadStateDictPostHook>();

  /** What `compute` gives, between the hooks. */
  around(
    module: AnyModule,
    inputs: readonly unknown[],
    compute: (inputs: readonly unknown[]) => unknown,
  ): unknown {
    let given = [...inputs];
    for (const hook of this.forwardPre) {
      const other = hook(module, given);
      if (other !== undefined) given = Array.isArray(other) ? other : [other];
    }
    const watched = this.backward.size + this.backwardPre.size > 0;
    const watch = watched ? new BackwardWatch(module, this) : undefined;
    if (watch !== undefined) given = watch.inputs(given);
    let output = compute(given);
    for (const hook of this.forward) output = hook(module, given, output) ?? output;
    return watch === undefined ? output : watch.output(output);
  }
}

/**
 * Sees the gradients of one call. All outputs pass one node and all inputs another one, so that
 * hooks get all gradients together.
 */
class BackwardWatch {
  #grad_output: Gradients | undefined;
  /** The node of the inputs has gradients of its own to report. */
  #seesInputs = false;
  #count = 0;

  constructor(
    readonly module: AnyModule,
    readonly hooks: ModuleHooks,
  ) {}

  inputs(given: unknown[]): unknown[] {
    this.#count = given.length;
    const wanted = given.map((x) => x instanceof Tensor && x.requires_grad);
    this.#seesInputs = wanted.includes(true);
    if (!this.#seesInputs) return given;
    return through(given, (arrived) => {
      const grad_output = this.#grad_output;
      // A gradient that does not come from the outputs, such as a second derivative's.
      if (grad_output === undefined) return arrived;
      this.#grad_output = undefined;
      const grad_input = arrived.map((gradient, i) => (wanted[i] ? gradient : null));
      return this.#ofInputs(grad_input, grad_output);
    });
  }

  output(given: unknown): unknown {
    const list = Array.isArray(given) ? given : [given];
    if (!list.some((x) => x instanceof Tensor && x.requires_grad)) return given;
    const watched = through(list, (arrived) => {
      let grad_output = arrived;
      for (const hook of this.hooks.backwardPre) {
        const other = hook(this.module, grad_output);
        if (other)
          grad_output = this.#checked('pre hook', other, grad_output.length, 'grad_output');
      }
      if (this.#seesInputs) this.#grad_output = grad_output;
      else this.#ofInputs(new Array(this.#count).fill(null), grad_output);
      return grad_output;
    });
    return Array.isArray(given) ? watched : watched[0];
  }

  #ofInputs(grad_input: Gradients, grad_output: Gradients): Gradients {
    let gradients = grad_input;
    for (const hook of this.hooks.backward) {
      const other = hook(this.module, gradients, grad_output);
      if (other) gradients = this.#checked('hook', other, gradients.length, 'grad_input');
    }
    return gradients;
  }

  #checked(kind: string, found: Gradients, count: number, what: string): Gradients {
    if (found.length === count) return found;
    const message = `a backward ${kind} gave ${found.length} ${what}, needs ${count}`;
    throw opError(ArgumentError, this.module.constructor.name, message);
  }
}

/** The same values, tensors through a node whose gradients `backward` sees and may replace. */
function through(values: unknown[], backward: (arrived: Gradients) => Gradients): unknown[] {
  const places = values.flatMap((x, i) => (x instanceof Tensor ? [i] : []));
  const pass = customFunction({
    name: 'backward_hook',
    forward: (_ctx, ...tensors: Tensor[]) => tensors,
    backward: (_ctx, ...grads) => {
      const arrived = new Array<Tensor | null>(values.length).fill(null);
      for (const [k, place] of places.entries()) arrived[place] = grads[k] ?? null;
      const passed = backward(arrived);
      return places.map((place) => passed[place] ?? null);
    },
  });
  const passed = pass(...places.map((place) => values[place] as Tensor));
  const result = [...values];
  for (const [k, place] of places.entries()) result[place] = passed[k];
  return result;
}
