/** Adam and AdamW. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import { hostScalar } from '../core/scalar.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor, zerosLike } from '../ops/creation.ts';
import { adamUpdate } from '../ops/optimizer.ts';
import {
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
  type UpdateBatch,
} from './optimizer.ts';
import { optimizers, withoutEffect } from './registry.ts';

const beta = z.number().min(0).lt(1);

const common = {
  lr: z.number().min(0).default(0.001),
  betas: z.tuple([beta, beta]).default([0.9, 0.999]),
  eps: z.number().min(0).default(1e-8),
  amsgrad: z.boolean().default(false),
  maximize: z.boolean().default(false),
  ...withoutEffect('foreach', 'capturable', 'fused'),
};

const adamOptions = strict({
  ...common,
  weight_decay: z.number().min(0).default(0),
  decoupled_weight_decay: z.boolean().default(false),
});

const adamWOptions = strict({ ...common, weight_decay: z.number().min(0).default(0.01) });

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
  }

  protected initState(parameter: Tensor, { amsgrad }: AdamOptions): ParamState {
    const names = ['exp_avg', 'exp_avg_sq', ...(amsgrad ? ['max_exp_avg_sq'] : [])];
    return Object.fromEntries(names.map((name) => [name, zerosLike(parameter)]));
  }

  protected update({ dtype, scale, updates }: UpdateBatch, group: ParamGroup<AdamOptions>): void {
    const [beta1, beta2] = group.betas;
    const { eps, amsgrad, maximize, weight_decay, decoupled_weight_decay: decoupled } = group;
    const scalar = (read: (step: number) => number) =>
      hostScalar(() => read(this.steps + 1), dtype);
    const factors = {
      step_size: scalar((step) => group.lr / (1 - beta1 ** step)),
      root_scale: scalar((step) => 1 / Math.sqrt(1 - beta2 ** step)),
      keep: scalar(() => (decoupled ? 1 - group.lr * weight_decay : 1)),
      scale,
    };
    const operands = updates.map(({ parameter, gradient, state }) => ({
      parameter,
      gradient,
      exp_avg: state.exp_avg!,
      exp_avg_sq: state.exp_avg_sq!,
      max_exp_avg_sq: state.max_exp_avg_sq,
    }));
    const next = adamUpdate(operands, factors, {
      ...{ beta1, beta2, eps, amsgrad, maximize },
      weight_decay: decoupled ? 0 : weight_decay,
    });
    for (const [i, { parameter, exp_avg, exp_avg_sq, max_exp_avg_sq }] of operands.entries()) {
      const own = [parameter, exp_avg, exp_avg_sq, max_exp_avg_sq];
      for (const [k, value] of next[i]!.entries()) own[k]!.copy_(value);
    }
  }

  /** As PyTorch's, `step` included: all parameters count the same steps. */
  override stateDict(): OptimizerStateDict {
    const dict = super.stateDict();
    for (const state of Object.values(dict.state)) state.step = tensor(this.steps);
    return dict;
  }
}

/**
 * Adam whose weight decay is apart from the gradient.
 * https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export class AdamW extends Adam {
  constructor(params: Params<AdamWOptions>, given: z.input<typeof adamWOptions> = {}) {
    super(params, {
      ...parseOptions('AdamW', adamWOptions, given),
      decoupled_weight_decay: true,
    });
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
