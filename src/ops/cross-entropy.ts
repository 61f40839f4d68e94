/** Cross entropy between logits and class indices: a fused op. */

import { computeType, needsFloating } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { CrossEntropyAttrs } from '../engine/kernels.ts';
import { defineFused } from './fused.ts';
import { gather } from './indexing.ts';
import { reshape, squeeze, unsqueeze } from './movement.ts';
import { add, cast, div, eq, mul, neg, where } from './pointwise.ts';
import { sum } from './reduction.ts';
import { logSoftmax } from './softmax.ts';

const CROSS_ENTROPY = defineFused<CrossEntropyAttrs>({
  name: 'cross_entropy',
  kind: 'normalization',
  infer([x, target], { reduction }) {
    const { dtype } = x!;
    const rows = target!.shape;
    return [
      { dtype, shape: reduction === 'none' ? rows : [] },
      { dtype, shape: rows },
      { dtype, shape: [] },
    ];
  },
  composite: ([x, target, weight], attrs) => [composed(x!, target!, weight, attrs)],
  forward: ({ attrs }) => ({ kernel: 'cross_entropy_fwd', attrs: kernelAttrs(attrs) }),
  backward: ({ attrs }) => ({ kernel: 'cross_entropy_bwd', attrs: kernelAttrs(attrs) }),
  gradients: () => [0],
  reads: ([x, target, weight], [, lse, total]) => [x, target, weight, lse, total],
});

function kernelAttrs(attrs: CrossEntropyAttrs): CrossEntropyAttrs {
  const { ignore_index, label_smoothing, reduction, weight } = attrs;
  return { ignore_index, label_smoothing, reduction, weight };
}

function composed(
  x: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  { ignore_index, label_smoothing, reduction }: CrossEntropyAttrs,
): Tensor {
  const logits = logSoftmax(x, -1);
  const ignored = eq(target, ignore_index);
  const index = where(ignored, 0, target);
  const own = weight ? reshape(gather(weight, 0, reshape(index, [-1])), target.shape) : 1;
  const scale = cast(where(ignored, 0, own), x.dtype);
  const picked = neg(squeeze(gather(logits, -1, unsqueeze(index, -1)), -1));
  const hard = mul(picked, scale);
  const perClass = weight ? mul(logits, weight) : logits;
  const uniform = where(ignored, 0, neg(sum(perClass, -1)));
  const classes = x.shape.at(-1)!;
  const losses =
    label_smoothing === 0
      ? hard
      : add(mul(hard, 1 - label_smoothing), mul(uniform, label_smoothing / classes));
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : div(sum(losses), sum(scale));
}

export interface CrossEntropyAlongLastOptions extends Omit<CrossEntropyAttrs, 'weight'> {
  readonly weight: Tensor | null;
}

/**
 * x (..., C), target int32 or int64 (...), weight (C) -> the loss; shapes were checked. Bfloat16 is
 * computed in float32.
 */
export function crossEntropyAlongLast(
  x: Tensor,
  target: Tensor,
  { weight, ...options }: CrossEntropyAlongLastOptions,
): Tensor {
  needsFloating('cross_entropy', x);
  if (target.dtype !== 'int64' && target.dtype !== 'int32') {
    throw opError(
      DTypeError,
      'cross_entropy',
      `target must be int64, int32 or floating, got ${target.dtype}`,
    );
  }
  const dtype = computeType(x.dtype) === 'float64' ? 'float64' : 'float32';
  const weights = weight === null ? [] : [cast(weight, dtype)];
  const inputs = [cast(x, dtype), target, ...weights];
  const [loss] = CROSS_ENTROPY(inputs, { ...options, weight: weight !== null });
  return cast(loss!, x.dtype);
}
