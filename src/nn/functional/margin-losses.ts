/** Losses that ask for a margin between scores or distances. */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { arange } from '../../ops/creation.ts';
import { gather } from '../../ops/indexing.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { reshape, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  add,
  cast,
  div,
  eq,
  exp,
  ge,
  gt,
  log1p,
  logicalAnd,
  logicalNot,
  lt,
  minimum,
  mul,
  ne,
  neg,
  relu,
  sqrt,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { amax, amin, sum } from '../../ops/reduction.ts';
import { logsigmoid } from './activation.ts';
import { needsFloating } from './check.ts';
import { pairwiseDistance } from './distance.ts';
import { chosenReduction, type LossReduction, needsSameDType, reduceLoss } from './loss.ts';

type Flag = boolean | null;

/** max(x, 0), whose gradient passes at 0. */
const positivePart = (x: Tensor) => where(lt(x, 0), 0, x);

/**
 * max(0, -target (x1 - x2) + `margin`): target is 1 where the first should be ranked higher, else -1.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
 *
 * @throws ShapeError unless all have as many dimensions.
 */
export const marginRankingLoss = named(
  'margin_ranking_loss',
  ['input1', 'input2', 'target', 'margin', 'size_average', 'reduce', 'reduction'],
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin = 0,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('margin_ranking_loss', reduction, { size_average, reduce });
    const [a, b, t] = [input1, input2, target].map(lossOperand) as [Tensor, Tensor, Tensor];
    needsEqualRanks('margin_ranking_loss', { input1, input2, target });
    return reduceLoss(positivePart(add(mul(neg(t), sub(a, b)), margin)), how);
  },
);

function needsEqualRanks(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const ranks = new Set(Object.values(tensors).map((x) => x.ndim));
  if (ranks.size === 1) return;
  const shapes = Object.entries(tensors).map(([name, x]) => `${name} ${formatShape(x.shape)}`);
  throw opError(ShapeError, op, `${shapes.join(', ')} must have as many dimensions`);
}

/**
 * x where target is 1, max(0, `margin` - x) where it is -1.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html
 */
export const hingeEmbeddingLoss = named(
  'hinge_embedding_loss',
  ['input', 'target', 'margin', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    margin = 1,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('hinge_embedding_loss', reduction, { size_average, reduce });
    const x = lossOperand(input);
    const apart = where(ne(target, 1), positivePart(sub(margin, x)), 0);
    return reduceLoss(add(apart, where(ne(target, -1), x, 0)), how);
  },
);

/**
 * 1 - cos(x1, x2) where target is 1, max(0, cos(x1, x2) - `margin`) where it is -1: inputs (N, D) and
 * target (N), or (D) and ().
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
 *
 * @throws ShapeError when the sizes do not fit.
 */
export const cosineEmbeddingLoss = named(
  'cosine_embedding_loss',
  ['input1', 'input2', 'target', 'margin', 'size_average', 'reduce', 'reduction'],
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin = 0,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('cosine_embedding_loss', reduction, { size_average, reduce });
    if (target.ndim > 1 || [input1, input2].some((x) => x.ndim !== target.ndim + 1)) {
      const shapes = [input1, input2, target].map((x) => formatShape(x.shape));
      throw opError(
        ShapeError,
        'cosine_embedding_loss',
        `inputs ${shapes[0]} and ${shapes[1]} do not fit target ${shapes[2]}: ` +
          'inputs (N, D) and target (N,), or inputs (D,) and target ()',
      );
    }
    const [a, b] = [lossOperand(input1), lossOperand(input2)];
    const cosine = cosineOf(a, b);
    const near = where(eq(target, 1), sub(1, cosine), 0);
    const far = where(eq(target, -1), positivePart(sub(cosine, margin)), 0);
    return reduceLoss(add(near, far), how);
  },
);

/** The cosine along the last dimension, with squared lengths that are never 0. */
function cosineOf(a: Tensor, b: Tensor): Tensor {
  const squared = (x: Tensor) => add(sum(mul(x, x), -1), 1e-12);
  return div(sum(mul(a, b), -1), sqrt(mul(squared(a), squared(b))));
}

/**
 * log(1 + exp(-target x)), target 1 or -1.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
 */
export const softMarginLoss = named(
  'soft_margin_loss',
  ['input', 'target', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('soft_margin_loss', reduction, { size_average, reduce });
    const x = lossOperand(input);
    return reduceLoss(log1p(exp(mul(neg(lossOperand(target)), x))), how);
  },
);

/**
 * The mean over classes of binary cross entropies with logits: input (N, C) and target (N, C) of 0 and
 * 1 -> (N). https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
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
 * The sum over target classes j and other classes i of max(0, 1 - x_j + x_i), divided by C: input and
 * int64 target (N, C) or (C), whose classes end before the first -1.
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

/** A distance of two tensors of vectors. */
export type DistanceFunction = (a: Tensor, b: Tensor) => Tensor;

/**
 * max(0, d(anchor, positive) - d(anchor, negative) + `margin`), d the `p`-norm distance. With `swap`
 * the negative's distance is the smaller of that to the anchor and that to the positive.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
 *
 * @throws ArgumentError unless `margin` is positive, ShapeError unless all have as many dimensions.
 */
export const tripletMarginLoss = named(
  'triplet_margin_loss',
  [
    'anchor',
    'positive',
    'negative',
    'margin',
    'p',
    'eps',
    'swap',
    'size_average',
    'reduce',
    'reduction',
  ],
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin = 1,
    p = 2,
    eps = 1e-6,
    swap = false,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('triplet_margin_loss', reduction, { size_average, reduce });
    const distance: DistanceFunction = (a, b) => pairwiseDistance(a, b, p, eps);
    const options = { margin, swap, distance };
    const losses = tripletCosts('triplet_margin_loss', anchor, positive, negative, options);
    return reduceLoss(losses, how);
  },
);

interface TripletOptions {
  readonly margin: number;
  readonly swap: boolean;
  readonly distance: DistanceFunction;
}

function tripletCosts(
  op: string,
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  { margin, swap, distance }: TripletOptions,
): Tensor {
  if (!(margin > 0)) throw opError(ArgumentError, op, `margin must be positive, got ${margin}`);
  needsEqualRanks(op, { anchor, positive, negative });
  const [a, b, c] = [anchor, positive, negative].map(lossOperand) as [Tensor, Tensor, Tensor];
  const near = distance(a, b);
  const far = swap ? minimum(distance(a, c), distance(b, c)) : distance(a, c);
  return positivePart(sub(add(near, margin), far));
}

/**
 * `tripletMarginLoss` with a distance of one's own, by default `pairwiseDistance`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
 *
 * @throws ArgumentError unless `margin` is positive, ShapeError unless all have as many dimensions.
 */
export const tripletMarginWithDistanceLoss = named(
  'triplet_margin_with_distance_loss',
  ['anchor', 'positive', 'negative', 'distance_function', 'margin', 'swap', 'reduction'],
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance_function: DistanceFunction | null = null,
    margin = 1,
    swap = false,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const op = 'triplet_margin_with_distance_loss';
    const how = chosenReduction(op, reduction);
    const distance = distance_function ?? ((a: Tensor, b: Tensor) => pairwiseDistance(a, b));
    const losses = tripletCosts(op, anchor, positive, negative, { margin, swap, distance });
    return reduceLoss(losses, how);
  },
);
