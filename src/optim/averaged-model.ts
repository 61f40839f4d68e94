/** Models whose weights are averages of another model's over time. */

import { ArgumentError } from '../base/errors.ts';
import { noGrad } from '../core/grad-mode.ts';
import { realizeSync } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { functionalCall } from '../nn/func.ts';
import { type AnyModule, Buffer, Module, Parameter } from '../nn/module.ts';
import { zeros } from '../ops/creation.ts';
import { add, cast, div, eq, mul, sub, where } from '../ops/pointwise.ts';

/** The next average, of the present one, the model's value and how many were averaged so far. */
export type AverageFunction = (averaged: Tensor, current: Tensor, num_averaged: Tensor) => Tensor;

/** The same for all tensors, in place. */
export type MultiAverageFunction = (
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  num_averaged: Tensor,
) => void;

function checkDecay(decay: number): void {
  if (decay >= 0 && decay <= 1) return;
  throw new ArgumentError(`[swa_utils] decay must be from 0 to 1, got ${decay}`);
}

/** Of an exponential moving average: decay * averaged + (1 - decay) * current. */
export function getEmaAvgFn(decay = 0.999): AverageFunction {
  checkDecay(decay);
  return (averaged, current) => add(mul(averaged, decay), mul(current, 1 - decay));
}

/** Of the mean of all values: averaged + (current - averaged) / (num_averaged + 1). */
export function getSwaAvgFn(): AverageFunction {
  return (averaged, current, num_averaged) =>
    add(averaged, div(sub(current, averaged), cast(add(num_averaged, 1), averaged.dtype)));
}

function inPlace(average: AverageFunction): MultiAverageFunction {
  return (averaged, current, num_averaged) => {
    for (const [i, tensor] of averaged.entries()) {
      tensor.copy_(average(tensor, current[i]!, num_averaged));
    }
  };
}

/**
 * `getEmaAvgFn` of lists.
 * https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.get_ema_multi_avg_fn
 */
export function getEmaMultiAvgFn(decay = 0.999): MultiAverageFunction {
  return inPlace(getEmaAvgFn(decay));
}

/** `getSwaAvgFn` of lists. */
export function getSwaMultiAvgFn(): MultiAverageFunction {
  return inPlace(getSwaAvgFn());
}

/** Copies of the tensors of a module and of those below it, under the same keys. */
class Averages extends Module<never, never> {
  constructor(of: AnyModule, copies: Map<Tensor, Tensor>) {
    super();
    for (const [name, field] of Object.entries(of)) {
      if (!(field instanceof Parameter || field instanceof Buffer)) continue;
      // Shared tensors are shared here too.
      const copy = copies.get(field) ?? copyOf(field);
      copies.set(field, copy);
      Object.assign(this, { [name]: copy });
    }
    for (const [name, child] of of.namedChildren()) {
      Object.assign(this, { [name]: new Averages(child, copies) });
    }
    this.training = of.training;
  }

  forward(): never {
    throw new ArgumentError('[AveragedModel] the averages are called as a whole');
  }
}

function copyOf(tensor: Parameter | Buffer): Parameter | Buffer {
  const value = tensor.detach();
  if (tensor instanceof Buffer) return new Buffer(value, tensor.persistent);
  return new Parameter(value, tensor.requires_grad);
}

export interface AveragedModelOptions {
  readonly avg_fn?: AverageFunction | null;
  readonly multi_avg_fn?: MultiAverageFunction | null;
  /** Average buffers too, instead of taking the model's last ones. Default: false. */
  readonly use_buffers?: boolean;
}

/**
 * The average of a model's weights, by default their mean over all calls of `updateParameters`: it
 * is called as the model is. Its state has the keys of the model under `module`, and `n_averaged`.
 * Unlike PyTorch's it has no copy of the code: it calls the model given, with its own tensors and
 * modes.
 * https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.AveragedModel
 */
export class AveragedModel<Inputs extends readonly unknown[], Output> extends Module<
  Inputs,
  Output
> {
  readonly n_averaged = new Buffer(zeros([], { dtype: 'int64' }));
  readonly module: Module<never, never>;
  readonly #model: Module<Inputs, Output>;
  readonly #average: MultiAverageFunction;
  readonly #usesBuffers: boolean;

  /** @throws ArgumentError when both functions are given. */
  constructor(model: Module<Inputs, Output>, options: AveragedModelOptions = {}) {
    super();
    const { avg_fn = null, multi_avg_fn = null, use_buffers = false } = options;
    if (avg_fn !== null && multi_avg_fn !== null) {
      throw new ArgumentError('[AveragedModel] give avg_fn or multi_avg_fn, not both');
    }
    this.module = new Averages(model, new Map());
    this.#model = model;
    this.#average = multi_avg_fn ?? inPlace(avg_fn ?? getSwaAvgFn());
    this.#usesBuffers = use_buffers;
  }

  forward(...inputs: Inputs): Output {
    const modules = this.#model.modules();
    const modes = modules.map((module) => module.training);
    const own = this.module.modules();
    for (const [i, module] of modules.entries()) module.training = own[i]!.training;
    const options = { remove_duplicate: false };
    const tensors = [...this.module.namedParameters(options), ...this.module.namedBuffers(options)];
    try {
      return functionalCall(this.#model, new Map<string, Tensor>(tensors), inputs);
    } finally {
      for (const [i, module] of modules.entries()) module.training = modes[i]!;
    }
  }

  /** Takes the weights that `model`, by default the one averaged, has now into the average. */
  updateParameters(model: AnyModule = this.#model): void {
    const { n_averaged } = this;
    const averaged = [...this.module.parameters(), ...this.module.buffers()];
    const current = [...model.parameters(), ...model.buffers()].map((tensor) => tensor.detach());
    if (current.length !== averaged.length) {
      const counts = `${current.length} tensors, the average ${averaged.length}`;
      throw new ArgumentError(`[AveragedModel] the model has ${counts}`);
    }
    const count = this.#usesBuffers ? averaged.length : this.module.parameters().length;
    noGrad(() => {
      this.#average(averaged.slice(0, count), current.slice(0, count), n_averaged);
      // The first values are taken as they are; asked in the graph, so that a step can be compiled.
      const isFirst = eq(n_averaged, 0);
      for (const [i, tensor] of averaged.entries()) {
        tensor.copy_(i < count ? where(isFirst, current[i]!, tensor) : current[i]!);
      }
      n_averaged.add_(1);
    });
    if (currentTrace() === undefined) realizeSync(this.stateTensors().map(({ value }) => value));
  }

  /** The model whose code is called. */
  get source(): Module<Inputs, Output> {
    return this.#model;
  }
}
