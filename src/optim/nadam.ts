/** NAdam: Adam with Nesterov momentum. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ones } from '../ops/creation.ts';
import { movingAverage, movingSquare } from '../ops/moving-average.ts';
import { add, div, mul, sqrt, sub } from '../ops/pointwise.ts';
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
  /** How fast the momentum grows to beta1. */
  momentum_decay: numberFrom0.default(0.004),
  decoupled_weight_decay: z.boolean().default(false),
  ...withoutEffect('foreach'),
  maximize,
  ...withoutEffect('capturable'),
  differentiable,
});

export type NAdamOptions = z.output<typeof options>;

type Factor =
  | 'keep'
  | 'mean'
  | 'beta2'
  | 'square'
  | 'correction'
  | 'mu'
  | 'mu_next'
  | 'of_gradient'
  | 'of_mean';

/**
 * As Adam, with mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and M the product of all mu so far
 * (`mu_product`): p -= lr ((1 - mu_t) / (1 - M) g + mu_(t+1) / (1 - M mu_(t+1)) m) / (sqrt(v) +
 * eps).
 * https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
 */
export class NAdam extends CompositeOptimizer<NAdamOptions, Factor> {
  constructor(params: Params<NAdamOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('NAdam', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return { mu_product: () => ones([]), ...zeroState(parameter, 'exp_avg', 'exp_avg_sq') };
  }

  protected override gradientDecay(group: NAdamOptions): number {
    return group.decoupled_weight_decay ? 0 : group.weight_decay;
  }

  protected factors({ scalar, step }: UpdateBatch, group: NAdamOptions): Factors<Factor> {
    const { momentum_decay, weight_decay, decoupled_weight_decay: decoupled } = group;
    const mu = (t: number) => group.betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay));
    return {
      keep: scalar(() => (decoupled ? 1 - rateOf(group.lr) * weight_decay : 1)),
      mean: scalar(() => 1 - group.betas[0]),
      beta2: scalar(() => group.betas[1]),
      square: scalar(() => 1 - group.betas[1]),
      correction: scalar(() => 1 - group.betas[1] ** step()),
      mu: scalar(() => mu(step())),
      mu_next: scalar(() => mu(step() + 1)),
      of_gradient: scalar(() => rateOf(group.lr) * (1 - mu(step()))),
      of_mean: scalar(() => rateOf(group.lr) * mu(step() + 1)),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, { eps }: NAdamOptions): Next {
    const { parameter, gradient, state } = update;
    const mu_product = mul(state.mu_product!, factors.mu);
    const exp_avg = movingAverage(state.exp_avg!, gradient, factors.mean);
    const exp_avg_sq = movingSquare(state.exp_avg_sq!, gradient, factors.beta2, factors.square);
    const root = add(sqrt(div(exp_avg_sq, factors.correction)), eps);
    const byGradient = div(factors.of_gradient, sub(1, mu_product));
    const byMean = div(factors.of_mean, sub(1, mul(mu_product, factors.mu_next)));
    const kept = sub(mul(parameter, factors.keep), div(mul(gradient, byGradient), root));
    const next = sub(kept, div(mul(exp_avg, byMean), root));
    return { parameter: next, mu_product, exp_avg, exp_avg_sq };
  }
}

optimizers.register('NAdam', {
  schema: options,
  create: (given: NAdamOptions, params) => new NAdam(params, given),
});
