/**
 * Activation layers: the functions of `nn.functional` with fixed arguments. `inplace` is taken as
 * in PyTorch and changes nothing.
 */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from '../ops/creation.ts';
import { gelu } from '../ops/gelu.ts';
import { sigmoid, tanh } from '../ops/pointwise.ts';
import * as smooth from './functional/activation.ts';
import * as piecewise from './functional/piecewise.ts';
import { logSoftmax, softmax, softmin } from './functional/softmax.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { Module, Parameter } from './module.ts';
import { floatText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const nothing = strict({});
const inplace = z.boolean().default(false);
const inplaceOnly = strict({ inplace });
const number = (value: number) => z.number().default(value);

// ---- made of straight pieces -------------------------------------------------------------------

/** max(x, 0). https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html */
export class ReLU extends layerOf(inplaceOnly, (_, x) => piecewise.relu(x)) {}

/** x within [0, 6]. https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html */
export class ReLU6 extends layerOf(inplaceOnly, (_, x) => piecewise.relu6(x)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html */
export class LeakyReLU extends layerOf(
  strict({ negative_slope: number(0.01), inplace }),
  ({ negative_slope }, x) => piecewise.leakyRelu(x, negative_slope),
) {}

/** x within bounds. https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html */
export class Hardtanh extends layerOf(
  strict({ min_val: number(-1), max_val: number(1), inplace }),
  ({ min_val, max_val }, x) => piecewise.hardtanh(x, min_val, max_val),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html */
export class Hardsigmoid extends layerOf(inplaceOnly, (_, x) => piecewise.hardsigmoid(x)) {}

/** x hardsigmoid(x). https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html */
export class Hardswish extends layerOf(inplaceOnly, (_, x) => piecewise.hardswish(x)) {}

const shrink = strict({ lambd: number(0.5) });

/** https://pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html */
export class Hardshrink extends layerOf(
  shrink,
  ({ lambd }, x) => piecewise.hardshrink(x, lambd),
  ({ lambd }) => floatText(lambd),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Softshrink.html */
export class Softshrink extends layerOf(
  shrink,
  ({ lambd }, x) => piecewise.softshrink(x, lambd),
  ({ lambd }) => floatText(lambd),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Threshold.html */
export class Threshold extends layerOf(
  strict({ threshold: z.number(), value: z.number(), inplace }),
  ({ threshold, value }, x) => piecewise.threshold(x, threshold, value),
) {}

const rreluOptions = strict({ lower: number(1 / 8), upper: number(1 / 3), inplace });

/** Slopes drawn in training. https://pytorch.org/docs/stable/generated/torch.nn.RReLU.html */
export class RReLU extends Module {
  static readonly schema = rreluOptions;
  readonly lower: number;
  readonly upper: number;

  constructor(given: z.input<typeof rreluOptions> = {}) {
    super();
    const { lower, upper } = parseOptions('RReLU', rreluOptions, given);
    this.lower = lower;
    this.upper = upper;
  }

  forward(input: Tensor): Tensor {
    return piecewise.rrelu(input, this.lower, this.upper, this.training);
  }

  override extraRepr(): string {
    return `lower=${this.lower}, upper=${this.upper}`;
  }
}

const preluOptions = strict({ num_parameters: schemas.size.default(1), init: number(0.25) });

/**
 * Leaky ReLU with a slope, or one a channel, that is trained.
 * https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html
 */
export class PReLU extends Module {
  static readonly schema = preluOptions;
  readonly weight: Parameter;

  constructor(given: z.input<typeof preluOptions> = {}) {
    super();
    const { num_parameters, init } = parseOptions('PReLU', preluOptions, given);
    this.weight = new Parameter(full([num_parameters], init));
  }

  forward(input: Tensor): Tensor {
    return piecewise.prelu(input, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.weight.shape[0]}`;
  }
}

// ---- smooth ------------------------------------------------------------------------------------

const alpha = strict({ alpha: number(1), inplace });

/** https://pytorch.org/docs/stable/generated/torch.nn.ELU.html */
export class ELU extends layerOf(alpha, (options, x) => smooth.elu(x, options.alpha)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CELU.html */
export class CELU extends layerOf(alpha, (options, x) => smooth.celu(x, options.alpha)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.SELU.html */
export class SELU extends layerOf(inplaceOnly, (_, x) => smooth.selu(x)) {}

/** x Phi(x). https://pytorch.org/docs/stable/generated/torch.nn.GELU.html */
export class GELU extends layerOf(
  strict({ approximate: z.enum(['none', 'tanh']).default('none') }),
  ({ approximate }, x) => gelu(x, approximate),
) {}

/** a sigmoid(b). https://pytorch.org/docs/stable/generated/torch.nn.GLU.html */
export class GLU extends layerOf(strict({ dim: z.int().default(-1) }), ({ dim }, x) =>
  smooth.glu(x, dim),
) {}

/** x sigmoid(x). https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html */
export class SiLU extends layerOf(inplaceOnly, (_, x) => smooth.silu(x)) {}

/** x tanh(softplus(x)). https://pytorch.org/docs/stable/generated/torch.nn.Mish.html */
export class Mish extends layerOf(inplaceOnly, (_, x) => smooth.mish(x)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html */
export class Softplus extends layerOf(
  strict({ beta: number(1), threshold: number(20) }),
  ({ beta, threshold }, x) => smooth.softplus(x, beta, threshold),
) {}

/** 1 / (1 + exp(-x)). https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html */
export class Sigmoid extends layerOf(nothing, (_, x) => sigmoid(x)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html */
export class LogSigmoid extends layerOf(nothing, (_, x) => smooth.logsigmoid(x)) {}

/** x / (1 + |x|). https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html */
export class Softsign extends layerOf(nothing, (_, x) => smooth.softsign(x)) {}

/** tanh(x). https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html */
export class Tanh extends layerOf(nothing, (_, x) => tanh(x)) {}

/** x - tanh(x). https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html */
export class Tanhshrink extends layerOf(nothing, (_, x) => smooth.tanhshrink(x)) {}

// ---- softmax -----------------------------------------------------------------------------------

/** Without `dim`: 0 for inputs of 0, 1 or 3 dimensions, else 1. */
const alongDim = strict({ dim: z.int().nullable().default(null) });

/** https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html */
export class Softmax extends layerOf(alongDim, ({ dim }, x) => softmax(x, dim)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html */
export class LogSoftmax extends layerOf(alongDim, ({ dim }, x) => logSoftmax(x, dim)) {}

/** softmax(-x). https://pytorch.org/docs/stable/generated/torch.nn.Softmin.html */
export class Softmin extends layerOf(alongDim, ({ dim }, x) => softmin(x, dim)) {}

/**
 * Softmax over the channels of (N, C, H, W) or (C, H, W).
 * https://pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
 */
export class Softmax2d extends layerOf(nothing, (_, x) => {
  if (x.ndim === 3 || x.ndim === 4) return softmax(x, -3);
  const message = `needs (N, C, H, W) or (C, H, W), got ${formatShape(x.shape)}`;
  throw opError(ShapeError, 'Softmax2d', message);
}) {}

registerLayers(modules, {
  ...{ CELU, ELU, GELU, GLU, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyReLU, LogSigmoid },
  ...{
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    SELU,
    SiLU,
    Sigmoid,
    Softmax,
    Softmax2d,
    Softmin,
  },
  ...{ Softplus, Softshrink, Softsign, Tanh, Tanhshrink, Threshold },
});
