/** Losses of class scores against class indices or probabilities. */

import { type DType, isFloating, needsFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, numel, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { crossEntropyAlongLast } from '../../ops/cross-entropy.ts';
import { gather } from '../../ops/indexing.ts';
import { linear } from '../../ops/matmul.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { permute, reshape, squeeze, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, cast, div, eq, mul, neg, where } from '../../ops/pointwise.ts';
import { sum } from '../../ops/reduction.ts';
import { logSoftmax } from '../../ops/softmax.ts';

import { chosenReduction, type LossReduction, needsSameDType, reduceLoss } from './loss.ts';

type Flag = boolean | null;

/** Classes stand in dimension 1, or 0 without a batch. */
const classDim = (input: Tensor) => (input.ndim === 1 ? 0 : 1);

/** Class indices as they fit the input: int64 or int32, one for each place that has scores. */
function classIndices(op: string, input: Tensor, target: Tensor): Tensor {
  if (isFloating(target.dtype) || target.dtype === 'bool') {
    throw opError(
      DTypeError,
      op,
      `target must be int64, int32 or uint8 class indices, got ${target.dtype}`,
    );
  }
  const index = target.dtype === 'uint8' ? cast(target, 'int64') : target;
  const dim = classDim(input);
  const expected = input.shape.filter((_, i) => i !== dim);
  if (input.ndim === 1 && sameShape(target.shape, [1])) return reshape(index, []);
  if (input.ndim > 0 && sameShape(expected, target.shape)) return index;
  throw opError(
    ShapeError,
    op,
    `target ${formatShape(target.shape)} does not fit input ${formatShape(input.shape)}: ` +
      `one class index for each of ${formatShape(expected)}`,
  );
}

function checkWeight(op: string, weight: Tensor | null, input: Tensor): void {
  if (weight === null) return;
  const classes = input.shape[classDim(input)]!;
  if (!sameShape(weight.shape, [classes])) {
    throw opError(ShapeError, op, `weight must be (${classes},), got ${formatShape(weight.shape)}`);
  }
  needsSameDType(op, 'weight', weight, input);
}

/**
 * The negative log likelihood of the target classes. The mean is over what they weigh, and NaN when
 * none counts.
 *
 * @param input log-probabilities (N, C, ...) or (C).
 * @param target int64 class indices (N, ...), or () or (1); those that are `ignore_index` do not
 *   count.
 * @param weight one weight a class (C).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export const nllLoss = named(
  'nll_loss',
  ['input', 'target', 'weight', 'size_average', 'ignore_index', 'reduce', 'reduction'],
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null = null,
    size_average: Flag = null,
    ignore_index = -100,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
  ): Tensor => {
    const how = chosenReduction('nll_loss', reduction, { size_average, reduce });
    const index = classIndices('nll_loss', input, target);
    needsFloating('nll_loss', input);
    checkWeight('nll_loss', weight, input);
    const dim = classDim(input);
    const ignored = eq(index, ignore_index);
    const place = unsqueeze(where(ignored, 0, index), dim);
    const picked = neg(squeeze(gather(lossOperand(input), dim, place), dim));
    const scale = targetScale(index, ignored, weight, picked.dtype);
    const losses = where(ignored, 0, mul(picked, scale));
    return how === 'mean' ? div(sum(losses), sum(scale)) : reduceLoss(losses, how);
  },
);

/** How much each target counts: its class's weight, or 1; 0 where it is ignored. */
function targetScale(index: Tensor, ignored: Tensor, weight: Tensor | null, dtype: DType): Tensor {
  if (weight === null) return cast(where(ignored, 0, 1), dtype);
  const own = gather(weight, 0, reshape(where(ignored, 0, index), [-1]));
  return where(ignored, 0, reshape(own, index.shape));
}

/**
 * Cross entropy between logits and target classes.
 *
 * @param input logits (N, C, ...) or (C).
 * @param target int64 class indices (N, ...), or () or (1); or floating probabilities of input's
 *   shape, of which none is ignored.
 * @param weight one weight a class (C).
 * @param label_smoothing how much of each target is spread over all classes.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export const crossEntropy = named(
  'cross_entropy',
  [
    'input',
    'target',
    'weight',
    'size_average',
    'ignore_index',
    'reduce',
    'reduction',
    'label_smoothing',
  ],
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null = null,
    size_average: Flag = null,
    ignore_index = -100,
    reduce: Flag = null,
    reduction: LossReduction = 'mean',
    label_smoothing = 0,
  ): Tensor => {
    const op = 'cross_entropy';
    const how = chosenReduction(op, reduction, { size_average, reduce });
    if (!(label_smoothing >= 0 && label_smoothing <= 1)) {
      const message = `label_smoothing must be between 0 and 1, got ${label_smoothing}`;
      throw opError(ArgumentError, op, message);
    }
    const logits = lossOperand(input);
    if (sameShape(input.shape, target.shape)) {
      if (ignore_index >= 0) {
        throw opError(ArgumentError, op, 'ignore_index has no meaning for probabilities');
      }
      return softCrossEntropy(logits, target, { weight, reduction: how, label_smoothing });
    }
    const index = classIndices(op, input, target);
    checkWeight(op, weight, input);
    const dim = classDim(input);
    const order = input.shape.map((_, i) => i).filter((i) => i !== dim);
    return crossEntropyAlongLast(permute(logits, [...order, dim]), index, {
      weight,
      ignore_index,
      label_smoothing,
      reduction: how,
    });
  },
);

interface SoftOptions {
  readonly weight: Tensor | null;
  readonly reduction: LossReduction;
  readonly label_smoothing: number;
}

/** Against probabilities. The mean is over the samples, whatever they weigh. */
function softCrossEntropy(
  logits: Tensor,
  target: Tensor,
  { weight, reduction, label_smoothing: s }: SoftOptions,
): Tensor {
  if (!isFloating(target.dtype) || logits.ndim === 0) {
    const message = `probabilities must be floating and of each class, got ${target.dtype}`;
    throw opError(DTypeError, 'cross_entropy', message);
  }
  checkWeight('cross_entropy', weight, logits);
  const dim = classDim(logits);
  const classes = logits.shape[dim]!;
  const likelihood = logSoftmax(logits, dim);
  const sizes = logits.shape.map((_, i) => (i === dim ? -1 : 1));
  const perClass = weight === null ? likelihood : mul(likelihood, reshape(weight, sizes));
  const spread = s === 0 ? target : add(mul(target, 1 - s), s / classes);
  const losses = neg(sum(mul(perClass, spread), dim));
  if (reduction !== 'mean') return reduceLoss(losses, reduction);
  return div(sum(losses), numel(logits.shape) / classes);
}

/**
 * `crossEntropy` of linear(input, linear_weight, linear_bias): input (N, in) or (in), linear_weight
 * (C, ..., in), target (N, ...) or probabilities. `options` says in PyTorch how the product is cut
 * into pieces to save memory; it changes no result and has no effect here.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html
 *
 * @throws ShapeError when the sizes do not fit, ArgumentError for `ignore_index` with
 *   probabilities.
 */
export const linearCrossEntropy = named(
  'linear_cross_entropy',
  [
    'input',
    'linear_weight',
    'target',
    'linear_bias',
    'weight',
    'reduction',
    'ignore_index',
    'label_smoothing',
    'options',
  ],
  (
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | null = null,
    weight: Tensor | null = null,
    reduction: LossReduction = 'mean',
    ignore_index: number | null = null,
    label_smoothing = 0,
    _options: object | null = null,
  ): Tensor => {
    const op = 'linear_cross_entropy';
    const shape = logitsShape(op, input, linear_weight, linear_bias);
    if (ignore_index !== null && sameShape(target.shape, shape)) {
      throw opError(ArgumentError, op, 'ignore_index has no meaning for probabilities');
    }
    const rows = reshape(linear_weight, [-1, input.shape.at(-1)!]);
    const bias = linear_bias && reshape(linear_bias, [-1]);
    const logits = reshape(linear(input, rows, bias), shape);
    const options = { weight, reduction, ignore_index: ignore_index ?? -100, label_smoothing };
    return crossEntropy(logits, target, options);
  },
);

function logitsShape(op: string, input: Tensor, weight: Tensor, bias: Tensor | null): number[] {
  const fits = (input.ndim === 1 || input.ndim === 2) && weight.ndim >= 2;
  const shapes = `input ${formatShape(input.shape)}, linear_weight ${formatShape(weight.shape)}`;
  if (!fits || input.shape.at(-1) !== weight.shape.at(-1)) {
    throw opError(ShapeError, op, `${shapes} do not fit: (N, in) or (in,), and (C, ..., in)`);
  }
  if (weight.ndim > 2 && input.ndim === 1) {
    throw opError(ShapeError, op, `${shapes}: several outputs need an input with a batch`);
  }
  const outputs = weight.shape.slice(0, -1);
  if (bias !== null && !sameShape(bias.shape, outputs)) {
    const sizes = `${formatShape(outputs)}, got ${formatShape(bias.shape)}`;
    throw opError(ShapeError, op, `linear_bias must be ${sizes}`);
  }
  return [...input.shape.slice(0, -1), ...outputs];
}
