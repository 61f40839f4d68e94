/** Stochastic gradient descent. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { sgdComposite, sgdUpdate } from '../ops/optimizer.ts';
import { zeroState } from './composite.ts';
import { type InitialState, Optimizer, type UpdateBatch } from './optimizer.ts';
import { differentiable, maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { ParamGroup, Params } from './param-groups.ts';
import { optimizers } from './registry.ts';
import type { SavedState } from './state-dict.ts';

const options = strict({
  lr: rate(0.001),
  momentum: numberFrom0.default(0),
  dampening: z.number().default(0),
  weight_decay: numberFrom0.default(0),
  nesterov: z.boolean().default(false),
  maximize,
  ...withoutEffect('foreach'),
  differentiable,
  ...withoutEffect('fused'),
});

export type SGDOptions = z.output<typeof options>;

/**
 * g = grad + weight_decay * p; buf = momentum * buf + (1 - dampening) * g (buf = g at first);
 * p -= lr * (g + momentum * buf if nesterov, else buf).
 * https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('SGD', options, given));
  }

  protected override checkGroup({ nesterov, momentum, dampening }: SGDOptions): void {
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ArgumentError('[SGD] nesterov needs a momentum and no dampening');
    }
  }

  protected override readonly savesSteps = false;

  /** There is a buffer from the first step on. */
  protected override stepsIn(saved: SavedState): number {
    return saved.momentum_buffer ? 1 : 0;
  }

  protected initialState(parameter: Tensor, { momentum }: SGDOptions): InitialState {
    return momentum === 0 ? {} : zeroState(parameter, 'momentum_buffer');
  }

  protected update(
    { scalar, step, scale, updates }: UpdateBatch,
    group: ParamGroup<SGDOptions>,
  ): void {
    const { momentum, weight_decay, nesterov, maximize } = group;
    const factors = {
      lr: scalar(() => rateOf(group.lr)),
      // The first step enters the buffer whole; the buffer is zero then.
      damping: scalar(() => (step() === 1 ? 1 : 1 - group.dampening)),
      scale,
    };
    const operands = updates.map(({ parameter, gradient, state: { momentum_buffer } }) => ({
      parameter,
      gradient,
      momentum_buffer,
    }));
    const attrs = { weight_decay, nesterov, maximize };
    const inOps = this.varies('momentum') || group.differentiable;
    const factor = inOps && momentum !== 0 ? scalar(() => group.momentum) : momentum;
    const next = inOps
      ? operands.map((each) => sgdComposite(each, factors, { ...attrs, momentum: factor }))
      : sgdUpdate(operands, factors, { ...attrs, momentum });
    for (const [i, { parameter, momentum_buffer }] of operands.entries()) {
      parameter.copy_(next[i]![0]!);
      momentum_buffer?.copy_(next[i]![1]!);
    }
  }
}

optimizers.register('SGD', {
  schema: options,
  create: (given: SGDOptions, params) => new SGD(params, given),
});
