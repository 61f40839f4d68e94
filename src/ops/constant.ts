/** Constants of the graph: the same number everywhere. */

import type { DType } from '../base/dtype.ts';
import { checkShape, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';

const FULL = defineOp<{ value: number; dtype: DType; shape: Shape }>({
  name: 'full',
  kind: 'creation',
  vjp: () => [],
  infer(_, { dtype, shape }) {
    checkShape('full', shape);
    return [{ dtype, shape }];
  },
  lower: ({ attrs }) => ({ kernel: 'fill', attrs: { value: attrs.value } }),
});

/** A tensor of `shape` filled with `value`. */
export function full(shape: Shape, value: number, dtype: DType): Tensor {
  return apply(FULL, [], { value, dtype, shape });
}

/** A plain number as a zero-dimensional operand. */
export function scalarLike(value: number, dtype: DType): Tensor {
  return full([], value, dtype);
}
