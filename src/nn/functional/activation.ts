/**
 * Smooth activations, written so that nothing overflows: not the number, and not the branch that
 * `where` leaves out, whose gradient would be NaN. `inplace` is taken as in PyTorch and changes
 * nothing.
 */

import { needsFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { normalizeDim } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { named } from '../../ops/named.ts';
import {
  abs,
  add,
  div,
  exp,
  expm1,
  gt,
  log1p,
  lt,
  mul,
  neg,
  sigmoid,
  sub,
  tanh,
  where,
} from '../../ops/pointwise.ts';
import { narrow } from '../../ops/slicing.ts';

/** `scale` x where x is positive, else `scale` `alpha` (exp(x / `width`) - 1). */
function exponentialUnit(x: Tensor, alpha: number, width = 1, scale = 1): Tensor {
  const isPositive = gt(x, 0);
  const below = expm1(div(where(isPositive, 0, x), width));
  return where(isPositive, mul(x, scale), mul(below, alpha * scale));
}

/**
 * x where it is positive, else `alpha` (exp(x) - 1).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 */
export const elu = named(
  'elu',
  ['input', 'alpha', 'inplace'],
  (input: Tensor, alpha = 1, _inplace = false): Tensor => {
    needsFloating('elu', input);
    return exponentialUnit(input, alpha);
  },
);

/**
 * x where it is positive, else `alpha` (exp(x / `alpha`) - 1).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
 *
 * @throws ArgumentError for an `alpha` of 0.
 */
export const celu = named(
  'celu',
  ['input', 'alpha', 'inplace'],
  (input: Tensor, alpha = 1, _inplace = false): Tensor => {
    needsFloating('celu', input);
    if (alpha === 0) throw opError(ArgumentError, 'celu', 'alpha must not be 0');
    return exponentialUnit(input, alpha, alpha);
  },
);

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/**
 * The scaled exponential unit that keeps mean 0 and variance 1 (Klambauer et al. 2017).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
 */
export const selu = named(
  'selu',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => {
    needsFloating('selu', input);
    return exponentialUnit(input, SELU_ALPHA, 1, SELU_SCALE);
  },
);

/** x sigmoid(x). https://pytorch.org/docs/stable/generated/torch.nn.functional.silu.html */
export const silu = named(
  'silu',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => {
    needsFloating('silu', input);
    return mul(input, sigmoid(input));
  },
);

/**
 * log(1 + exp(`beta` x)) / `beta`, and x itself where `beta` x is greater than `threshold`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export const softplus = named(
  'softplus',
  ['input', 'beta', 'threshold'],
  (input: Tensor, beta = 1, threshold = 20): Tensor => {
    needsFloating('softplus', input);
    const scaled = mul(input, beta);
    const isLinear = gt(scaled, threshold);
    return where(isLinear, input, div(log1p(exp(where(isLinear, 0, scaled))), beta));
  },
);

/** x tanh(softplus(x)). https://pytorch.org/docs/stable/generated/torch.nn.functional.mish.html */
export const mish = named(
  'mish',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => {
    needsFloating('mish', input);
    return mul(input, tanh(softplus(input)));
  },
);

/**
 * log(1 / (1 + exp(-x))).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
 */
export const logsigmoid = named('logsigmoid', ['input'], (input: Tensor): Tensor => {
  needsFloating('logsigmoid', input);
  const isNegative = lt(input, 0);
  const magnitude = where(isNegative, input, neg(input));
  return sub(where(isNegative, input, 0), log1p(exp(magnitude)));
});

/**
 * x / (1 + |x|). https://pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
 */
export const softsign = named(
  'softsign',
  ['input'],
  (input: Tensor): Tensor => div(input, add(abs(input), 1)),
);

/**
 * x - tanh(x). https://pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
 */
export const tanhshrink = named(
  'tanhshrink',
  ['input'],
  (input: Tensor): Tensor => sub(input, tanh(input)),
);

/**
 * a sigmoid(b), a and b the halves of `input` along `dim` (Dauphin et al. 2016).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
 *
 * @throws ShapeError when `dim` cannot be halved.
 */
export const glu = named('glu', ['input', 'dim'], (input: Tensor, dim = -1): Tensor => {
  needsFloating('glu', input);
  const at = normalizeDim('glu', dim, input.ndim);
  const size = input.shape[at] ?? 1;
  if (size % 2 !== 0) {
    throw opError(ShapeError, 'glu', `dim ${dim} has size ${size}, which cannot be halved`);
  }
  const half = (i: number) => narrow(input, at, (i * size) / 2, size / 2);
  return mul(half(0), sigmoid(half(1)));
});
