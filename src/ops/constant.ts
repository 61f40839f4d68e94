/** Constants of the graph: the same number everywhere. */

import { category, type DType, toHostArray } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import { isHalfWidth, roundTo } from '../base/half-width.ts';
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

/** A tensor of `shape` filled with `value`, converted to `dtype` as any other contents would be. */
export function full(shape: Shape, value: number, dtype: DType): Tensor {
  return apply(FULL, [], { value: converted(value, dtype), dtype, shape });
}

/** A plain number as a zero-dimensional operand; as in PyTorch, it is not rounded to 16 bits. */
export function scalarLike(value: number, dtype: DType): Tensor {
  return apply(FULL, [], { value, dtype, shape: [] });
}

function converted(value: number, dtype: DType): number {
  if (isHalfWidth(dtype)) return roundTo(dtype, [value])[0]!;
  if (category(dtype) === 'integer' && !Number.isFinite(value)) {
    throw opError(ArgumentError, 'full', `${value} cannot be held in ${dtype}`);
  }
  return Number(toHostArray(dtype, [value])[0]);
}
