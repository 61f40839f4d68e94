/** Losses that ask for a margin between scores or distances. */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { named } from '../../ops/named.ts';
import {
  add,
  cast,
  div,
  eq,
  exp,
  log1p,
  lt,
  minimum,
  mul,
  ne,
  neg,
  sqrt,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { sum } from '../../ops/reduction.ts';
import { pairwiseDistance } from './distance.ts';
import { chosenReduction, type LossReduction, reduceLoss } from './loss.ts';

type Flag = boolean | null;

/** max(x, 0), whose gradient passes at 0. */
const positivePart = (x: Tensor) => where(lt(x, 0), 0, x);

/**
 * max(0, -target (x1 - x2) + `margin`): target is 1 where the first should be ranked higher, else
 * -1.
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
    const products = mul(neg(t), sub(a, b));
    // The margin is a floating point number, also where it is 0.
    const costs = isFloating(products.dtype) ? products : cast(products, 'float32');
    return reduceLoss(positivePart(add(costs, margin)), how);
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
 * 1 - cos(x1, x2) where target is 1, max(0, cos(x1, x2) - `margin`) where it is -1: inputs (N, D)
 * and target (N), or (D) and ().
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

/** A distance of two tensors of vectors. */
export type DistanceFunction = (a: Tensor, b: Tensor) => Tensor;

/**
 * max(0, d(anchor, positive) - d(anchor, negative) + `margin`), d the `p`-norm distance. With
 * `swap` the negative's distance is the smaller of that to the anchor and that to the positive.
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
