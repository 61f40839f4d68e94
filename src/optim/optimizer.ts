/** What all optimizers share: parameter groups, their state, gradients to zero. */

import { sameShape } from '../base/shape.ts';
import { takeRecentRoots } from '../core/autograd.ts';
import type { Stateful } from '../core/compile.ts';
import { enableGrad, noGrad, setGradEnabled } from '../core/grad-mode.ts';
import type { RemovableHandle } from '../core/hooks.ts';
import { realizeSync } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { unscaled } from '../ops/clipping.ts';
import { zerosLike } from '../ops/creation.ts';
import {
  OptimizerHooks,
  type OptimizerStateHook,
  passed,
  type StepHook,
} from './optimizer-hooks.ts';
import { type ScalarOf, scalars } from './options.ts';
import {
  completeGroup,
  type GivenGroup,
  type GroupOptions,
  groupsOf,
  type ParamGroup,
  type Params,
} from './param-groups.ts';
import {
  type OptimizerStateDict,
  readStateDict,
  type SavedState,
  writeStateDict,
} from './state-dict.ts';
import { type StepCounter, StepCounters } from './step-counters.ts';

/** Tensors by name, such as `momentum_buffer`, for one parameter. */
export type ParamState = Record<string, Tensor>;

/** How each tensor of a parameter's state begins. */
export type InitialState = Record<string, () => Tensor>;

/** One parameter that is to be updated. */
export interface Update {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly state: ParamState;
}

/** Parameters of one group that are updated together. */
export interface UpdateBatch {
  /** A scalar as precise as the parameters, read anew at every step. */
  readonly scalar: ScalarOf;
  /** The number of the step that is taken, from 1; to be read in a scalar. */
  readonly step: () => number;
  /** What the gradients are to be multiplied with; undefined for 1. */
  readonly scale: Tensor | undefined;
  readonly updates: Update[];
}

/** A loss whose gradients are computed anew: zeros the gradients, runs backward, gives the loss. */
export type Closure = () => Tensor;

// biome-ignore lint/suspicious/noExplicitAny: each optimizer has options of its own
export abstract class Optimizer<Options extends GroupOptions = any> implements Stateful {
  readonly param_groups: ParamGroup<Options>[] = [];
  /** The options of groups that do not give their own. */
  readonly defaults: Options;
  /** State per parameter, made ahead of the first step so that a compiled step finds it. */
  readonly #state = new Map<Tensor, ParamState>();
  readonly #counters = new StepCounters();
  readonly #hooks = new OptimizerHooks();
  /** Options that something changes between steps: read at every step, never part of a trace. */
  readonly #varying = new Set<string>(['lr']);
  #traceKey: { readonly options: readonly unknown[]; readonly key: string } = {
    options: [],
    key: '[]',
  };

  constructor(params: Params<Options>, defaults: Options) {
    this.defaults = defaults;
    for (const group of groupsOf(params)) this.addParamGroup(group);
  }

  /**
   * Adds parameters to optimise, with options of their own where the group gives some.
   * https://pytorch.org/docs/stable/generated/torch.optim.Optimizer.add_param_group.html
   * @throws ArgumentError for parameters that are no leaves or that the optimizer has already.
   */
  addParamGroup(given: GivenGroup<Options>): void {
    const type = this.constructor.name;
    const group = completeGroup(type, given, this.defaults, this.param_groups);
    this.checkGroup(group);
    this.param_groups.push(group);
    for (const parameter of group.params) this.#state.set(parameter, {});
    this.#counters.set(new Map(group.params.map((parameter) => [parameter, 0])));
    this.#completeState();
  }

  /** Throws an ArgumentError for options that do not fit together. */
  protected checkGroup(_group: ParamGroup<Options>): void {}

  /** The tensors kept for one parameter, as they are before its first step. */
  protected abstract initialState(parameter: Tensor, group: Options): InitialState;

  /** Rebinds the parameters and their state to their next values. */
  protected abstract update(batch: UpdateBatch, group: ParamGroup<Options>): void;

  /** Can its step be part of a compiled one? Training from a config takes no other. */
  readonly compilable: boolean = true;

  /** Does the state dict tell the steps of each parameter, as most of PyTorch's do? */
  protected readonly savesSteps: boolean = true;

  /** Does the state dict hold the state of parameters that took no step yet? */
  protected readonly savesInitialState: boolean = false;

  /** The steps that a parameter with this saved state has taken. */
  protected stepsIn(saved: SavedState): number {
    const step = saved.step as Tensor | number;
    return typeof step === 'number' ? step : step.item();
  }

  /**
   * Calls `hook` before every step. In a compiled step it is called when this is traced.
   * https://pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_pre_hook.html
   */
  registerStepPreHook(hook: StepHook): RemovableHandle {
    return this.#hooks.stepPre.add(hook);
  }

  /** Calls `hook` after every step. In a compiled step it is called when this is traced. */
  registerStepPostHook(hook: StepHook): RemovableHandle {
    return this.#hooks.stepPost.add(hook);
  }

  /** Calls `hook` with every state dict that is made. */
  registerStateDictPostHook(hook: OptimizerStateHook): RemovableHandle {
    return this.#hooks.stateDict.add(hook);
  }

  /** Calls `hook` with a copy of every state dict that is loaded, before. */
  registerLoadStateDictPreHook(hook: OptimizerStateHook): RemovableHandle {
    return this.#hooks.loadStateDict.add(hook);
  }

  /**
   * Updates every parameter that has a gradient; `closure` is called before, with gradients
   * recorded, and what it returns is returned.
   */
  step(closure?: Closure): Tensor | undefined {
    return this.#hooks.around(this, [closure], (given) => this.takeStep(given));
  }

  protected takeStep(closure?: Closure): Tensor | undefined {
    const loss = closure && enableGrad(closure);
    const all = this.param_groups.flatMap(({ params }) => params);
    const counters = this.#counters.part(all.filter((parameter) => parameter.grad !== null));
    if (currentTrace() === undefined) this.#completeState();
    for (const group of this.param_groups) {
      const { differentiable = false } = group as { differentiable?: boolean };
      setGradEnabled(differentiable, () => {
        for (const batch of this.#batches(group)) this.update(batch, group);
      });
    }
    this.#counters.count(counters);
    if (currentTrace() === undefined) {
      realizeSync([...this.stateTensors(), ...takeRecentRoots()].map((tensor) => tensor.value));
    }
    return loss;
  }

  /** How many steps `parameter` has taken; those without a gradient do not count. */
  stepsOf(parameter: Tensor): number {
    return this.#counters.of(parameter).steps;
  }

  /** Does the state dict hold `name` for `parameter` once it took a step? */
  keeps(parameter: Tensor, name: string): boolean {
    if (name === 'step') return this.savesSteps;
    return Object.hasOwn(this.#state.get(parameter) ?? {}, name);
  }

  /** Declares that an option changes from step to step, so that no trace depends on its value. */
  vary(option: keyof Options & string): void {
    this.#varying.add(option);
  }

  /** Is this option's value not to be built into a graph? */
  protected varies(option: keyof Options & string): boolean {
    return this.#varying.has(option);
  }

  /** The parameters with a gradient, by precision, by what scales gradients and by step counter. */
  #batches({ params }: ParamGroup<Options>): UpdateBatch[] {
    const batches: (UpdateBatch & { key: readonly unknown[] })[] = [];
    for (const parameter of params) {
      if (parameter.grad === null) continue;
      const { gradient, scale } = unscaled(parameter.grad);
      const dtype = parameter.dtype === 'float64' ? 'float64' : 'float32';
      const counter: StepCounter = this.#counters.of(parameter);
      const key = [dtype, scale, counter];
      let batch = batches.find((known) => known.key.every((part, i) => part === key[i]));
      if (batch === undefined) {
        const step = this.#counters.reader(counter);
        batch = { key, scalar: scalars(dtype), step, scale, updates: [] };
        batches.push(batch);
      }
      batch.updates.push({ parameter, gradient, state: this.#state.get(parameter)! });
    }
    return batches;
  }

  /** Makes what the present options ask for and is not there yet. */
  #completeState(): void {
    for (const group of this.param_groups) {
      for (const parameter of group.params) {
        const state = this.#state.get(parameter)!;
        for (const [name, begin] of Object.entries(this.initialState(parameter, group))) {
          state[name] ??= begin();
        }
      }
    }
  }

  /** Forgets the gradients, or makes them zeros. */
  zeroGrad(set_to_none = true): void {
    for (const { params } of this.param_groups) {
      for (const parameter of params) {
        if (set_to_none) parameter.grad = null;
        else if (parameter.grad !== null) parameter.grad = zerosLike(parameter.grad);
      }
    }
  }

  /** The parameters and their state. */
  stateTensors(): Tensor[] {
    if (currentTrace() === undefined) this.#completeState();
    return [...this.#state].flatMap(([parameter, state]) => [parameter, ...Object.values(state)]);
  }

  /**
   * Every option but those that vary shapes the traced update. Asked for at every call of a
   * compiled step, so the text is kept while the options are the same.
   */
  traceKey(): string {
    const options = this.#tracedOptions();
    const known = this.#traceKey.options;
    const isKnown =
      options.length === known.length && options.every((option, i) => Object.is(option, known[i]));
    if (!isKnown) this.#traceKey = { options, key: JSON.stringify(options) };
    return this.#traceKey.key;
  }

  /** Names and values, in order, without what a trace does not depend on. */
  #tracedOptions(): unknown[] {
    const options: unknown[] = [this.#hooks.changes];
    for (const group of this.param_groups) {
      options.push(group.params.length);
      for (const name in this.defaults) {
        if (this.#varying.has(name)) continue;
        const option: unknown = group[name];
        if (Array.isArray(option)) options.push(name, ...option);
        else options.push(name, option);
      }
    }
    return options;
  }

  /** As PyTorch's; tensors are the optimizer's own, not copies. */
  stateDict(): OptimizerStateDict {
    this.#completeState();
    const dict = writeStateDict(this.param_groups, (parameter) => {
      const { steps } = this.#counters.of(parameter);
      if (steps === 0 && !this.savesInitialState) return undefined;
      return { steps: this.savesSteps ? steps : undefined, tensors: this.#state.get(parameter)! };
    });
    return passed(this.#hooks.stateDict, this, dict);
  }

  /**
   * Copies values in, at once: the state of each parameter by its position in all groups, and the
   * groups' options. Nothing is changed when anything does not fit.
   */
  loadStateDict(given: OptimizerStateDict): void {
    const copy = { state: { ...given.state }, param_groups: [...given.param_groups] };
    const dict = passed(this.#hooks.loadStateDict, this, copy);
    const { groups, states } = readStateDict(this.constructor.name, dict, this.param_groups, {
      initialState: (parameter, group) => this.initialState(parameter, group),
      stepsIn: (saved) => this.stepsIn(saved),
    });
    for (const [i, group] of groups.entries()) Object.assign(this.param_groups[i]!, group);
    noGrad(() => {
      for (const [parameter, { values }] of states) this.#take(parameter, values);
    });
    this.#counters.set(new Map([...states].map(([parameter, { steps }]) => [parameter, steps])));
    realizeSync(this.stateTensors().map((tensor) => tensor.value));
  }

  /** Takes values over into the tensors that a compiled step may know. */
  #take(parameter: Tensor, values: ParamState): void {
    const state = this.#state.get(parameter)!;
    for (const [name, value] of Object.entries(values)) {
      const own = state[name];
      if (own === undefined || !sameShape(own.shape, value.shape)) state[name] = value;
      else own.copy_(value);
    }
    for (const name of Object.keys(state)) if (!(name in values)) delete state[name];
  }
}
