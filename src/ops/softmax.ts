/** Softmax and its logarithm. */

import { isFloating } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import { normalizeDim } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { exp, mul, sub } from './pointwise.ts';
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
      if (!isFloating(input!.dtype)) {
        throw opError(DTypeError, name, `needs a floating point tensor, got ${input!.dtype}`);
      }
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

/** exp(x) / sum(exp(x)) along `dim`. */
export function softmax(x: Tensor, dim: number): Tensor {
  return alongDim(SOFTMAX, x, dim);
}

/** log(softmax(x)) along `dim`, computed without overflow. */
export function logSoftmax(x: Tensor, dim: number): Tensor {
  return alongDim(LOG_SOFTMAX, x, dim);
}
