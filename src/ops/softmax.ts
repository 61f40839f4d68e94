/** Softmax and its logarithm. */

import { type DType, needsFloating } from '../base/dtype.ts';
import { normalizeDim } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { named } from './named.ts';
import { cast, exp, mul, sub } from './pointwise.ts';
import { sum } from './reduction.ts';

interface SoftmaxAttrs {
  readonly dim: number;
}

function softmaxRow(name: 'softmax' | 'log_softmax', vjp: Vjp<SoftmaxAttrs>) {
  return defineOp<SoftmaxAttrs>({
    name,
    kind: 'normalization',
    vjp,
    infer([input]) {
      needsFloating(name, input!);
      return [input!];
    },
    lower: ({ attrs }) => ({ kernel: name, attrs }),
  });
}

const SOFTMAX = softmaxRow('softmax', ({ grads, outputs, attrs: { dim } }) => {
  const weighted = mul(grads[0]!, outputs[0]!);
  return [sub(weighted, mul(outputs[0]!, sum(weighted, dim, true)))];
});

const LOG_SOFTMAX = softmaxRow('log_softmax', ({ grads, outputs, attrs: { dim } }) => [
  sub(grads[0]!, mul(exp(outputs[0]!), sum(grads[0]!, dim, true))),
]);

function alongDim(row: typeof SOFTMAX, x: Tensor, dim: number): Tensor {
  const at = normalizeDim(row.name, dim, x.ndim);
  return x.ndim === 0
    ? apply(row, [x.reshape([1])], { dim: 0 }).reshape([])
    : apply(row, [x], { dim: at });
}

/**
 * exp(x) / sum(exp(x)) along `dim`; x is converted to `dtype` before.
 * https://pytorch.org/docs/stable/generated/torch.softmax.html
 *
 * @throws DTypeError unless it is computed in a floating dtype.
 */
export const softmax = named(
  'softmax',
  ['input', 'dim', 'dtype'],
  (input: Tensor, dim: number, dtype: DType | null = null): Tensor =>
    alongDim(SOFTMAX, cast(input, dtype ?? input.dtype), dim),
);

/**
 * log(softmax(x)) along `dim`, computed without overflow; x is converted to `dtype` before.
 * https://pytorch.org/docs/stable/generated/torch.log_softmax.html
 *
 * @throws DTypeError unless it is computed in a floating dtype.
 */
export const logSoftmax = named(
  'log_softmax',
  ['input', 'dim', 'dtype'],
  (input: Tensor, dim: number, dtype: DType | null = null): Tensor =>
    alongDim(LOG_SOFTMAX, cast(input, dtype ?? input.dtype), dim),
);
