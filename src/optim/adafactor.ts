/** Adafactor: second moments kept as a product of rows and columns. */

import { z } from 'zod';
import { finfo } from '../base/finfo.ts';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { clamp, clampMin } from '../ops/arithmetic.ts';
import { zeros } from '../ops/creation.ts';
import { movingAverage } from '../ops/moving-average.ts';
import { div, mul, rsqrt, sqrt, sub } from '../ops/pointwise.ts';
import { mean } from '../ops/reduction.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, ParamState, Update, UpdateBatch } from './optimizer.ts';
import { maximize, numberFrom0, rate, rateOf, withoutEffect } from './options.ts';
import type { Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.01),
  /** The weight of a step in the second moments is t^beta2_decay. */
  beta2_decay: z.number().max(0).default(-0.8),
  /** The least second moment (null: the dtype's precision), and the least size of a parameter. */
  eps: z.tuple([numberFrom0.nullable(), numberFrom0]).default([null, 1e-3]),
  /** The largest root mean square of an update. */
  d: z.number().min(1).default(1),
  weight_decay: numberFrom0.default(0),
  ...withoutEffect('foreach'),
  maximize,
});

export type AdafactorOptions = z.output<typeof options>;

type Factor = 'weight' | 'rho' | 'keep';

/**
 * The gradient over the root of its second moment, limited to the root mean square `d`, times
 * min(lr, 1 / sqrt(t)) and the size of the parameter. The second moments of matrices are kept as
 * means of rows and of columns.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
 */
export class Adafactor extends CompositeOptimizer<AdafactorOptions, Factor> {
  constructor(params: Params<AdafactorOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Adafactor', options, given));
  }

  protected initialState(parameter: Tensor): InitialState {
    const { dtype, shape } = parameter;
    if (shape.length < 2) return zeroState(parameter, 'variance');
    return {
      row_var: () => zeros([...shape.slice(0, -1), 1], { dtype }),
      col_var: () => zeros([...shape.slice(0, -2), 1, shape.at(-1)!], { dtype }),
    };
  }

  /** The decay is apart from the gradient. */
  protected override gradientDecay(): number {
    return 0;
  }

  protected factors({ scalar, step }: UpdateBatch, group: AdafactorOptions): Factors<Factor> {
    return {
      weight: scalar(() => step() ** group.beta2_decay),
      rho: scalar(() => Math.min(rateOf(group.lr), 1 / Math.sqrt(step()))),
      keep: scalar(() => 1 - rateOf(group.lr) * group.weight_decay),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, group: AdafactorOptions): Next {
    const { parameter, gradient } = update;
    const least = group.eps[0] ?? finfo(parameter.dtype).eps;
    const { variance, kept } = secondMoment(update, factors.weight, least);
    const direction = mul(rsqrt(clamp(variance, least * least)), gradient);
    const size = mul(clampMin(rootMeanSquare(parameter), group.eps[1]), factors.rho);
    const excess = clampMin(div(rootMeanSquare(direction), group.d), 1);
    const change = mul(direction, div(size, excess));
    return { parameter: sub(mul(parameter, factors.keep), change), ...kept };
  }
}

function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(mean(mul(x, x)));
}

/** The estimate of the squared gradient, and the state it is kept in. */
function secondMoment(
  { gradient, state }: Update,
  weight: Tensor,
  least: number,
): { variance: Tensor; kept: ParamState } {
  const square = mul(gradient, gradient);
  if (gradient.ndim < 2) {
    const variance = movingAverage(state.variance!, square, weight);
    return { variance, kept: { variance } };
  }
  const row_var = movingAverage(state.row_var!, mean(square, -1, true), weight);
  const col_var = movingAverage(state.col_var!, mean(square, -2, true), weight);
  const rows = clamp(mean(row_var, -2, true), least);
  return { variance: div(mul(row_var, col_var), rows), kept: { row_var, col_var } };
}

optimizers.register('Adafactor', {
  schema: options,
  create: (given: AdafactorOptions, params) => new Adafactor(params, given),
});
