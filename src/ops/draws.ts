/** Random numbers drawn from the generator: uniform, normal, and integers. */

import { type DType, isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { finfo } from '../base/finfo.ts';
import { isHalfWidth } from '../base/half-width.ts';
import { checkShape, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { nextStream } from '../core/random.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { named } from './named.ts';
import { add, cast, floor, mul } from './pointwise.ts';
import { checkDType, finish } from './tensor-options.ts';

const PHILOX = defineOp<{
  fn: 'uniform' | 'normal' | 'bits';
  offset: number;
  shape: Shape;
  dtype: DType;
}>({
  name: 'philox',
  kind: 'random',
  vjp: 'nondiff',
  infer(_, { shape, dtype }) {
    checkShape('philox', shape);
    return [{ dtype, shape }];
  },
  lower: ({ attrs: { fn, offset } }) => ({ kernel: 'philox', attrs: { fn, offset } }),
});

/** Elements of the next random stream. */
function drawn(fn: 'uniform' | 'normal' | 'bits', shape: Shape, dtype: DType): Tensor {
  if (fn === 'uniform' && isHalfWidth(dtype)) return cutOff(drawn(fn, shape, 'float32'), dtype);
  const { seed, counter, offset } = nextStream();
  return apply(PHILOX, [seed, counter], { fn, offset, shape, dtype });
}

/** Numbers in [0, 1) without the digits that `dtype` lacks. Rounding would give 1 now and then. */
function cutOff(x: Tensor, dtype: DType): Tensor {
  const step = finfo(dtype).eps / 2;
  return cast(mul(floor(mul(x, 1 / step)), step), dtype);
}

function floating(op: string, dtype: DType): DType {
  if (isFloating(checkDType(op, dtype))) return dtype;
  throw opError(DTypeError, op, `needs a floating dtype, got ${dtype}`);
}

const drawing = (op: string, fn: 'uniform' | 'normal') =>
  named(
    op,
    ['*size', 'dtype', 'requires_grad'],
    (size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(drawn(fn, size, floating(op, dtype ?? 'float32')), { requires_grad }),
  );

const drawingLike = (op: string, fn: 'uniform' | 'normal') =>
  named(
    op,
    ['input', 'dtype', 'requires_grad'],
    (input: Tensor, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(drawn(fn, input.shape, floating(op, dtype ?? input.dtype)), { requires_grad }),
  );

/** Uniform random numbers in [0, 1). https://pytorch.org/docs/stable/generated/torch.rand.html */
export const rand = drawing('rand', 'uniform');

/**
 * `rand` in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.rand_like.html
 */
export const randLike = drawingLike('rand_like', 'uniform');

/** Standard normal random numbers. https://pytorch.org/docs/stable/generated/torch.randn.html */
export const randn = drawing('randn', 'normal');

/**
 * `randn` in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.randn_like.html
 */
export const randnLike = drawingLike('randn_like', 'normal');

/** Random integers from `low` to below `high`. */
function integers(op: string, low: number, high: number, shape: Shape, dtype: DType): Tensor {
  const count = high - low;
  if (!Number.isInteger(low) || !Number.isInteger(high) || count < 1 || count > 2 ** 32) {
    throw opError(ArgumentError, op, `no integers to draw from ${low} to below ${high}`);
  }
  const bits = cast(drawn('bits', shape, 'int64'), 'float64');
  return cast(add(floor(mul(bits, count / 2 ** 32)), low), checkDType(op, dtype));
}

/**
 * Random integers from `low` (0) to below `high`: `randint(high, size)`, `randint(low, high,
 * size)`.
 * https://pytorch.org/docs/stable/generated/torch.randint.html
 */
export const randint = named(
  'randint',
  ['low', 'high', 'size', 'dtype', 'requires_grad'],
  (
    low: number,
    high: number | Shape,
    size: Shape | null = null,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const bounds = typeof high === 'number' ? ([low, high] as const) : ([0, low] as const);
    const shape = typeof high === 'number' ? size : high;
    if (shape === null) throw opError(ArgumentError, 'randint', 'size is missing');
    const made = integers('randint', ...bounds, shape, dtype ?? 'int64');
    return finish(made, { requires_grad });
  },
);

/**
 * `randint` in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.randint_like.html
 */
export const randintLike = named(
  'randint_like',
  ['input', 'low', 'high', 'dtype'],
  (input: Tensor, low: number, high: number | null = null, dtype: DType | null = null): Tensor => {
    const bounds = high === null ? ([0, low] as const) : ([low, high] as const);
    return integers('randint_like', ...bounds, input.shape, dtype ?? input.dtype);
  },
);

/** Random words of 32 bits, as int64. */
export const randomWords = (shape: Shape): Tensor => drawn('bits', shape, 'int64');
