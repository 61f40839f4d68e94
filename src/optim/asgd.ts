/** Averaged stochastic gradient descent. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ones, zeros } from '../ops/creation.ts';
import { add, eq, mul, sub, where } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.01),
  /** The decay of parameters, and of the learning rate together with `alpha`. */
  lambd: z.number().default(1e-4),
  alpha: z.number().default(0.75),
  /** The step after which averaging begins. */
  t0: z.number().default(1e6),
  weight_decay: numberFrom0.default(0),
  ...withoutEffect('foreach'),
  maximize,
  differentiable,
  ...withoutEffect('capturable'),
});

export type ASGDOptions = z.output<typeof options>;

type Factor = 'keep' | 'first_eta' | 'eta' | 'mu';

/**
 * p = p (1 - lambd eta) - eta g; ax += mu (p - ax), where eta = lr / (1 + lambd lr t)^alpha and
 * mu = 1 / max(1, t - t0) are those of the step before, lr and 1 at first.
 * https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html
 */
export class ASGD extends CompositeOptimizer<ASGDOptions, Factor> {
  constructor(params: Params<ASGDOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('ASGD', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return { eta: () => zeros([]), mu: () => ones([]), ...zeroState(parameter, 'ax') };
  }

  protected factors({ scalar, step }: UpdateBatch, group: ASGDOptions): Factors<Factor> {
    return {
      keep: scalar(() => (step() === 1 ? 0 : 1)),
      first_eta: scalar(() => (step() === 1 ? rateOf(group.lr) : 0)),
      eta: scalar(
        () => rateOf(group.lr) / (1 + group.lambd * rateOf(group.lr) * step()) ** group.alpha,
      ),
      mu: scalar(() => 1 / Math.max(1, step() - group.t0)),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, { lambd }: ASGDOptions): Next {
    const { parameter: p, gradient, state } = update;
    const mu = state.mu!;
    const eta = add(mul(state.eta!, factors.keep), factors.first_eta);
    const parameter = sub(mul(p, sub(1, mul(eta, lambd))), mul(gradient, eta));
    const moved = add(state.ax!, mul(sub(parameter, state.ax!), mu));
    // The average begins as the parameter itself.
    const ax = where(eq(mu, 1), parameter, moved);
    return { parameter, ax, eta: factors.eta, mu: factors.mu };
  }
}

optimizers.register('ASGD', {
  schema: options,
  create: (given: ASGDOptions, params) => new ASGD(params, given),
});
