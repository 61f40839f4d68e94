/** scan and scan_extreme: what all elements up to each one give along a dimension. */

import type { ScanFn } from '../kernels.ts';
import {
  arity,
  check,
  checkDtype,
  checkFloating,
  checkShape,
  type KernelCall,
  type Run,
  splitAt,
} from './kernel.ts';

const STEP: Record<ScanFn, (sum: number, x: number) => number> = {
  sum: (sum, x) => sum + x,
  prod: (product, x) => product * x,
  logsumexp(sum, x) {
    const peak = Math.max(sum, x);
    return Number.isFinite(peak) ? peak + Math.log1p(Math.exp(-Math.abs(sum - x))) : peak;
  },
};
const START: Record<ScanFn, number> = { sum: 0, prod: 1, logsumexp: Number.NEGATIVE_INFINITY };

/** x -> out */
export function scan(call: KernelCall<'scan'>): Run {
  arity(call, 1);
  const { dim, fn } = call.attrs;
  const { shape, dtype } = call.inputs[0]!;
  check(STEP[fn] !== undefined, `unknown function ${fn}`);
  check(dtype !== 'bool', 'truth values are not added up');
  if (fn === 'logsumexp') checkFloating(call);
  checkShape('the output', call.outputs[0]!.shape, shape);
  checkDtype('the output', call.outputs[0]!.dtype, dtype);
  const { outer, size, inner } = splitAt(shape, dim);
  return ([x], [out]) => {
    for (let row = 0; row < outer * inner; row++) {
      let sum = START[fn];
      let at = Math.floor(row / inner) * size * inner + (row % inner);
      for (let i = 0; i < size; i++, at += inner) {
        sum = fn === 'logsumexp' && i === 0 ? x![at]! : STEP[fn](sum, x![at]!);
        out![at] = sum;
      }
    }
  };
}

/** x -> values, indices */
export function scanExtreme(call: KernelCall<'scan_extreme'>): Run {
  arity(call, 1, 2);
  const { dim, fn } = call.attrs;
  const { shape, dtype } = call.inputs[0]!;
  check(fn === 'amax' || fn === 'amin', `unknown function ${fn}`);
  for (const output of call.outputs) checkShape('an output', output.shape, shape);
  checkDtype('values', call.outputs[0]!.dtype, dtype);
  checkDtype('indices', call.outputs[1]!.dtype, 'int64');
  const { outer, size, inner } = splitAt(shape, dim);
  const wins = fn === 'amax' ? (a: number, b: number) => a >= b : (a: number, b: number) => a <= b;
  return ([x], [values, indices]) => {
    for (let row = 0; row < outer * inner; row++) {
      const first = Math.floor(row / inner) * size * inner + (row % inner);
      let best = 0;
      for (let i = 0; i < size; i++) {
        const [value, held] = [x![first + i * inner]!, x![first + best * inner]!];
        if (Number.isNaN(value) || wins(value, held)) best = i;
        values![first + i * inner] = x![first + best * inner]!;
        indices![first + i * inner] = best;
      }
    }
  };
}
