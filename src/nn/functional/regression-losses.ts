/**
 * Losses of numbers: how far two tensors are apart, and likelihoods of continuous distributions.
 */

import { isFloating, needsFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { xlogy } from '../../ops/arithmetic.ts';
import { onesLike } from '../../ops/creation.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { abs, add, div, exp, ge, gt, le, log, mul, sub, where } from '../../ops/pointwise.ts';
import { sum } from '../../ops/reduction.ts';

import {
  broadcastPair,
  chosenReduction,
  type LossReduction,
  needsValues,
  raisedTo,
  reduceLoss,
} from './loss.ts';

type Flag = boolean | null;

/** The mean of weighted losses is over the weights. */
function weightedLoss(
  op: string,
  losses: Tensor,
  weight: Tensor | null,
  input: Tensor,
  reduction: LossReduction,
): Tensor {
  if (weight === null) return reduceLoss(losses, reduction);
  checkWeightShape(op, weight, input);
  const products = mul(losses, weight);
  return reduction === 'mean' ? div(sum(products), sum(weight)) : reduceLoss(products, reduction);
}

function checkWeightShape(op: string, weight: Tensor, input: Tensor): void {
  if (sameShape(weight.shape, input.shape)) return;
  const sizes = `${formatShape(weight.shape)}, input ${formatShape(input.shape)}`;
  throw opError(ShapeError, op, `weight and input must have one shape: weight ${sizes}`);
}

/**
 * The squared difference. Shapes broadcast, with a warning where they differ.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 *
 * @throws DTypeError unless one is floating, ShapeError when `weight` has not input's shape.
 */
export const mseLoss = named(
  'mse_loss',
  ['input', 'target', 'size_average', 'reduce', 'reduction', 'weight'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
    weight: Tensor | null = null,
  ): Tensor => {
    const how = chosenReduction('mse_loss', reduction, { size_average, reduce });
    const [x, y] = broadcastPair('mse_loss', input, target);
    const difference = sub(x, y);
    needsFloating('mse_loss', difference);
    return weightedLoss('mse_loss', mul(difference, difference), weight, input, how);
  },
);

/**
 * The absolute difference. Shapes broadcast, with a warning where they differ.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 *
 * @throws ShapeError when `weight` has not input's shape.
 */
export const l1Loss = named(
  'l1_loss',
  ['input', 'target', 'size_average', 'reduce', 'reduction', 'weight'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
    weight: Tensor | null = null,
  ): Tensor => {
    const how = chosenReduction('l1_loss', reduction, { size_average, reduce });
    const [x, y] = broadcastPair('l1_loss', input, target);
    return weightedLoss('l1_loss', abs(sub(x, y)), weight, input, how);
  },
);

/** d² / 2 within `bound`, beyond it `bound` (|d| - `bound` / 2). */
function roundedMagnitude(op: string, x: Tensor, y: Tensor, bound: number): Tensor {
  const difference = sub(x, y);
  needsFloating(op, difference);
  const size = abs(difference);
  const isSmall = le(size, bound);
  const small = where(isSmall, difference, 0);
  return where(isSmall, mul(mul(small, small), 0.5), mul(sub(size, 0.5 * bound), bound));
}

/**
 * d² / (2 `beta`) where |d| is less than `beta`, else |d| - `beta` / 2, d the difference.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 *
 * @throws ArgumentError for a negative `beta`, DTypeError unless one is floating.
 */
export const smoothL1Loss = named(
  'smooth_l1_loss',
  ['input', 'target', 'size_average', 'reduce', 'reduction', 'beta'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
    beta = 1,
  ): Tensor => {
    const how = chosenReduction('smooth_l1_loss', reduction, { size_average, reduce });
    if (beta < 0) {
      throw opError(ArgumentError, 'smooth_l1_loss', `beta must not be negative, got ${beta}`);
    }
    const [x, y] = broadcastPair('smooth_l1_loss', input, target);
    if (beta === 0) return reduceLoss(abs(sub(x, y)), how);
    return reduceLoss(div(roundedMagnitude('smooth_l1_loss', x, y, beta), beta), how);
  },
);

/**
 * d² / 2 where |d| is at most `delta`, else `delta` (|d| - `delta` / 2), d the difference.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
 *
 * @throws ArgumentError unless `delta` is positive, ShapeError when `weight` has not input's shape.
 */
export const huberLoss = named(
  'huber_loss',
  ['input', 'target', 'reduction', 'delta', 'weight'],
  (
    input: Tensor,
    target: Tensor,
    reduction: LossReduction = 'mean',
    delta = 1,
    weight: Tensor | null = null,
  ): Tensor => {
    const how = chosenReduction('huber_loss', reduction);
    if (!(delta > 0)) {
      throw opError(ArgumentError, 'huber_loss', `delta must be positive, got ${delta}`);
    }
    const [x, y] = broadcastPair('huber_loss', input, target);
    const losses = roundedMagnitude('huber_loss', x, y, delta);
    if (weight === null) return reduceLoss(losses, how);
    checkWeightShape('huber_loss', weight, input);
    return reduceLoss(mul(losses, weight), how);
  },
);

/**
 * The Kullback-Leibler divergence, element by element: target (log target - input), `input` holding
 * log-probabilities, and `target` too if `log_target`. `batchmean` divides the sum by the batch.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
 *
 * @throws DTypeError unless both are floating.
 */
export const klDiv = named(
  'kl_div',
  ['input', 'target', 'size_average', 'reduce', 'reduction', 'log_target'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction | 'batchmean' = 'mean',
    log_target = false,
  ): Tensor => {
    const isBatchMean = reduction === 'batchmean';
    const asked = isBatchMean ? 'sum' : reduction;
    const how = chosenReduction('kl_div', asked, { size_average, reduce });
    for (const x of [input, target]) needsFloating('kl_div', x);
    const [x, t] = [lossOperand(input), lossOperand(target)];
    const losses = log_target ? mul(exp(t), sub(t, x)) : sub(xlogy(t, t), mul(t, x));
    const loss = reduceLoss(losses, how);
    return isBatchMean && input.ndim > 0 ? div(loss, input.shape[0]!) : loss;
  },
);

/**
 * The negative log likelihood of counts under Poisson distributions: exp(x) - target x, or with
 * `log_input` false x - target log(x + `eps`); `full` adds Stirling's approximation of
 * log(target!).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
 */
export const poissonNllLoss = named(
  'poisson_nll_loss',
  ['input', 'target', 'log_input', 'full', 'size_average', 'eps', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    log_input = true,
    full = false,
    size_average: Flag = null,
    eps = 1e-8,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('poisson_nll_loss', reduction, { size_average, reduce });
    const [x, t] = [lossOperand(input), lossOperand(target)];
    const losses = log_input ? sub(exp(x), mul(t, x)) : sub(x, mul(t, log(add(x, eps))));
    return reduceLoss(full ? add(losses, stirling(t)) : losses, how);
  },
);

/** log(t!) where t is greater than 1, else 0. */
function stirling(t: Tensor): Tensor {
  const isMany = gt(t, 1);
  const many = where(isMany, t, 1);
  const root = mul(log(mul(many, 2 * Math.PI)), 0.5);
  return where(isMany, add(sub(mul(many, log(many)), many), root), 0);
}

/**
 * The negative log likelihood of `target` under normal distributions of mean `input` and variance
 * `var`: a number, or a tensor that is input's shape, without its last size, or with one size 1.
 * Variances below `eps` count as `eps`. `full` adds the constant.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
 *
 * @throws ShapeError when `var` does not fit, ArgumentError where it is negative.
 */
export const gaussianNllLoss = named(
  'gaussian_nll_loss',
  ['input', 'target', 'var', 'full', 'eps', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    variance: Tensor | number,
    full = false,
    eps = 1e-6,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('gaussian_nll_loss', reduction);
    const given = typeof variance === 'number' ? mul(onesLike(input), variance) : variance;
    needsValues('gaussian_nll_loss', ge(given, 0).logicalOr(given.isnan()), 'var is negative');
    const spread = raisedTo(varianceOf(input, given), eps);
    const difference = sub(lossOperand(input), lossOperand(target));
    const losses = mul(add(log(spread), div(mul(difference, difference), spread)), 0.5);
    return reduceLoss(full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, how);
  },
);

/** The variances as they broadcast with `input`. */
function varianceOf(input: Tensor, variance: Tensor): Tensor {
  if (!isFloating(variance.dtype)) {
    const message = `var must be a floating point tensor, got ${variance.dtype}`;
    throw opError(DTypeError, 'gaussian_nll_loss', message);
  }
  const { shape } = variance;
  if (sameShape(shape, input.shape)) return variance;
  if (sameShape(shape, input.shape.slice(0, -1))) return unsqueeze(variance, -1);
  const different = shape.filter((size, i) => size !== input.shape[i]);
  if (variance.ndim === input.ndim && different.length === 1 && different[0] === 1) return variance;
  const sizes = `var ${formatShape(shape)} does not fit input ${formatShape(input.shape)}`;
  throw opError(ShapeError, 'gaussian_nll_loss', sizes);
}
