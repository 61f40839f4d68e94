/** Rprop: resilient backpropagation, by the signs of gradients alone. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { clamp } from '../ops/arithmetic.ts';
import { add, gt, lt, mul, sign, sub, where } from '../ops/pointwise.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.01),
  /** What a step is multiplied with after a change of sign, and after none. */
  etas: z.tuple([z.number().gt(0).lt(1), z.number().gt(1)]).default([0.5, 1.2]),
  /** The smallest and the largest step. */
  step_sizes: z.tuple([z.number(), z.number()]).default([1e-6, 50]),
  ...withoutEffect('capturable', 'foreach'),
  maximize,
  differentiable,
});

export type RpropOptions = z.output<typeof options>;

type Factor = 'keep' | 'first';

/**
 * Each element moves by a step of its own against the sign of its gradient. The step, `lr` at
 * first, grows while the sign stays the same and shrinks after it changed; then the element waits
 * once.
 * https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html
 */
export class Rprop extends CompositeOptimizer<RpropOptions, Factor> {
  constructor(params: Params<RpropOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Rprop', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    return zeroState(parameter, 'prev', 'step_size');
  }

  protected factors({ scalar, step }: UpdateBatch, group: RpropOptions): Factors<Factor> {
    return {
      keep: scalar(() => (step() === 1 ? 0 : 1)),
      first: scalar(() => (step() === 1 ? rateOf(group.lr) : 0)),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, group: RpropOptions): Next {
    const { parameter, gradient, state } = update;
    const [less, more] = group.etas;
    const direction = mul(gradient, state.prev!);
    const turned = lt(direction, 0);
    const growth = where(turned, less, where(gt(direction, 0), more, 1));
    const before = add(mul(state.step_size!, factors.keep), factors.first);
    const step_size = clamp(mul(before, growth), ...group.step_sizes);
    const prev = where(turned, 0, gradient);
    return { parameter: sub(parameter, mul(sign(prev), step_size)), prev, step_size };
  }
}

optimizers.register('Rprop', {
  schema: options,
  create: (given: RpropOptions, params) => new Rprop(params, given),
});
