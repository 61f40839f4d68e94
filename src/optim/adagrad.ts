/** Adagrad: the learning rate shrinks with the sum of squared gradients. */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from '../ops/creation.ts';
import { add, div, mul, sqrt, sub } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.01),
  lr_decay: numberFrom0.default(0),
  weight_decay: numberFrom0.default(0),
  /** What the sums of squares begin with. */
  initial_accumulator_value: numberFrom0.default(0),
  eps: numberFrom0.default(1e-10),
  ...withoutEffect('foreach'),
  maximize,
  differentiable,
  ...withoutEffect('fused'),
});

export type AdagradOptions = z.output<typeof options>;

/**
 * s += g^2; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps), where s is `sum`.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
 */
export class Adagrad extends CompositeOptimizer<AdagradOptions, 'lr'> {
  constructor(params: Params<AdagradOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Adagrad', options, given));
  }

  protected override readonly savesInitialState = true;

  protected initialState(parameter: Tensor): InitialState {
    const { dtype, shape } = parameter;
    // The one option that groups cannot have for themselves.
    return { sum: () => full(shape, this.defaults.initial_accumulator_value, { dtype }) };
  }

  protected factors({ scalar, step }: UpdateBatch, group: AdagradOptions): Factors<'lr'> {
    return { lr: scalar(() => rateOf(group.lr) / (1 + (step() - 1) * group.lr_decay)) };
  }

  protected next(update: Update, { lr }: Factors<'lr'>, { eps }: AdagradOptions): Next {
    const { parameter, gradient, state } = update;
    const sum = add(state.sum!, mul(gradient, gradient));
    return { parameter: sub(parameter, mul(div(gradient, add(sqrt(sum), eps)), lr)), sum };
  }
}

optimizers.register('Adagrad', {
  schema: options,
  create: (given: AdagradOptions, params) => new Adagrad(params, given),
});
