/** Connectionist temporal classification (Graves et al. 2006). */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { Tensor } from '../../core/tensor.ts';
import { currentTrace } from '../../core/trace.ts';
import { clampMin } from '../../ops/arithmetic.ts';
import { full } from '../../ops/creation.ts';
import { tensor } from '../../ops/host-data.ts';
import { gather } from '../../ops/indexing.ts';
import { cat, stack } from '../../ops/joining.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { expand, reshape, squeeze, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  add,
  cast,
  div,
  eq,
  exp,
  gt,
  log,
  logicalAnd,
  lt,
  maximum,
  mul,
  ne,
  neg,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';
import { sum } from '../../ops/reduction.ts';
import { narrow, select } from '../../ops/slicing.ts';
import { chosenReduction, type LossReduction, reduceLoss } from './loss.ts';

/** The length of each sequence of the batch; one number without a batch. */
export type Lengths = Tensor | readonly number[] | number;

const OP = 'ctc_loss';
/** The logarithm of an impossible probability: finite, so that its gradient is not NaN. */
const IMPOSSIBLE = -1e30;

/**
 * The negative log likelihood of label sequences under frame-wise label probabilities, over all
 * ways to align them.
 *
 * @param log_probs (T, N, C) or (T, C), logarithms of probabilities.
 * @param targets integers (N, S), or all sequences behind one another; (S) without a batch.
 * @param input_lengths,target_lengths (N), or numbers; at most T and S. Inside a compiled step
 *   `targets` must be (N, S), or the lengths arrays.
 * @param blank the class that stands for no label.
 * @param reduction `mean` divides each loss by its target's length before.
 * @param zero_infinity counts targets too long for their input as 0 instead of infinity.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
 *
 * The gradient is PyTorch's: that of the logits whose logSoftmax `log_probs` are.
 */
export const ctcLoss = named(
  OP,
  [
    'log_probs',
    'targets',
    'input_lengths',
    'target_lengths',
    'blank',
    'reduction',
    'zero_infinity',
  ],
  (
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank = 0,
    reduction: LossReduction = 'mean',
    zero_infinity = false,
  ): Tensor => {
    const how = chosenReduction(OP, reduction);
    checkScores(log_probs, blank);
    const isBatch = log_probs.ndim === 3;
    const probs = isBatch ? lossOperand(log_probs) : unsqueeze(lossOperand(log_probs), 1);
    const frames = lengthsOf('input_lengths', input_lengths, probs, probs.shape[0]!);
    const labels = lengthsOf('target_lengths', target_lengths, probs);
    const target = targetMatrix(isBatch ? targets : reshape(targets, [1, -1]), probs, labels);
    const losses = alignmentLoss(probs, target, frames.tensor, labels.tensor, blank);
    const finite = zero_infinity ? where(losses.isinf(), 0, losses) : losses;
    if (how !== 'mean') return reduceLoss(isBatch ? finite : squeeze(finite, 0), how);
    const sizes = clampMin(cast(labels.tensor, finite.dtype), 1);
    return reduceLoss(div(finite, sizes), 'mean');
  },
);

function checkScores(log_probs: Tensor, blank: number): void {
  if (!isFloating(log_probs.dtype)) {
    throw opError(DTypeError, OP, `log_probs must be floating, got ${log_probs.dtype}`);
  }
  if (log_probs.ndim !== 3 && log_probs.ndim !== 2) {
    const message = `log_probs must be (T, N, C) or (T, C), got ${formatShape(log_probs.shape)}`;
    throw opError(ShapeError, OP, message);
  }
  const classes = log_probs.shape.at(-1)!;
  if (Number.isInteger(blank) && blank >= 0 && blank < classes) return;
  throw opError(ArgumentError, OP, `blank ${blank} is none of the ${classes} classes`);
}

interface KnownLengths {
  /** int64 (N). */
  readonly tensor: Tensor;
  /** Undefined while a step is traced and they are a tensor: then nothing can be read. */
  readonly values: readonly number[] | undefined;
}

function lengthsOf(name: string, given: Lengths, probs: Tensor, limit = Infinity): KnownLengths {
  const batch = probs.shape[1]!;
  if (given instanceof Tensor && isFloating(given.dtype)) {
    throw opError(DTypeError, OP, `${name} must be integers, got ${given.dtype}`);
  }
  const values = valuesOf(given);
  const count = given instanceof Tensor ? given.numel() : values!.length;
  if (count !== batch) {
    throw opError(ShapeError, OP, `${name} has ${count} lengths for a batch of ${batch}`);
  }
  const wrong = values?.find((value) => !(Number.isInteger(value) && value >= 0 && value <= limit));
  if (wrong !== undefined) {
    throw opError(ArgumentError, OP, `${name}: ${wrong} is not between 0 and ${limit}`);
  }
  if (given instanceof Tensor) return { tensor: cast(reshape(given, [batch]), 'int64'), values };
  return { tensor: tensor(values!.map(BigInt), { dtype: 'int64', shape: [batch] }), values };
}

function valuesOf(given: Lengths): readonly number[] | undefined {
  if (typeof given === 'number') return [given];
  if (!(given instanceof Tensor)) return given;
  return currentTrace() === undefined ? Array.from(given.dataSync(), Number) : undefined;
}

/** The targets as (N, S). */
function targetMatrix(targets: Tensor, probs: Tensor, lengths: KnownLengths): Tensor {
  const batch = probs.shape[1]!;
  const longest = Math.max(0, ...(lengths.values ?? []));
  if (targets.ndim === 2) {
    if (targets.shape[0] === batch && longest <= targets.shape[1]!) return cast(targets, 'int64');
    const sizes = `${formatShape(targets.shape)} for a batch of ${batch} and lengths to ${longest}`;
    throw opError(ShapeError, OP, `targets are too small: ${sizes}`);
  }
  if (targets.ndim !== 1 || lengths.values === undefined) {
    const message = 'targets must be (N, S), or behind one another with lengths that can be read';
    throw opError(ShapeError, OP, `${message}; got ${formatShape(targets.shape)}`);
  }
  const total = lengths.values.reduce((a, b) => a + b, 0);
  if (total !== targets.shape[0]) {
    const message = `there are ${targets.shape[0]} targets, and target_lengths sum to ${total}`;
    throw opError(ShapeError, OP, message);
  }
  // Places behind a sequence are masked later; they only have to exist.
  let start = 0;
  const places = lengths.values.map((length) => {
    const row = Array.from({ length: longest }, (_, i) => BigInt(start + Math.min(i, length - 1)));
    start += length;
    return row.map((place) => (place < 0n ? 0n : place));
  });
  const shape = [batch, longest];
  if (total === 0) return full(shape, 0, { dtype: 'int64' });
  const index = tensor(places.flat(), { dtype: 'int64', shape });
  return reshape(gather(cast(targets, 'int64'), 0, reshape(index, [-1])), shape);
}

/** Each sequence's loss (N), infinite where its input is too short. */
function alignmentLoss(
  probs: Tensor,
  target: Tensor,
  frames: Tensor,
  lengths: Tensor,
  blank: number,
): Tensor {
  const [steps, batch] = probs.shape as [number, number, number];
  const column = unsqueeze(lengths, 1);
  const inside = lt(arange(target.shape[1]!), column);
  const labels = withBlanks(where(inside, target, blank), blank);
  const states = labels.shape[1]!;
  const index = expand(unsqueeze(labels, 0), [steps, batch, states]);
  const scores = clampMin(gather(probs, 2, index), IMPOSSIBLE);
  const skips = maySkip(labels, blank);
  // Before the first frame an alignment stands at the first blank; a frame may then move it by one.
  let alpha = where(
    eq(arange(states), 0),
    full([batch, states], 0, { dtype: probs.dtype }),
    IMPOSSIBLE,
  );
  for (let t = 0; t < steps; t++) {
    const score = select(scores, 0, t);
    const next = add(t === 0 ? firstMove(alpha) : moved(alpha, skips), score);
    alpha = where(gt(unsqueeze(frames, 1), t), next, alpha);
  }
  const end = mul(column, 2);
  const atBlank = squeeze(gather(alpha, 1, end), 1);
  const atLabel = squeeze(gather(alpha, 1, clampMin(sub(end, 1), 0)), 1);
  const total = logAddExp([atBlank, where(gt(lengths, 0), atLabel, IMPOSSIBLE)]);
  const isPossible = gt(total, IMPOSSIBLE / 2);
  return where(isPossible, add(neg(total), ofTheSoftmax(probs, frames)), Infinity);
}

/** (N, S) -> (N, 2 S + 1): a blank before, between and after the labels. */
function withBlanks(target: Tensor, blank: number): Tensor {
  const [batch, size] = target.shape as [number, number];
  const blanks = (shape: number[]) => full(shape, blank, { dtype: 'int64' });
  const pairs = stack([blanks([batch, size]), target], 2);
  return cat([reshape(pairs, [batch, 2 * size]), blanks([batch, 1])], 1);
}

/**
 * May an alignment come to a state from the one two before it? Not onto a blank or an equal label.
 */
function maySkip(labels: Tensor, blank: number): Tensor {
  const before = shifted(labels, 2, blank);
  return logicalAnd(ne(labels, blank), ne(labels, before));
}

/** Along the states, from `count` places before; `value` where there are none. */
function shifted(x: Tensor, count: number, value: number): Tensor {
  const [batch, states] = x.shape as [number, number];
  const fill = full([batch, Math.min(count, states)], value, { dtype: x.dtype });
  return cat([fill, narrow(x, 1, 0, Math.max(0, states - count))], 1);
}

/** The first frame is at the first blank or the first label. */
const firstMove = (alpha: Tensor) => maximum(alpha, shifted(alpha, 1, IMPOSSIBLE));

function moved(alpha: Tensor, skips: Tensor): Tensor {
  const two = where(skips, shifted(alpha, 2, IMPOSSIBLE), IMPOSSIBLE);
  return logAddExp([alpha, shifted(alpha, 1, IMPOSSIBLE), two]);
}

function logAddExp(terms: readonly Tensor[]): Tensor {
  const peak = terms.map((x) => x.detach()).reduce((a, b) => maximum(a, b));
  const total = terms.map((x) => exp(sub(x, peak))).reduce((a, b) => add(a, b));
  return add(log(total), peak);
}

/**
 * Zero, with the gradient exp(log_probs) of all frames: what PyTorch adds, so that the gradient of
 * log-probabilities is also that of the logits they come from.
 */
function ofTheSoftmax(probs: Tensor, frames: Tensor): Tensor {
  const inside = lt(reshape(arange(probs.shape[0]!), [-1, 1, 1]), reshape(frames, [1, -1, 1]));
  const chances = where(inside, exp(probs), 0);
  return sum(sub(chances, chances.detach()), [0, 2]);
}
