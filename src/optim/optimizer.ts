/** What all optimizers share: parameter groups, their state, gradients to zero. */

import { ArgumentError, TorchtsError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { takeRecentRoots } from '../core/autograd.ts';
import type { Stateful } from '../core/compile.ts';
import { noGrad } from '../core/grad-mode.ts';
import { realizeSync } from '../core/realize.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { unscaled } from '../ops/clipping.ts';

/** Options of one group; each optimizer adds its own. `lr` may be changed between steps. */
export interface GroupOptions {
  lr: number;
}

export type ParamGroup<Options extends GroupOptions> = { params: Tensor[] } & Options;

/** Parameters, or groups of them with options of their own. */
export type Params<Options extends GroupOptions> =
  | readonly Tensor[]
  | readonly ({ params: readonly Tensor[] } & Partial<Options>)[];

/** Tensors by name, such as `momentum_buffer`, for one parameter. */
export type ParamState = Record<string, Tensor>;

/** One parameter that is to be updated. */
export interface Update {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly state: ParamState;
}

/** Parameters of one group that are updated together. */
export interface UpdateBatch {
  /** Of the scalars: as precise as the parameters. */
  readonly dtype: 'float32' | 'float64';
  /** What the gradients are to be multiplied with; undefined for 1. */
  readonly scale: Tensor | undefined;
  readonly updates: Update[];
}

export interface OptimizerStateDict {
  /** By the parameter's position in all groups, as in PyTorch. */
  state: Record<number, ParamState>;
  param_groups: Record<string, unknown>[];
  /** Steps taken. */
  step: number;
}

export abstract class Optimizer<Options extends GroupOptions = GroupOptions> implements Stateful {
  readonly param_groups: ParamGroup<Options>[];
  /** State per parameter, made at construction so that a compiled step finds it. */
  protected readonly state = new Map<Tensor, ParamState>();
  /** Steps taken so far. A compiled step reads it anew at every call. */
  steps = 0;
  #traceKey: { readonly options: readonly unknown[]; readonly key: string } = {
    options: [],
    key: '[]',
  };

  constructor(params: Params<Options>, defaults: Options) {
    this.param_groups = groupsOf(params).map((group) => ({
      ...defaults,
      ...group,
      params: [...group.params],
    }));
    this.#check();
    for (const group of this.param_groups) {
      for (const parameter of group.params)
        this.state.set(parameter, this.initState(parameter, group));
    }
  }

  #check(): void {
    const seen = new Set<Tensor>();
    for (const { params, lr } of this.param_groups) {
      if (!(lr >= 0)) {
        throw new ArgumentError(`[${this.constructor.name}] lr must not be negative, got ${lr}`);
      }
      if (params.length === 0) {
        throw new ArgumentError(`[${this.constructor.name}] a parameter group is empty`);
      }
      for (const parameter of params) {
        if (!parameter.is_leaf) {
          throw new ArgumentError(`[${this.constructor.name}] can only optimise leaf tensors`);
        }
        if (seen.has(parameter)) {
          throw new ArgumentError(`[${this.constructor.name}] a parameter is given twice`);
        }
        seen.add(parameter);
      }
    }
  }

  /** The tensors kept for one parameter, with their values before the first step. */
  protected abstract initState(parameter: Tensor, group: Options): ParamState;

  /** Rebinds the parameters and their state to their next values. */
  protected abstract update(batch: UpdateBatch, group: ParamGroup<Options>): void;

  /** Updates every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.param_groups) {
        for (const batch of this.#batches(group)) this.update(batch, group);
      }
    });
    const trace = currentTrace();
    if (trace !== undefined) {
      trace.effects.push(() => this.steps++);
      return;
    }
    this.steps++;
    realizeSync([...this.stateTensors(), ...takeRecentRoots()].map((tensor) => tensor.value));
  }

  /** The parameters with a gradient, by the precision of their scalars and what scales gradients. */
  #batches({ params }: ParamGroup<Options>): UpdateBatch[] {
    const batches: UpdateBatch[] = [];
    for (const parameter of params) {
      if (parameter.grad === null) continue;
      const { gradient, scale } = unscaled(parameter.grad);
      const dtype = parameter.dtype === 'float64' ? 'float64' : 'float32';
      let batch = batches.find((known) => known.dtype === dtype && known.scale === scale);
      if (batch === undefined) {
        batch = { dtype, scale, updates: [] };
        batches.push(batch);
      }
      batch.updates.push({ parameter, gradient, state: this.state.get(parameter)! });
    }
    return batches;
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const { params } of this.param_groups) {
      for (const parameter of params) parameter.grad = null;
    }
  }

  /** The parameters and their state. */
  stateTensors(): Tensor[] {
    return [...this.state].flatMap(([parameter, state]) => [parameter, ...Object.values(state)]);
  }

  /**
   * Every option but the learning rate shapes the traced update. Asked for at every call of a
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
    const options: unknown[] = [];
    for (const group of this.param_groups) {
      for (const name in group) {
        if (name === 'params' || name === 'lr') continue;
        const option: unknown = group[name as keyof typeof group];
        if (Array.isArray(option)) options.push(name, ...option);
        else options.push(name, option);
      }
    }
    return options;
  }

  /** As PyTorch's; tensors are the optimizer's own, not copies. */
  stateDict(): OptimizerStateDict {
    let index = 0;
    const state: Record<number, ParamState> = {};
    const param_groups = this.param_groups.map(({ params, ...options }) => ({
      ...options,
      params: params.map((parameter) => {
        state[index] = { ...this.state.get(parameter)! };
        return index++;
      }),
    }));
    return { state, param_groups, step: this.steps };
  }

  /** Copies values in, at once. Nothing is changed when anything does not fit. */
  loadStateDict(dict: OptimizerStateDict): void {
    const own = this.stateDict();
    const fail = (problem: string) =>
      new TorchtsError(`[${this.constructor.name}.loadStateDict] ${problem}`);
    if (dict.param_groups.length !== own.param_groups.length) {
      throw fail(
        `${dict.param_groups.length} parameter groups instead of ${own.param_groups.length}`,
      );
    }
    for (const [index, tensors] of Object.entries(own.state)) {
      for (const [name, tensor] of Object.entries(tensors)) {
        const value = dict.state[Number(index)]?.[name];
        if (value === undefined) throw fail(`${name} of parameter ${index} is missing`);
        if (!sameShape(value.shape, tensor.shape)) {
          throw fail(
            `${name} of parameter ${index} has shape ${formatShape(value.shape)}, ` +
              `needs ${formatShape(tensor.shape)}`,
          );
        }
      }
    }
    noGrad(() => {
      for (const [index, tensors] of Object.entries(own.state)) {
        for (const [name, tensor] of Object.entries(tensors)) {
          tensor.copy_(dict.state[Number(index)]![name]!);
        }
      }
    });
    realizeSync(this.stateTensors().map((tensor) => tensor.value));
    for (const [i, group] of this.param_groups.entries()) {
      const { params: _, ...options } = dict.param_groups[i]!;
      Object.assign(group, options);
    }
    this.steps = dict.step;
  }
}

function groupsOf<Options extends GroupOptions>(params: Params<Options>) {
  if (params.length === 0) throw new ArgumentError('[optim] there are no parameters to optimise');
  const isList = params.every((item) => item instanceof Tensor);
  if (isList) return [{ params: params as readonly Tensor[] }] as { params: readonly Tensor[] }[];
  return params as readonly ({ params: readonly Tensor[] } & Partial<Options>)[];
}
