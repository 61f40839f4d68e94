/** Adadelta: an adaptive learning rate. */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { movingSquare } from '../ops/moving-average.ts';
import { add, div, mul, sqrt, sub } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(1),
  /** How long squares are remembered. */
  rho: numberFrom0.max(1).default(0.9),
  eps: numberFrom0.default(1e-6),
  weight_decay: numberFrom0.default(0),
  ...withoutEffect('foreach', 'capturable'),
  maximize,
  differentiable,
});

export type AdadeltaOptions = z.output<typeof options>;

/**
 * v = rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 - rho) d^2;
 * p -= lr d, where v is `square_avg` and u `acc_delta`.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
 */
export class Adadelta extends CompositeOptimizer<AdadeltaOptions, 'lr'> {
  constructor(params: Params<AdadeltaOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Adadelta', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return zeroState(parameter, 'square_avg', 'acc_delta');
  }

  protected factors({ scalar }: UpdateBatch, group: AdadeltaOptions): Factors<'lr'> {
    return { lr: scalar(() => rateOf(group.lr)) };
  }

  protected next(update: Update, { lr }: Factors<'lr'>, { rho, eps }: AdadeltaOptions): Next {
    const { parameter, gradient, state } = update;
    const square_avg = movingSquare(state.square_avg!, gradient, rho, 1 - rho);
    const root = div(sqrt(add(state.acc_delta!, eps)), sqrt(add(square_avg, eps)));
    const delta = mul(root, gradient);
    const acc_delta = movingSquare(state.acc_delta!, delta, rho, 1 - rho);
    return { parameter: sub(parameter, mul(delta, lr)), square_avg, acc_delta };
  }
}

optimizers.register('Adadelta', {
  schema: options,
  create: (given: AdadeltaOptions, params) => new Adadelta(params, given),
});
