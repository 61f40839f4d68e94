/** Losses that ask for a margin between the scores of classes. */

import { isFloating, needsFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { gather } from '../../ops/indexing.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { reshape, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  add,
  cast,
  div,
  eq,
  ge,
  gt,
  logicalAnd,
  logicalNot,
  mul,
  neg,
  relu,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';
import { amax, amin, sum } from '../../ops/reduction.ts';
import { logsigmoid } from './activation.ts';

import { chosenReduction, type LossReduction, needsSameDType, reduceLoss } from './loss.ts';

type Flag = boolean | null;

/**
 * The mean over classes of binary cross entropies with logits: input (N, C) and target (N, C) of 0
 * and 1 -> (N).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
 */
export const multilabelSoftMarginLoss = named(
  'multilabel_soft_margin_loss',
  ['input', 'target', 'weight', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null = null,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const op = 'multilabel_soft_margin_loss';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    if (input.ndim === 0) throw opError(ShapeError, op, 'needs a dimension of classes');
    const [x, t] = [lossOperand(input), lossOperand(target)];
    const likelihood = add(mul(t, logsigmoid(x)), mul(sub(1, t), logsigmoid(neg(x))));
    const losses = weight === null ? neg(likelihood) : mul(neg(likelihood), weight);
    return reduceLoss(div(sum(losses, -1), input.shape.at(-1)!), how);
  },
);

/** (N, C), (C) and () as (N, C), with what PyTorch calls a non-empty vector or matrix. */
function asMatrix(op: string, input: Tensor): Tensor {
  needsFloating(op, input);
  const isMatrix = input.ndim === 2 && input.shape[1]! > 0;
  const isVector = input.ndim < 2 && input.numel() > 0;
  if (!isMatrix && !isVector) {
    const message = `needs (N, C) or (C,) with a class at least, got ${formatShape(input.shape)}`;
    throw opError(ShapeError, op, message);
  }
  const rows = input.ndim === 2 ? input.shape[0]! : 1;
  return reshape(lossOperand(input), [rows, input.shape.at(-1) ?? 1]);
}

/**
 * The mean over classes i other than the target y of max(0, `margin` - x_y + x_i)^`p`, times
 * weight_y: input (N, C) and int64 target (N) -> (N); also (C) and () or (1).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html
 *
 * @throws ArgumentError unless `p` is 1 or 2, ShapeError when the sizes do not fit.
 */
export const multiMarginLoss = named(
  'multi_margin_loss',
  ['input', 'target', 'p', 'margin', 'weight', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    p = 1,
    margin = 1,
    weight: Tensor | null = null,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const op = 'multi_margin_loss';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    if (p !== 1 && p !== 2) throw opError(ArgumentError, op, `p must be 1 or 2, got ${p}`);
    const x = asMatrix(op, input);
    const [rows, classes] = x.shape as [number, number];
    checkClassIndices(op, target, rows, input);
    const index = reshape(target, [rows, 1]);
    const room = relu(add(sub(x, gather(x, 1, index)), margin));
    const costs = where(eq(index, arange(classes)), 0, p === 1 ? room : mul(room, room));
    const factor = weight === null ? null : classWeights(op, weight, x, index);
    const losses = div(sum(factor === null ? costs : mul(costs, factor), 1), classes);
    return reduceLoss(how === 'none' ? reshape(losses, target.shape) : losses, how);
  },
);

function checkClassIndices(op: string, target: Tensor, rows: number, input: Tensor): void {
  if (isFloating(target.dtype) || target.dtype === 'bool') {
    throw opError(DTypeError, op, `target must be int64, got ${target.dtype}`);
  }
  if (target.ndim <= 1 && target.numel() === rows) return;
  const sizes = `${formatShape(target.shape)}, input ${formatShape(input.shape)}`;
  throw opError(ShapeError, op, `target must hold one class for each of ${rows} rows: ${sizes}`);
}

/** The weight of each row's class: (N, 1). */
function classWeights(op: string, weight: Tensor, x: Tensor, index: Tensor): Tensor {
  const [rows, classes] = x.shape as [number, number];
  if (!sameShape(weight.shape, [classes])) {
    throw opError(ShapeError, op, `weight must be (${classes},), got ${formatShape(weight.shape)}`);
  }
  needsSameDType(op, 'weight', weight, x);
  return reshape(gather(weight, 0, reshape(index, [rows])), [rows, 1]);
}

/**
 * The sum over target classes j and other classes i of max(0, 1 - x_j + x_i), divided by C: input
 * and int64 target (N, C) or (C), whose classes end before the first -1.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html
 *
 * @throws ShapeError when the sizes do not fit, DTypeError unless target is int64.
 */
export const multilabelMarginLoss = named(
  'multilabel_margin_loss',
  ['input', 'target', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const op = 'multilabel_margin_loss';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    const x = asMatrix(op, input);
    if (target.dtype !== 'int64') {
      throw opError(DTypeError, op, `target must be int64, got ${target.dtype}`);
    }
    // One score alone may stand in a dimension or not.
    const isOne = [input, target].every((t) => t.ndim <= 1 && t.numel() === 1);
    if (!sameShape(target.shape, input.shape) && !isOne) {
      const sizes = `target ${formatShape(target.shape)}, input ${formatShape(input.shape)}`;
      throw opError(ShapeError, op, `${sizes}: they must have one shape`);
    }
    const losses = multilabelCosts(x, reshape(target, x.shape));
    return reduceLoss(how === 'none' ? reshape(losses, input.shape.slice(0, -1)) : losses, how);
  },
);

/** x and target (N, C) -> (N). */
function multilabelCosts(x: Tensor, target: Tensor): Tensor {
  const classes = x.shape[1]!;
  const place = arange(classes);
  // [n, j, k]: k comes after j, or names a class; j counts where that holds for all k.
  const isAfter = gt(place, unsqueeze(place, 1));
  const isClass = cast(unsqueeze(ge(target, 0), 1), 'int64');
  const counts = eq(amin(where(isAfter, 1, isClass), -1), 1);
  const index = where(counts, target, 0);
  // [n, j, i]: the j-th target is class i.
  const names = logicalAnd(eq(unsqueeze(index, -1), place), unsqueeze(counts, -1));
  const isTarget = eq(amax(cast(names, 'int64'), 1), 1);
  const room = relu(sub(add(unsqueeze(x, 1), 1), unsqueeze(gather(x, 1, index), -1)));
  const pairs = logicalAnd(unsqueeze(counts, -1), logicalNot(unsqueeze(isTarget, 1)));
  return div(sum(where(pairs, room, 0), [1, 2]), classes);
}
