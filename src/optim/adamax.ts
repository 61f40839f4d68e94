/** Adamax: Adam by the largest gradient instead of their squares. */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { movingAverage } from '../ops/moving-average.ts';
import { abs, add, div, maximum, mul, sub } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import {
  betas,
  differentiable,
  maximize,
  numberFrom0,
  rate,
  rateOf,
  withoutEffect,
} from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.002),
  betas,
  eps: numberFrom0.default(1e-8),
  weight_decay: numberFrom0.default(0),
  ...withoutEffect('foreach'),
  maximize,
  differentiable,
  ...withoutEffect('capturable'),
});

export type AdamaxOptions = z.output<typeof options>;

type Factor = 'step_size' | 'mean' | 'beta2';

/**
 * m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); p -= lr / (1 - beta1^t) m / u, where m
 * is `exp_avg` and u `exp_inf`.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html
 */
export class Adamax extends CompositeOptimizer<AdamaxOptions, Factor> {
  constructor(params: Params<AdamaxOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Adamax', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return zeroState(parameter, 'exp_avg', 'exp_inf');
  }

  protected factors({ scalar, step }: UpdateBatch, group: AdamaxOptions): Factors<Factor> {
    return {
      step_size: scalar(() => rateOf(group.lr) / (1 - group.betas[0] ** step())),
      mean: scalar(() => 1 - group.betas[0]),
      beta2: scalar(() => group.betas[1]),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, { eps }: AdamaxOptions): Next {
    const { parameter, gradient, state } = update;
    const exp_avg = movingAverage(state.exp_avg!, gradient, factors.mean);
    const exp_inf = maximum(mul(state.exp_inf!, factors.beta2), add(abs(gradient), eps));
    const change = div(mul(exp_avg, factors.step_size), exp_inf);
    return { parameter: sub(parameter, change), exp_avg, exp_inf };
  }
}

optimizers.register('Adamax', {
  schema: options,
  create: (given: AdamaxOptions, params) => new Adamax(params, given),
});
