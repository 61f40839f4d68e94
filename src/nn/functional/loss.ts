/** What the losses have in common: how they are reduced, and what they check. */

import { ArgumentError, DTypeError, opError } from '../../base/errors.ts';
import { broadcastShapes, formatShape, sameShape } from '../../base/shape.ts';
import { warnOnce } from '../../base/warn.ts';
import type { Tensor } from '../../core/tensor.ts';
import { currentTrace } from '../../core/trace.ts';
import { lossOperand } from '../../ops/mixed.ts';
import { expand } from '../../ops/movement.ts';
import { cast, lt, sub, where } from '../../ops/pointwise.ts';
import { amin, mean, sum } from '../../ops/reduction.ts';

export type LossReduction = 'mean' | 'sum' | 'none';

/** PyTorch's older way to say which reduction: both true, or left out, is the mean. */
export interface LegacyReduction {
  readonly size_average?: boolean | null;
  readonly reduce?: boolean | null;
}

/**
 * The reduction that was asked for, in either way.
 * @throws ArgumentError unless it is one of `mean`, `sum` and `none`.
 */
export function chosenReduction(
  op: string,
  reduction: LossReduction,
  { size_average = null, reduce = null }: LegacyReduction = {},
): LossReduction {
  if (size_average !== null || reduce !== null) {
    if (!(reduce ?? true)) return 'none';
    return (size_average ?? true) ? 'mean' : 'sum';
  }
  if (reduction === 'mean' || reduction === 'sum' || reduction === 'none') return reduction;
  throw opError(ArgumentError, op, `reduction must be mean, sum or none, got ${reduction}`);
}

/** The losses of all elements, or their sum or mean. */
export function reduceLoss(loss: Tensor, reduction: LossReduction): Tensor {
  if (reduction === 'none') return loss;
  return reduction === 'sum' ? sum(loss) : mean(loss);
}

/**
 * Operands of a loss as `autocast` wants them, broadcast; different shapes are likely a mistake.
 */
export function broadcastPair(op: string, input: Tensor, target: Tensor): [Tensor, Tensor] {
  const [a, b] = [lossOperand(input), lossOperand(target)];
  if (sameShape(a.shape, b.shape)) return [a, b];
  const shape = broadcastShapes(op, a.shape, b.shape);
  warnOnce(
    `[${op}] input ${formatShape(a.shape)} and target ${formatShape(b.shape)} differ and are ` +
      'broadcast, which is rarely what is meant',
  );
  return [expand(a, shape), expand(b, shape)];
}

/** Throws DTypeError unless both have one dtype. */
export function needsSameDType(op: string, name: string, x: Tensor, other: Tensor): void {
  if (x.dtype === other.dtype) return;
  throw opError(DTypeError, op, `${name} must be ${other.dtype} as the input, got ${x.dtype}`);
}

/**
 * `x`, but `min` where it is less; the gradient passes everywhere, as of PyTorch's in-place clamps.
 */
export function raisedTo(x: Tensor, min: number): Tensor {
  return where(lt(x, min), sub(x, x.detach()).add(min), x);
}

/**
 * Throws ArgumentError unless `condition` holds everywhere. The values are read, which is not
 * possible while a step is traced: there nothing is checked.
 */
export function needsValues(op: string, condition: Tensor, message: string): void {
  if (currentTrace() !== undefined || condition.numel() === 0) return;
  if (amin(cast(condition.detach(), 'int64')).item() === 1) return;
  throw opError(ArgumentError, op, message);
}
