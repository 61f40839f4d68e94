/** Stochastic gradient descent. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { hostScalar } from '../core/scalar.ts';
import type { Tensor } from '../core/tensor.ts';
import { zerosLike } from '../ops/creation.ts';
import { where } from '../ops/pointwise.ts';
import { Optimizer, type ParamGroup, type ParamState, type Params } from './optimizer.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: z.number().min(0).default(0.001),
  momentum: z.number().min(0).default(0),
  dampening: z.number().default(0),
  weight_decay: z.number().min(0).default(0),
  nesterov: z.boolean().default(false),
  maximize: z.boolean().default(false),
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
    for (const { nesterov, momentum, dampening } of this.param_groups) {
      if (nesterov && (momentum <= 0 || dampening !== 0)) {
        throw new ArgumentError('[SGD] nesterov needs a momentum and no dampening');
      }
    }
  }

  protected initState(parameter: Tensor, { momentum }: SGDOptions): ParamState {
    const state: ParamState = {};
    if (momentum !== 0) state.momentum_buffer = zerosLike(parameter);
    return state;
  }

  protected update(
    parameter: Tensor,
    gradient: Tensor,
    { momentum_buffer: buffer }: ParamState,
    group: ParamGroup<SGDOptions>,
    lr: Tensor,
  ): void {
    let step = group.maximize ? gradient.neg() : gradient;
    if (group.weight_decay !== 0) step = step.add(parameter.mul(group.weight_decay));
    if (buffer === undefined && group.momentum !== 0) {
      throw new ArgumentError(
        `[SGD] momentum was 0 when the optimizer was made and is ${group.momentum} now; make a new one`,
      );
    }
    if (buffer !== undefined) {
      buffer.copy_(buffer.mul(group.momentum).add(this.#dampened(step, group.dampening)));
      step = group.nesterov ? step.add(buffer.mul(group.momentum)) : buffer;
    }
    parameter.copy_(parameter.sub(step.mul(lr)));
  }

  /** The first step enters the buffer whole; the buffer is zero then. */
  #dampened(step: Tensor, dampening: number): Tensor {
    if (dampening === 0) return step;
    const taken = hostScalar(() => this.steps);
    return step.mul(where(taken.eq(0), 1, 1 - dampening).to(step.dtype));
  }
}

optimizers.register('SGD', {
  schema: options,
  create: (given: SGDOptions, params) => new SGD(params, given),
});
