/** Muon: momentum whose update is made orthogonal. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape, type Shape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { clamp } from '../ops/arithmetic.ts';
import { matmul } from '../ops/matmul.ts';
import { transpose } from '../ops/movement.ts';
import { movingAverage } from '../ops/moving-average.ts';
import { add, cast, div, mul, sqrt, sub } from '../ops/pointwise.ts';
import { sum } from '../ops/reduction.ts';
import { CompositeOptimizer, type Factors, type Next, zeroState } from './composite.ts';
import type { InitialState, Update, UpdateBatch } from './optimizer.ts';
import { numberFrom0, rate, rateOf } from './options.ts';
import type { ParamGroup, Params } from './param-groups.ts';
import { optimizers } from './registry.ts';

const options = strict({
  lr: rate(0.001),
  weight_decay: numberFrom0.default(0.1),
  momentum: numberFrom0.default(0.95),
  nesterov: z.boolean().default(true),
  /** Of the polynomial a x + b x^3 + c x^5 that brings singular values near 1. */
  ns_coefficients: z.tuple([z.number(), z.number(), z.number()]).default([3.4445, -4.775, 2.0315]),
  eps: z.number().default(1e-7),
  /** How often the polynomial is applied. */
  ns_steps: z.int().min(0).lt(100).default(5),
  /** How the rate depends on the shape: `original` where it is null. */
  adjust_lr_fn: z.enum(['original', 'match_rms_adamw']).nullable().default(null),
});

export type MuonOptions = z.output<typeof options>;

type Factor = 'keep' | 'lr' | 'momentum' | 'mean';

/**
 * b = momentum b + (1 - momentum) g; p = p (1 - lr weight_decay) - lr' O, where O is b (with
 * `nesterov` g + momentum (b - g)) made orthogonal by Newton and Schulz's iteration in bfloat16,
 * and lr' is lr adjusted to the shape. For the matrices of hidden layers; others need another
 * optimizer.
 * https://pytorch.org/docs/stable/generated/torch.optim.Muon.html
 */
export class Muon extends CompositeOptimizer<MuonOptions, Factor> {
  constructor(params: Params<MuonOptions>, given: z.input<typeof options> = {}) {
    super(params, parseOptions('Muon', options, given));
  }

  protected override checkGroup({ params }: ParamGroup<MuonOptions>): void {
    const other = params.find((parameter) => parameter.ndim !== 2);
    if (other === undefined) return;
    throw new ArgumentError(
      `[Muon] a parameter has shape ${formatShape(other.shape)}: only matrices can be optimised`,
    );
  }

  protected override readonly savesSteps = false;

  protected override stepsIn(): number {
    return 1;
  }

  protected initialState(parameter: Tensor): InitialState {
    return zeroState(parameter, 'momentum_buffer');
  }

  /** The decay is apart from the gradient. */
  protected override gradientDecay(): number {
    return 0;
  }

  protected factors({ scalar }: UpdateBatch, group: MuonOptions): Factors<Factor> {
    return {
      keep: scalar(() => 1 - rateOf(group.lr) * group.weight_decay),
      lr: scalar(() => rateOf(group.lr)),
      momentum: scalar(() => group.momentum),
      mean: scalar(() => 1 - group.momentum),
    };
  }

  protected next(update: Update, factors: Factors<Factor>, group: MuonOptions): Next {
    const { parameter, gradient, state } = update;
    // As numbers of the graph where they can be: the last bits of what is made orthogonal decide
    // its smallest directions, and PyTorch's formula depends on the number.
    const [momentum, mean] = this.varies('momentum')
      ? [factors.momentum, factors.mean]
      : [group.momentum, 1 - group.momentum];
    const momentum_buffer = movingAverage(state.momentum_buffer!, gradient, mean);
    const direction = group.nesterov
      ? movingAverage(gradient, momentum_buffer, momentum)
      : momentum_buffer;
    const change = cast(orthogonal(direction, group), parameter.dtype);
    const lr = mul(factors.lr, adjustment(parameter.shape, group));
    return { parameter: sub(mul(parameter, factors.keep), mul(change, lr)), momentum_buffer };
  }
}

/** What the rate is multiplied with, so that updates of all shapes have one size. */
function adjustment([rows, columns]: Shape, { adjust_lr_fn }: MuonOptions): number {
  if (adjust_lr_fn === 'match_rms_adamw') return 0.2 * Math.sqrt(Math.max(rows!, columns!));
  return Math.sqrt(Math.max(1, rows! / columns!));
}

/**
 * Newton and Schulz's iteration: (m, n) -> (m, n) with singular values near 1. Every result is
 * rounded to bfloat16, and computed in float32 from what was rounded.
 */
function orthogonal(x: Tensor, { ns_coefficients, ns_steps, eps }: MuonOptions): Tensor {
  const [a, b, c] = ns_coefficients;
  const isTall = x.shape[0]! > x.shape[1]!;
  let y = rounded(isTall ? transpose(x, 0, 1) : x);
  const norm = rounded(sqrt(sum(mul(y, y))));
  y = rounded(div(y, rounded(clamp(norm, eps))));
  for (let step = 0; step < ns_steps; step++) {
    const gram = rounded(matmul(y, transpose(y, 0, 1)));
    const weights = rounded(multiplyAdd(gram, b, mul(matmul(gram, gram), c)));
    y = rounded(multiplyAdd(y, a, matmul(weights, y)));
  }
  return isTall ? transpose(y, 0, 1) : y;
}

function rounded(x: Tensor): Tensor {
  return cast(cast(x, 'bfloat16'), 'float32');
}

optimizers.register('Muon', {
  schema: options,
  create: (given: MuonOptions, params) => new Muon(params, given),
});

/** x * factor + y, rounded once: a tie in bfloat16 is decided by the last bit of float32. */
function multiplyAdd(x: Tensor, factor: number, y: Tensor): Tensor {
  const product = mul(cast(x, 'float64'), Math.fround(factor));
  return cast(add(product, cast(y, 'float64')), 'float32');
}
