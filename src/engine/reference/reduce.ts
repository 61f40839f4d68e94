/** Reductions over dimensions, and the index of an extreme along one. */

import { formatShape, numel } from '../../base/shape.ts';
import type { Reduction } from '../kernels.ts';
import {
  arity,
  check,
  checkDtype,
  checkShape,
  type KernelCall,
  type Run,
  sizeAlong,
  splitAt,
  withoutDims,
} from './kernel.ts';
import { reducedPlaces } from './views.ts';

interface Fold {
  readonly initial: number;
  readonly combine: (total: number, value: number) => number;
}

const FOLDS: Record<Reduction, Fold> = {
  sum: { initial: 0, combine: (total, value) => total + value },
  prod: { initial: 1, combine: (total, value) => total * value },
  amax: { initial: -Infinity, combine: Math.max }, // Math.max and Math.min propagate NaN
  amin: { initial: Infinity, combine: Math.min },
};

export function reduce(call: KernelCall<'reduce'>): Run {
  arity(call, 1);
  const { fn, dims } = call.attrs;
  const shape = call.inputs[0]!.shape;
  const outShape = call.outputs[0]!.shape;
  for (const dim of dims) sizeAlong(shape, dim);
  checkShape('the output', outShape, withoutDims(shape, dims));
  check(Object.hasOwn(FOLDS, fn), `unknown reduction "${fn}"`);
  const { initial, combine } = FOLDS[fn];
  check(
    Number.isFinite(initial) || numel(shape) > 0 || numel(outShape) === 0,
    `${fn} of nothing: ${formatShape(shape)} has no elements along [${dims}]`,
  );
  return ([input], [out]) => {
    const places = reducedPlaces(shape, dims);
    out!.fill(initial);
    for (let i = 0; i < input!.length; i++) {
      const place = places[i]!;
      out![place] = combine(out![place]!, input![i]!);
    }
  };
}

export function argReduce(call: KernelCall<'arg_reduce'>): Run {
  arity(call, 1);
  const { fn, dim } = call.attrs;
  const shape = call.inputs[0]!.shape;
  const { outer, size, inner } = splitAt(shape, dim);
  checkShape('the output', call.outputs[0]!.shape, withoutDims(shape, [dim]));
  checkDtype('the output', call.outputs[0]!.dtype, 'int64');
  check(fn === 'argmax' || fn === 'argmin', `unknown reduction "${fn}"`);
  check(
    size > 0 || outer * inner === 0,
    `${fn} of nothing: ${formatShape(shape)} has no elements along ${dim}`,
  );
  const better =
    fn === 'argmax' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  return ([input], [out]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = 0;
        let extreme = input![o * size * inner + i]!;
        for (let k = 1; k < size && !Number.isNaN(extreme); k++) {
          const value = input![(o * size + k) * inner + i]!;
          if (!better(value, extreme) && !Number.isNaN(value)) continue;
          best = k;
          extreme = value;
        }
        out![o * inner + i] = best;
      }
    }
  };
}
