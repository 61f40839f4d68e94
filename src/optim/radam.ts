/** RAdam: Adam that waits until its second moment can be trusted. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { movingAverage, movingSquare } from '../ops/moving-average.ts';
import { add, div, gt, mul, sqrt, sub, where } from '../ops/pointwise.ts';
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
  lr: rate(0.001),
  betas,
  eps: numberFrom0.default(1e-8),
  weight_decay: numberFrom0.default(0),
  decoupled_weight_decay: z.boolean().default(false),
  ...withoutEffect('foreach'),
  maximize,
  ...withoutEffect('capturable'),
  differentiable,
});

export type RAdamOptions = z.output<typeof options>;

type Factor = 'keep' | 'mean' | 'beta2' | 'square' | 'step_size' | 'rectified';

/** The factor of the second moment after `t` steps; 0 while too few gradients were seen. */
function rectification(beta2: number, t: number): number {
  const correction = 1 - beta2 ** t;
  const longest = 2 / (1 - beta2) - 1;
  const length = longest - (2 * t * beta2 ** t) / correction;
  if (length <= 5) return 0;
  const variance =
    ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
  return Math.sqrt(variance) * Math.sqrt(correction);
}

/**
 * As Adam, but p -= lr m / (1 - beta1^t) alone while the variance of the second moment is too
 * large, and with that variance rectified afterwards.
 * https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
 */
export class RAdam extends CompositeOptimizer<RAdamOptions, Factor> {
  constructor(params: Params<RAdamOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('RAdam', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return zeroState(parameter, 'exp_avg', 'exp_avg_sq');
  }

  protected override gradientDecay(group: RAdamOptions): number {
    return group.decoupled_weight_decay ? 0 : group.weight_decay;
  }

  protected factors({ scalar, step }: UpdateBatch, group: RAdamOptions): Factors<Factor> {
    const { weight_decay, decoupled_weight_decay: decoupled } = group;
    return {
      keep: scalar(() => (decoupled ? 1 - rateOf(group.lr) * weight_decay : 1)),
      mean: scalar(() => 1 - group.betas[0]),
      beta2: scalar(() => group.betas[1]),
      square: scalar(() => 1 - group.betas[1]),
      step_size: scalar(() => rateOf(group.lr) / (1 - group.betas[0] ** step())),
      rectified: scalar(() => rectification(group.betas[1], step())),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, { eps }: RAdamOptions): Next {
    const { parameter, gradient, state } = update;
    const { rectified } = factors;
    const exp_avg = movingAverage(state.exp_avg!, gradient, factors.mean);
    const exp_avg_sq = movingSquare(state.exp_avg_sq!, gradient, factors.beta2, factors.square);
    const adaptive = div(rectified, add(sqrt(exp_avg_sq), eps));
    const change = mul(mul(exp_avg, factors.step_size), where(gt(rectified, 0), adaptive, 1));
    return { parameter: sub(mul(parameter, factors.keep), change), exp_avg, exp_avg_sq };
  }
}

optimizers.register('RAdam', {
  schema: options,
  create: (given: RAdamOptions, params) => new RAdam(params, given),
});
