/**
 * softmax and log_softmax along a dimension, shifted by the maximum so that exp cannot overflow.
 */

import { arity, checkFloating, checkShape, type KernelCall, type Run, splitAt } from './kernel.ts';

export function softmax(call: KernelCall<'softmax'>): Run {
  return alongDim(call, (x, shift, total) => Math.exp(x - shift) / total);
}

export function logSoftmax(call: KernelCall<'log_softmax'>): Run {
  return alongDim(call, (x, shift, total) => x - shift - Math.log(total));
}

/** Writes `value(x, max, sum(exp(x - max)))` for every element x of each row along `dim`. */
function alongDim(
  call: KernelCall<'softmax' | 'log_softmax'>,
  value: (x: number, shift: number, total: number) => number,
): Run {
  arity(call, 1);
  checkFloating(call);
  const { shape } = call.inputs[0]!;
  checkShape('the output', call.outputs[0]!.shape, shape);
  const { outer, size, inner } = splitAt(shape, call.attrs.dim);
  return ([x], [out]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const first = o * size * inner + i;
        const end = first + size * inner;
        let shift = -Infinity;
        for (let k = first; k < end; k += inner) shift = Math.max(shift, x![k]!);
        let total = 0;
        for (let k = first; k < end; k += inner) total += Math.exp(x![k]! - shift);
        for (let k = first; k < end; k += inner) out![k] = value(x![k]!, shift, total);
      }
    }
  };
}
