/**
 * The dropout family. Its random numbers follow the generator, so a resumed run drops the same
 * elements. `inplace` is taken as in PyTorch and changes nothing.
 */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { warnOnce } from '../../base/warn.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ones } from '../../ops/creation.ts';
import { rand } from '../../ops/draws.ts';
import { dropElements } from '../../ops/dropout.ts';
import { squeeze, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, cast, ge, mul } from '../../ops/pointwise.ts';
import { needsProbability } from './check.ts';

/** Does the call change anything? Then `x` must be floating. */
function drops(op: string, x: Tensor, p: number, training: boolean): boolean {
  needsProbability(op, p);
  if (!training || p === 0) return false;
  if (isFloating(x.dtype)) return true;
  throw opError(DTypeError, op, `needs a floating point tensor in training, got ${x.dtype}`);
}

/**
 * Zeros each element with probability `p` and scales the others by 1 / (1 - p), in training.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
 *
 * @throws ArgumentError unless `p` is a probability.
 */
export const dropout = named(
  'dropout',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = true, _inplace = false): Tensor => {
    if (!drops('dropout', input, p, training)) return input;
    return p === 1 ? mul(input, 0) : dropElements(input, p);
  },
);

/** One size for each channel (N, C), 1 for what belongs to it. */
function channelShape(op: string, x: Tensor): number[] {
  if (x.ndim >= 2) return x.shape.map((size, i) => (i < 2 ? size : 1));
  throw opError(ShapeError, op, `needs 2 dimensions at least, got ${formatShape(x.shape)}`);
}

/** Drops whole channels of (N, C, ...). */
function dropChannels(op: string, x: Tensor, p: number, training: boolean): Tensor {
  if (!drops(op, x, p, training)) return x;
  const shape = channelShape(op, x);
  if (p === 1) return mul(x, 0);
  return mul(x, dropElements(ones(shape, { dtype: x.dtype }), p));
}

/**
 * Drops whole channels: (N, C, L) or (C, L).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
 *
 * @throws ShapeError for other numbers of dimensions.
 */
export const dropout1d = named(
  'dropout1d',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = true, _inplace = false): Tensor => {
    needsProbability('dropout1d', p);
    if (input.ndim === 3) return dropChannels('dropout1d', input, p, training);
    if (input.ndim !== 2) {
      const message = `needs (N, C, L) or (C, L), got ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'dropout1d', message);
    }
    return squeeze(dropChannels('dropout1d', unsqueeze(input, 0), p, training), 0);
  },
);

/**
 * Drops whole channels: (N, C, H, W). As in PyTorch the second dimension is the channels' whatever
 * the number of dimensions, with a warning where it is not 4.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
 */
export const dropout2d = named(
  'dropout2d',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = true, _inplace = false): Tensor => {
    if (input.ndim !== 4) {
      warnOnce(`[dropout2d] input has ${input.ndim} dimensions; the second one is the channels'`);
    }
    return dropChannels('dropout2d', input, p, training);
  },
);

/**
 * Drops whole channels: (N, C, D, H, W) or (C, D, H, W).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html
 */
export const dropout3d = named(
  'dropout3d',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = true, _inplace = false): Tensor => {
    if (input.ndim === 5) return dropChannels('dropout3d', input, p, training);
    if (input.ndim !== 4) {
      warnOnce(`[dropout3d] input has ${input.ndim} dimensions; it is taken without a batch`);
    }
    return squeeze(dropChannels('dropout3d', unsqueeze(input, 0), p, training), 0);
  },
);

/**
 * Drops whole samples of (N, ...), each with probability `p`, and scales the others by 1 / (1 - p);
 * with `mode` 'batch' all of them together. Where it stands on the branch of a residual connection,
 * that drops the branch: stochastic depth (Huang et al. 2016, https://arxiv.org/abs/1603.09382).
 * https://pytorch.org/vision/stable/generated/torchvision.ops.stochastic_depth.html
 *
 * @throws ArgumentError unless `p` is a probability and `mode` one of both, ShapeError for a tensor
 * without dimensions.
 */
export const stochasticDepth = named(
  'stochastic_depth',
  ['input', 'p', 'mode', 'training'],
  (input: Tensor, p: number, mode: 'batch' | 'row', training = true): Tensor => {
    if (mode !== 'row' && mode !== 'batch') {
      throw opError(ArgumentError, 'stochastic_depth', `mode must be row or batch, got ${mode}`);
    }
    if (!drops('stochastic_depth', input, p, training)) return input;
    if (input.ndim === 0) {
      throw opError(ShapeError, 'stochastic_depth', 'needs a first dimension, that of the samples');
    }
    if (p === 1) return mul(input, 0);
    const shape = input.shape.map((size, i) => (i === 0 && mode === 'row' ? size : 1));
    return mul(input, dropElements(ones(shape, { dtype: input.dtype }), p));
  },
);

/** The value that SELU tends to, with its sign changed. */
const SELU_LIMIT = 1.7580993408473766;

/** Sets what is dropped to SELU's limit, and keeps mean 0 and variance 1. */
function dropToLimit(x: Tensor, p: number, shape: readonly number[]): Tensor {
  if (p === 1) return mul(x, 0);
  const kept = cast(ge(rand(shape), p), x.dtype);
  const scale = 1 / Math.sqrt((SELU_LIMIT ** 2 * p + 1) * (1 - p));
  const shift = add(mul(add(kept, -1), SELU_LIMIT * scale), SELU_LIMIT * scale * p);
  return add(mul(x, mul(kept, scale)), shift);
}

/**
 * Dropout for networks with SELU (Klambauer et al. 2017), which keeps mean and variance.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
 */
export const alphaDropout = named(
  'alpha_dropout',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = false, _inplace = false): Tensor =>
    drops('alpha_dropout', input, p, training) ? dropToLimit(input, p, input.shape) : input,
);

/**
 * `alphaDropout` of whole channels: (N, C, ...).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
 */
export const featureAlphaDropout = named(
  'feature_alpha_dropout',
  ['input', 'p', 'training', 'inplace'],
  (input: Tensor, p = 0.5, training = false, _inplace = false): Tensor =>
    drops('feature_alpha_dropout', input, p, training)
      ? dropToLimit(input, p, channelShape('feature_alpha_dropout', input))
      : input,
);
