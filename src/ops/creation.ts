/** Tensors of constants: zeros, ones, one number, the identity. */

import type { DType } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, formatShape, type Shape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { full as fullOf } from './constant.ts';
import { expand, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { cast, eq } from './pointwise.ts';
import { arange } from './ranges.ts';
import { checkDType, finish } from './tensor-options.ts';

const filled = (op: string, value: number) =>
  named(
    op,
    ['*size', 'dtype', 'requires_grad'],
    (size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(fullOf(size, value, checkDType(op, dtype ?? 'float32')), { requires_grad }),
  );

/**
 * Zeros, float32 unless said otherwise. https://pytorch.org/docs/stable/generated/torch.zeros.html
 */
export const zeros = filled('zeros', 0);

/** Ones. https://pytorch.org/docs/stable/generated/torch.ones.html */
export const ones = filled('ones', 1);

/**
 * Memory is never left as it is found here: zeros.
 * https://pytorch.org/docs/stable/generated/torch.empty.html
 */
export const empty = filled('empty', 0);

/**
 * A tensor of `size` filled with `fill_value` (float32 unless said otherwise).
 * https://pytorch.org/docs/stable/generated/torch.full.html
 */
export const full = named(
  'full',
  ['size', 'fill_value', 'dtype', 'requires_grad'],
  (size: Shape, fill_value: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    finish(fullOf(size, fill_value, checkDType('full', dtype ?? 'float32')), { requires_grad }),
);

const filledLike = (op: string, value: number) =>
  named(
    op,
    ['input', 'dtype', 'requires_grad'],
    (input: Tensor, dtype: DType | null = null, requires_grad = false): Tensor =>
      full(input.shape, value, dtype ?? input.dtype, requires_grad),
  );

/**
 * Zeros in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.zeros_like.html
 */
export const zerosLike = filledLike('zeros_like', 0);

/**
 * Ones in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.ones_like.html
 */
export const onesLike = filledLike('ones_like', 1);

/** `zerosLike`. https://pytorch.org/docs/stable/generated/torch.empty_like.html */
export const emptyLike = filledLike('empty_like', 0);

/**
 * One number in the shape and dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.full_like.html
 */
export const fullLike = named(
  'full_like',
  ['input', 'fill_value', 'dtype', 'requires_grad'],
  (input: Tensor, fill_value: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    full(input.shape, fill_value, dtype ?? input.dtype, requires_grad),
);

/**
 * `value`, a number or a zero-dimensional tensor, in the shape and dtype of `input`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.fill_.html
 */
export const fill = named(
  'fill',
  ['input', 'value'],
  (input: Tensor, value: number | boolean | Tensor): Tensor => {
    if (!(value instanceof Tensor)) return fullOf(input.shape, Number(value), input.dtype);
    if (value.ndim === 0) return expand(cast(value, input.dtype), input.shape);
    const given = formatShape(value.shape);
    throw opError(ShapeError, 'fill', `value must have no dimension, got ${given}`);
  },
);

const filledNew = (op: string, value: number) =>
  named(
    op,
    ['input', '*size', 'dtype', 'requires_grad'],
    (input: Tensor, size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      full(size, value, dtype ?? input.dtype, requires_grad),
  );

/**
 * Zeros in the dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.new_zeros.html
 */
export const newZeros = filledNew('new_zeros', 0);

/**
 * Ones in the dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.new_ones.html
 */
export const newOnes = filledNew('new_ones', 1);

/** `newZeros`. https://pytorch.org/docs/stable/generated/torch.Tensor.new_empty.html */
export const newEmpty = filledNew('new_empty', 0);

/**
 * One number in the dtype of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.new_full.html
 */
export const newFull = named(
  'new_full',
  ['input', 'size', 'fill_value', 'dtype', 'requires_grad'],
  (
    input: Tensor,
    size: Shape,
    fill_value: number,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => full(size, fill_value, dtype ?? input.dtype, requires_grad),
);

/**
 * `empty`; how the dimensions lie in memory is the engine's affair.
 * https://pytorch.org/docs/stable/generated/torch.empty_permuted.html
 */
export const emptyPermuted = named(
  'empty_permuted',
  ['size', 'physical_layout', 'dtype', 'requires_grad'],
  (
    size: Shape,
    physical_layout: readonly number[],
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const isOrder =
      physical_layout.length === size.length &&
      size.every((_, dim) => physical_layout.includes(dim));
    if (isOrder) return empty(size, { dtype, requires_grad });
    const message = `physical_layout [${physical_layout.join(', ')}] is no order of ${size.length} dimensions`;
    throw opError(ArgumentError, 'empty_permuted', message);
  },
);

/**
 * A zero-dimensional tensor of a number.
 * https://pytorch.org/docs/stable/generated/torch.scalar_tensor.html
 */
export const scalarTensor = named(
  'scalar_tensor',
  ['s', 'dtype', 'requires_grad'],
  (s: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    full([], s, dtype, requires_grad),
);

/**
 * The matrix of `n` rows and `m` columns (as many) with ones on its diagonal.
 * https://pytorch.org/docs/stable/generated/torch.eye.html
 */
export const eye = named(
  'eye',
  ['n', 'm', 'dtype', 'requires_grad'],
  (
    n: number,
    m: number | null = null,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    checkShape('eye', [n, m ?? n]);
    const diagonal = eq(unsqueeze(arange(n), 1), arange(m ?? n));
    return finish(cast(diagonal, checkDType('eye', dtype ?? 'float32')), { requires_grad });
  },
);
