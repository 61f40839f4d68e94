/** Adam and AdamW. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { Tensor } from '../core/tensor.ts';
import { adamComposite, adamUpdate } from '../ops/optimizer.ts';
import { zeroState } from './composite.ts';
import { type InitialState, Optimizer, type UpdateBatch } from './optimizer.ts';
import {
  betas,
  differentiable,
  maximize,
  numberFrom0,
  rate,
  rateOf,
  withoutEffect,
} from './options.ts';
import type { ParamGroup, Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const first = {
  lr: rate(0.001),
  betas,
  eps: numberFrom0.default(1e-8),
};

const last = {
  amsgrad: z.boolean().default(false),
  maximize,
  ...withoutEffect('foreach', 'capturable'),
  differentiable,
  ...withoutEffect('fused'),
};

const adamOptions = strict({
  ...first,
  weight_decay: numberFrom0.default(0),
  ...last,
  decoupled_weight_decay: z.boolean().default(false),
});

const adamWOptions = strict({ ...first, weight_decay: numberFrom0.default(0.01), ...last });

export type AdamOptions = z.output<typeof adamOptions>;
export type AdamWOptions = z.output<typeof adamWOptions>;

/**
 * g = grad + weight_decay * p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
 * p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps). With `amsgrad` the largest v so
 * far stands for v; with `decoupled_weight_decay` p *= 1 - lr * weight_decay instead of the first.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: Params<AdamOptions>, given: z.input<typeof adamOptions> = {}) {
    super(params, parseOptions('Adam', adamOptions, given));
    checkBetas(this.constructor.name, given);
  }

  protected initialState(parameter: Tensor, { amsgrad }: AdamOptions): InitialState {
    const names = ['exp_avg', 'exp_avg_sq', ...(amsgrad ? ['max_exp_avg_sq'] : [])];
    return zeroState(parameter, ...names);
  }

  protected update(batch: UpdateBatch, group: ParamGroup<AdamOptions>): void {
    const { amsgrad } = group;
    const operands = batch.updates.map(({ parameter, gradient, state }) => ({
      parameter,
      gradient,
      exp_avg: state.exp_avg!,
      exp_avg_sq: state.exp_avg_sq!,
      max_exp_avg_sq: amsgrad ? state.max_exp_avg_sq : undefined,
    }));
    const next = this.#next(operands, batch, group);
    for (const [i, { parameter, exp_avg, exp_avg_sq, max_exp_avg_sq }] of operands.entries()) {
      const own = [parameter, exp_avg, exp_avg_sq, max_exp_avg_sq];
      for (const [k, value] of next[i]!.entries()) own[k]!.copy_(value);
    }
  }

  #next(
    operands: Parameters<typeof adamUpdate>[0],
    { scalar, step, scale }: UpdateBatch,
    group: ParamGroup<AdamOptions>,
  ): Tensor[][] {
    const { eps, amsgrad, maximize, decoupled_weight_decay: decoupled } = group;
    const factors = {
      step_size: scalar(() => rateOf(group.lr) / (1 - group.betas[0] ** step())),
      root_scale: scalar(() => 1 / Math.sqrt(1 - group.betas[1] ** step())),
      keep: scalar(() => (decoupled ? 1 - rateOf(group.lr) * group.weight_decay : 1)),
      scale,
    };
    const weight_decay = decoupled ? 0 : group.weight_decay;
    const attrs = { eps, amsgrad, maximize, weight_decay };
    if (!this.varies('betas') && !group.differentiable) {
      const [beta1, beta2] = group.betas;
      return adamUpdate(operands, factors, { ...attrs, beta1, beta2 });
    }
    const weights = {
      mean: scalar(() => 1 - group.betas[0]),
      beta2: scalar(() => group.betas[1]),
      square: scalar(() => 1 - group.betas[1]),
    };
    return operands.map((each) => adamComposite(each, factors, attrs, weights));
  }
}

/** Refuses what PyTorch refuses. */
function checkBetas(type: string, given: z.input<typeof adamOptions>): void {
  const { betas, foreach = false, capturable = false } = given;
  if (!betas?.some((beta) => beta instanceof Tensor) || !foreach || capturable) return;
  throw new ArgumentError(`[${type}] betas as tensors need capturable where foreach is true`);
}

/**
 * Adam whose weight decay is apart from the gradient.
 * https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export class AdamW extends Adam {
  constructor(params: Params<AdamWOptions>, given: z.input<typeof adamWOptions> = {}) {
    const options = parseOptions('AdamW', adamWOptions, given);
    super(params, { ...options, decoupled_weight_decay: true });
    checkBetas(this.constructor.name, given);
  }
}

optimizers.register('Adam', {
  schema: adamOptions,
  create: (given: AdamOptions, params) => new Adam(params, given),
});
optimizers.register('AdamW', {
  schema: adamWOptions,
  create: (given: AdamWOptions, params) => new AdamW(params, given),
});
