/** An exponential moving average of a model's weights, moved on within every training step. */

import { isFloating } from '../../base/dtype.ts';
import type { TrainerConfig } from '../../config/schema.ts';
import type { Stateful } from '../../core/compile.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { hostScalar } from '../../core/scalar.ts';
import type { Tensor } from '../../core/tensor.ts';
import { afterCall } from '../../core/trace.ts';
import * as func from '../../nn/func.ts';
import { type Module, Parameter } from '../../nn/index.ts';
import { add, cast, mul } from '../../ops/pointwise.ts';

export type AverageOptions = NonNullable<TrainerConfig['ema']>;

/**
 * average = decay * average + (1 - decay) * weights, as Lightning's EMAWeightAveraging: up to the
 * first step that counts it is a copy of the weights. What a step does follows from its number, so
 * there is nothing to remember beside the average.
 * https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EMAWeightAveraging.html
 */
export class WeightAverage implements Stateful {
  /** By the keys of the model's state dict; shared tensors are shared here too. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The model as it is with these weights, in the mode that it is in. */
  readonly asModel: Pick<Module, 'call'>;
  readonly #pairs: ReadonlyMap<Tensor, Tensor>;
  /** Steps taken. */
  #step = 0;

  constructor(
    model: Module,
    readonly options: AverageOptions,
  ) {
    const state = model.stateDict();
    this.#pairs = new Map([...state.values()].map((own) => [own, own.detach().clone()]));
    this.tensors = new Map([...state].map(([key, own]) => [key, this.#pairs.get(own)!]));
    this.asModel = { call: (input) => func.functionalCall(model, this.tensors, [input]) };
  }

  /** Takes the weights after a step into the average; part of that step. */
  afterStep(): void {
    const kept = hostScalar(() => this.#kept);
    const taken = hostScalar(() => 1 - this.#kept);
    noGrad(() => {
      for (const [own, average] of this.#pairs) {
        average.copy_(this.#isAveraged(own) ? mix(average, kept, own, taken) : own.detach());
      }
    });
    afterCall(() => {
      this.#step++;
    });
  }

  /** Buffers that count, such as batches seen, have no average. */
  #isAveraged(own: Tensor): boolean {
    return isFloating(own.dtype) && (own instanceof Parameter || this.options.use_buffers);
  }

  /** The share of the old average in the one after the next step. */
  get #kept(): number {
    const { decay, update_every_n_steps: every, update_starting_at_step: start } = this.options;
    const first = Math.ceil(start / every) * every;
    if (this.#step <= first) return 0;
    return this.#step % every === 0 ? decay : 1;
  }

  /**
   * Goes on after `step` steps; without a stored average, from the weights as they are now.
   * @param restore gives the tensors their contents.
   */
  goOn(step: number, restore?: (tensors: ReadonlyMap<string, Tensor>) => void): void {
    this.#step = step;
    noGrad(() => {
      if (restore !== undefined) restore(this.tensors);
      else for (const [own, average] of this.#pairs) average.copy_(own.detach());
    });
  }

  stateTensors(): Tensor[] {
    return [...this.#pairs.values()];
  }
}

/** In the dtype of the average; exact where one of the shares is 0. */
function mix(average: Tensor, kept: Tensor, own: Tensor, taken: Tensor): Tensor {
  const { dtype } = average;
  return add(mul(average, cast(kept, dtype)), mul(own.detach(), cast(taken, dtype)));
}
