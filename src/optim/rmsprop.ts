/** RMSprop: gradients divided by their recent magnitude. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { movingAverage, movingSquare } from '../ops/moving-average.ts';
import { add, div, mul, sqrt, sub } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.01),
  /** How long squares are remembered. */
  alpha: numberFrom0.default(0.99),
  eps: numberFrom0.default(1e-8),
  weight_decay: numberFrom0.default(0),
  momentum: numberFrom0.default(0),
  /** Divides by the standard deviation instead of the root of the mean square. */
  centered: z.boolean().default(false),
  ...withoutEffect('capturable', 'foreach'),
  maximize,
  differentiable,
});

export type RMSpropOptions = z.output<typeof options>;

type Factor = 'lr' | 'momentum';

/**
 * v = alpha v + (1 - alpha) g^2; with `centered` a = alpha a + (1 - alpha) g is subtracted as v -
 * a^2; b = momentum b + g / (sqrt(v) + eps); p -= lr b, where v is `square_avg`, a `grad_avg` and b
 * `momentum_buffer`.
 * https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 */
export class RMSprop extends CompositeOptimizer<RMSpropOptions, Factor> {
  constructor(params: Params<RMSpropOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('RMSprop', options, given));
  }

  protected initialState(parameter: Tensor, { momentum, centered }: RMSpropOptions): InitialState {
    const names = ['square_avg'];
    if (momentum > 0) names.push('momentum_buffer');
    if (centered) names.push('grad_avg');
    return zeroState(parameter, ...names);
  }

  protected factors({ scalar }: UpdateBatch, group: RMSpropOptions): Factors<Factor> {
    return { lr: scalar(() => rateOf(group.lr)), momentum: scalar(() => group.momentum) };
  }

  protected next(update: Update, { lr, momentum }: Factors<Factor>, group: RMSpropOptions): Next {
    const { parameter, gradient, state } = update;
    const { alpha, eps } = group;
    const kept: Record<string, Tensor> = {};
    kept.square_avg = movingSquare(state.square_avg!, gradient, alpha, 1 - alpha);
    let square = kept.square_avg;
    if (group.centered) {
      kept.grad_avg = movingAverage(state.grad_avg!, gradient, 1 - alpha);
      square = sub(square, mul(kept.grad_avg, kept.grad_avg));
    }
    let change = div(gradient, add(sqrt(square), eps));
    if (group.momentum > 0) {
      change = add(mul(state.momentum_buffer!, momentum), change);
      kept.momentum_buffer = change;
    }
    return { parameter: sub(parameter, mul(change, lr)), ...kept };
  }
}

optimizers.register('RMSprop', {
  schema: options,
  create: (given: RMSpropOptions, params) => new RMSprop(params, given),
});
