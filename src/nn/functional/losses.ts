/** Losses as functions of tensors, with PyTorch's names in camelCase. */

import { type DType, isFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { crossEntropyAlongLast } from '../../ops/cross-entropy.ts';
import { gather } from '../../ops/indexing.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { permute } from '../../ops/movement.ts';
import { eq, where } from '../../ops/pointwise.ts';
import { logSoftmax } from '../../ops/softmax.ts';

export type LossReduction = 'mean' | 'sum' | 'none';

function reduceLoss(loss: Tensor, reduction: LossReduction): Tensor {
  if (reduction === 'none') return loss;
  return reduction === 'sum' ? loss.sum() : loss.mean();
}

export interface NllLossOptions {
  /** A weight per class (C,). */
  readonly weight?: Tensor | null;
  /** Targets of this class count for nothing. */
  readonly ignore_index?: number;
  readonly reduction?: LossReduction;
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of each target is spread over all classes. */
  readonly label_smoothing?: number;
}

/** Classes stand in dimension 1, or 0 without a batch. */
function classDim(op: string, input: Tensor, target: Tensor): number {
  const dim = input.ndim === 1 ? 0 : 1;
  const expected = input.shape.filter((_, i) => i !== dim);
  if (input.ndim === 0 || !sameShape(expected, target.shape)) {
    throw opError(
      ShapeError,
      op,
      `target ${formatShape(target.shape)} does not fit input ${formatShape(input.shape)}: ` +
        `one class index for each of ${formatShape(expected)}`,
    );
  }
  return dim;
}

/**
 * The negative log likelihood of the target classes.
 *
 * @param input log-probabilities (N, C, ...) or (C).
 * @param target int64 class indices (N, ...) or ().
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export function nllLoss(
  input: Tensor,
  target: Tensor,
  { weight = null, ignore_index = -100, reduction = 'mean' }: NllLossOptions = {},
): Tensor {
  const dim = classDim('nll_loss', input, target);
  checkWeight('nll_loss', weight, input.shape[dim]!);
  const ignored = eq(target, ignore_index);
  const index = where(ignored, 0, target);
  const picked = gather(lossOperand(input), dim, index.unsqueeze(dim)).squeeze(dim).neg();
  const scale = targetScale(target, ignored, weight, picked.dtype);
  const losses = picked.mul(scale);
  return reduction === 'mean' ? losses.sum().div(scale.sum()) : reduceLoss(losses, reduction);
}

/** How much each target counts: its class's weight, or 1; 0 where it is ignored. */
function targetScale(target: Tensor, ignored: Tensor, weight: Tensor | null, dtype: DType): Tensor {
  if (weight === null) return where(ignored, 0, 1).to(dtype);
  const index = where(ignored, 0, target).reshape([-1]);
  return where(ignored, 0, gather(weight, 0, index).reshape(target.shape));
}

/**
 * Cross entropy between logits and target classes.
 *
 * @param input logits (N, C, ...) or (C).
 * @param target int64 class indices (N, ...) or (); or floating probabilities of input's shape, of
 *   which none is ignored.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { label_smoothing = 0, ...rest } = options;
  if (label_smoothing < 0 || label_smoothing > 1) {
    throw opError(
      ArgumentError,
      'cross_entropy',
      `label_smoothing must be between 0 and 1, got ${label_smoothing}`,
    );
  }
  const logits = lossOperand(input);
  if (isFloating(target.dtype)) {
    return soft(logSoftmax(logits, input.ndim === 1 ? 0 : 1), target, label_smoothing, rest);
  }
  const dim = classDim('cross_entropy', input, target);
  const { weight = null, ignore_index = -100, reduction = 'mean' } = rest;
  checkWeight('cross_entropy', weight, input.shape[dim]!);
  const order = input.shape.map((_, i) => i).filter((i) => i !== dim);
  return crossEntropyAlongLast(permute(logits, [...order, dim]), target, {
    weight,
    ignore_index,
    label_smoothing,
    reduction,
  });
}

/** Against probabilities. The mean is over the samples, whatever they weigh. */
function soft(logits: Tensor, target: Tensor, s: number, options: NllLossOptions): Tensor {
  const { weight = null, reduction = 'mean' } = options;
  checkSameShape('cross_entropy', logits, target);
  const dim = logits.ndim === 1 ? 0 : 1;
  const perClass = weighted(logits, weight, dim);
  const spread = s === 0 ? target : target.mul(1 - s).add(s / logits.shape[dim]!);
  return reduceLoss(perClass.mul(spread).sum(dim).neg(), reduction);
}

function checkWeight(op: string, weight: Tensor | null, classes: number): void {
  if (weight === null || sameShape(weight.shape, [classes])) return;
  throw opError(ShapeError, op, `weight must be (${classes},), got ${formatShape(weight.shape)}`);
}

/** The logits of each class times its weight. */
function weighted(logits: Tensor, weight: Tensor | null, dim: number): Tensor {
  checkWeight('cross_entropy', weight, logits.shape[dim]!);
  return weight === null ? logits : logits.mul(alongDim(weight, dim, logits.ndim));
}

function alongDim(vector: Tensor, dim: number, ndim: number): Tensor {
  return vector.reshape(Array.from({ length: ndim }, (_, i) => (i === dim ? -1 : 1)));
}

/** The mean squared difference of two tensors of one shape. */
export function mseLoss(
  input: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { reduction?: LossReduction } = {},
): Tensor {
  checkSameShape('mse_loss', input, target);
  const difference = lossOperand(input).sub(lossOperand(target));
  return reduceLoss(difference.mul(difference), reduction);
}

/** The mean absolute difference of two tensors of one shape. */
export function l1Loss(
  input: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { reduction?: LossReduction } = {},
): Tensor {
  checkSameShape('l1_loss', input, target);
  return reduceLoss(lossOperand(input).sub(lossOperand(target)).abs(), reduction);
}

function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  throw opError(
    ShapeError,
    op,
    `input ${formatShape(input.shape)} and target ${formatShape(target.shape)} must have one shape`,
  );
}
