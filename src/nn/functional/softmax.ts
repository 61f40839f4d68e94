/**
 * Softmax as `nn.functional` has it, with a dimension that may be left out, and what is made of it.
 */

import type { DType } from '../../base/dtype.ts';
import { needsFloating } from '../../base/dtype.ts';
import { ArgumentError, opError } from '../../base/errors.ts';
import { normalizeDim } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { clampMin } from '../../ops/arithmetic.ts';
import { rand } from '../../ops/draws.ts';
import { oneHot } from '../../ops/masking.ts';
import { transpose } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, cast, div, log, neg, sub } from '../../ops/pointwise.ts';
import { argmax } from '../../ops/reduction.ts';
import * as ops from '../../ops/softmax.ts';

/** What PyTorch takes, with a warning, where no dimension is given. */
const implicitDim = (x: Tensor) => ([0, 1, 3].includes(x.ndim) ? 0 : 1);

/**
 * exp(x) / sum(exp(x)) along `dim`; x is converted to `dtype` before.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export const softmax = named(
  'softmax',
  ['input', 'dim', 'dtype'],
  (input: Tensor, dim: number | null = null, dtype: DType | null = null): Tensor =>
    ops.softmax(input, dim ?? implicitDim(input), dtype),
);

/**
 * softmax(-x). https://pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
 */
export const softmin = named(
  'softmin',
  ['input', 'dim', 'dtype'],
  (input: Tensor, dim: number | null = null, dtype: DType | null = null): Tensor =>
    ops.softmax(neg(input), dim ?? implicitDim(input), dtype),
);

/**
 * log(softmax(x)) along `dim`; x is converted to `dtype` before.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export const logSoftmax = named(
  'log_softmax',
  ['input', 'dim', 'dtype'],
  (input: Tensor, dim: number | null = null, dtype: DType | null = null): Tensor =>
    ops.logSoftmax(input, dim ?? implicitDim(input), dtype),
);

/** Below any number that `rand` gives but 0, so that its logarithm is finite. */
const SMALLEST = 2 ** -30;

/**
 * Samples of the Gumbel-softmax distribution (Jang et al. 2016) of unnormalised log-probabilities:
 * softmax((logits + noise) / `tau`) along `dim`, or with `hard` one-hot vectors with its gradient.
 * `eps` has no effect, as in PyTorch.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
 *
 * @throws ArgumentError for a `tau` of 0.
 */
export const gumbelSoftmax = named(
  'gumbel_softmax',
  ['logits', 'tau', 'hard', 'eps', 'dim'],
  (logits: Tensor, tau = 1, hard = false, _eps = 1e-10, dim = -1): Tensor => {
    needsFloating('gumbel_softmax', logits);
    if (tau === 0) throw opError(ArgumentError, 'gumbel_softmax', 'tau must not be 0');
    const wide = logits.dtype === 'float64' ? 'float64' : 'float32';
    const uniform = clampMin(rand(logits.shape, { dtype: wide }), SMALLEST);
    const noise = cast(neg(log(neg(log(uniform)))), logits.dtype);
    const soft = ops.softmax(div(add(logits, noise), tau), dim);
    if (!hard) return soft;
    const chosen = cast(oneHotAlong(soft, dim), soft.dtype);
    return add(sub(chosen, soft.detach()), soft);
  },
);

/** 1 at the largest element along `dim`, 0 elsewhere. */
function oneHotAlong(x: Tensor, dim: number): Tensor {
  if (x.ndim === 0) return x.eq(x);
  const at = normalizeDim('gumbel_softmax', dim, x.ndim);
  return transpose(oneHot(argmax(transpose(x, at, -1), -1), x.shape[at]!), at, -1);
}
