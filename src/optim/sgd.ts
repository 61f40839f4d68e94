/** Stochastic gradient descent. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { hostScalar } from '../core/scalar.ts';
import type { Tensor } from '../core/tensor.ts';
import { zerosLike } from '../ops/creation.ts';
import { sgdUpdate } from '../ops/optimizer.ts';
import {
  Optimizer,
  type ParamGroup,
  type ParamState,
  type Params,
  type UpdateBatch,
} from './optimizer.ts';
import { optimizers, withoutEffect } from './registry.ts';

const options = strict({
  lr: z.number().min(0).default(0.001),
  momentum: z.number().min(0).default(0),
  dampening: z.number().default(0),
  weight_decay: z.number().min(0).default(0),
  nesterov: z.boolean().default(false),
  maximize: z.boolean().default(false),
  ...withoutEffect('foreach', 'fused'),
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

  protected update({ dtype, scale, updates }: UpdateBatch, group: ParamGroup<SGDOptions>): void {
    const { momentum, weight_decay, nesterov, maximize } = group;
    const factors = {
      lr: hostScalar(() => group.lr, dtype),
      // The first step enters the buffer whole; the buffer is zero then.
      damping: hostScalar(() => (this.steps === 0 ? 1 : 1 - group.dampening), dtype),
      scale,
    };
    const operands = updates.map(({ parameter, gradient, state: { momentum_buffer } }) => {
      if (momentum_buffer === undefined && momentum !== 0) throw tooLate(momentum);
      return { parameter, gradient, momentum_buffer };
    });
    const next = sgdUpdate(operands, factors, { momentum, weight_decay, nesterov, maximize });
    for (const [i, { parameter, momentum_buffer }] of operands.entries()) {
      parameter.copy_(next[i]![0]!);
      momentum_buffer?.copy_(next[i]![1]!);
    }
  }
}

function tooLate(momentum: number): ArgumentError {
  return new ArgumentError(
    `[SGD] momentum was 0 when the optimizer was made and is ${momentum} now; make a new one`,
  );
}

optimizers.register('SGD', {
  schema: options,
  create: (given: SGDOptions, params) => new SGD(params, given),
});
