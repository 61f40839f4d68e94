/** Binary cross entropy, of probabilities and of logits. */

import { isFloating, needsFloating } from '../../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { broadcastShapes, formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { clampMin } from '../../ops/arithmetic.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { named } from '../../ops/named.ts';
import { add, ge, le, log, logicalAnd, lt, mul, neg, sub, where } from '../../ops/pointwise.ts';
import { logsigmoid } from './activation.ts';
import { needsSameShape } from './check.ts';
import {
  chosenReduction,
  type LossReduction,
  needsSameDType,
  needsValues,
  reduceLoss,
} from './loss.ts';

type Flag = boolean | null;

/** Below it a probability's logarithm has the slope 1 / SMALLEST, as in PyTorch. */
const SMALLEST = 1e-12;

/** log(x), but -100 at least; its gradient stays finite at 0. */
function limitedLog(x: Tensor): Tensor {
  const isSmall = lt(x, SMALLEST);
  const value = clampMin(log(x.detach()), -100);
  const line = add(value, mul(sub(x, x.detach()), 1 / SMALLEST));
  return where(isSmall, line, log(where(isSmall, 1, x)));
}

/** Losses times a weight that broadcasts to their shape. */
function weighted(op: string, losses: Tensor, weight: Tensor | null): Tensor {
  if (weight === null) return losses;
  if (sameShape(broadcastShapes(op, losses.shape, weight.shape), losses.shape)) {
    return mul(losses, weight);
  }
  const sizes = `${formatShape(weight.shape)} does not broadcast to ${formatShape(losses.shape)}`;
  throw opError(ShapeError, op, `weight ${sizes}`);
}

/**
 * -(t log x + (1 - t) log(1 - x)) of probabilities x; the logarithms are -100 at least.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
 *
 * @throws ShapeError unless input and target have one shape, DTypeError unless they have one
 *   floating dtype, ArgumentError for a number outside [0, 1] (when it is not inside a compiled
 *   step).
 */
export const binaryCrossEntropy = named(
  'binary_cross_entropy',
  ['input', 'target', 'weight', 'size_average', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null = null,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const op = 'binary_cross_entropy';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    needsSameShape(op, input, target);
    needsFloating(op, input);
    needsSameDType(op, 'target', target, input);
    const [x, t] = [lossOperand(input), lossOperand(target)];
    for (const [name, p] of Object.entries({ input: x, target: t })) {
      const message = `all numbers of ${name} must be between 0 and 1`;
      needsValues(op, logicalAnd(ge(p, 0), le(p, 1)), message);
    }
    const likelihood = add(mul(t, limitedLog(x)), mul(sub(1, t), limitedLog(sub(1, x))));
    return reduceLoss(weighted(op, neg(likelihood), weight), how);
  },
);

/**
 * Binary cross entropy of sigmoid(input), computed without overflow. `pos_weight` multiplies the
 * loss of what is 1, `weight` the whole; both broadcast.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 *
 * @throws ShapeError unless input and target have one shape, DTypeError unless both are floating.
 */
export const binaryCrossEntropyWithLogits = named(
  'binary_cross_entropy_with_logits',
  ['input', 'target', 'weight', 'size_average', 'reduce', 'reduction', 'pos_weight'],
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null = null,
    size_average: Flag = null,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
    pos_weight: Tensor | null = null,
  ): Tensor => {
    const op = 'binary_cross_entropy_with_logits';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    needsSameShape(op, input, target);
    if (!isFloating(input.dtype) || !isFloating(target.dtype)) {
      const dtypes = `${input.dtype} and ${target.dtype}`;
      throw opError(DTypeError, op, `input and target must be floating, got ${dtypes}`);
    }
    const [x, t] = [lossOperand(input), lossOperand(target)];
    const negative = mul(sub(1, t), x);
    const log = logsigmoid(x);
    const losses =
      pos_weight === null
        ? sub(negative, log)
        : sub(negative, weighted(op, log, add(mul(sub(pos_weight, 1), t), 1)));
    return reduceLoss(weighted(op, losses, weight), how);
  },
);
