/** Elements chosen by truth values. */

import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { broadcastShapes, contiguousStrides } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { forbidReading } from '../core/trace.ts';
import { scalarOf } from './choosing.ts';
import { full } from './constant.ts';
import { rowsAt } from './embedding.ts';
import { tensor } from './host-data.ts';
import { expand, flatten, reshape, unsqueeze } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { cast, eq, type Operand, where as select, sub } from './pointwise.ts';
import { arange } from './ranges.ts';
import { cumsum } from './scanning.ts';
import { unbind } from './splitting.ts';

/**
 * The contents of `x`, for functions whose result's size depends on them. Throws CompileError while
 * a step is being compiled.
 */
export function hostValues(op: string, x: Tensor) {
  forbidReading(op);
  return x.dataSync();
}

function checkMask(op: string, mask: Tensor): void {
  if (mask.dtype === 'bool') return;
  throw opError(DTypeError, op, `mask must be a bool tensor, got ${mask.dtype}`);
}

/** Both in their common shape. */
function together(op: string, x: Tensor, mask: Tensor): [Tensor, Tensor] {
  checkMask(op, mask);
  const shape = broadcastShapes(op, x.shape, mask.shape);
  return [expand(x, shape), expand(mask, shape)];
}

/**
 * `input` with `value`, a number or a zero-dimensional tensor, where `mask` is true.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.masked_fill_.html
 */
export const maskedFill = named(
  'masked_fill',
  ['input', 'mask', 'value'],
  (input: Tensor, mask: Tensor, value: Tensor | number): Tensor => {
    checkMask('masked_fill', mask);
    return select(mask, scalarOf('masked_fill', value, input.dtype), input);
  },
);

/**
 * `input` with the elements of `source`, one after the other, where `mask` is true. Too few of them
 * make the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.masked_scatter_.html
 */
export const maskedScatter = named(
  'masked_scatter',
  ['input', 'mask', 'source'],
  (input: Tensor, mask: Tensor, source: Tensor): Tensor => {
    const [x, chosen] = together('masked_scatter', input, mask);
    if (source.dtype !== input.dtype) {
      const message = `source must be ${input.dtype} as the input, got ${source.dtype}`;
      throw opError(DTypeError, 'masked_scatter', message);
    }
    if (x.numel() === 0) return x;
    const place = sub(cumsum(flatten(cast(chosen, 'int64')), 0), 1);
    const from = source.numel() === 0 ? full([1], 0, source.dtype) : flatten(source);
    const taken = rowsAt(from, select(flatten(chosen), place, full([], 0, 'int64')));
    return select(chosen, reshape(taken, x.shape), x);
  },
);

/**
 * The elements where `mask` is true, in a vector. The mask is read.
 * https://pytorch.org/docs/stable/generated/torch.masked_select.html
 */
export const maskedSelect = named(
  'masked_select',
  ['input', 'mask'],
  (input: Tensor, mask: Tensor): Tensor => {
    const [x, chosen] = together('masked_select', input, mask);
    return rowsAt(flatten(x), flatten(places('masked_select', flatten(chosen))));
  },
);

/** The places of what is not zero: int64 (count, rank). */
function places(op: string, x: Tensor): Tensor {
  const values = Array.from(hostValues(op, x), Number);
  const strides = contiguousStrides(x.shape);
  const found: number[] = [];
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    count++;
    for (let d = 0; d < strides.length; d++) {
      found.push(Math.floor(i / strides[d]!) % x.shape[d]!);
    }
  }
  return tensor(found, { dtype: 'int64', shape: [count, x.ndim] });
}

/**
 * The places of the elements that are not zero: int64 (count, rank), or with `as_tuple` a vector
 * for each dimension. The values are read.
 * https://pytorch.org/docs/stable/generated/torch.nonzero.html
 */
export const nonzero = named(
  'nonzero',
  ['input', 'as_tuple'],
  (input: Tensor, as_tuple = false): Tensor | Tensor[] =>
    as_tuple ? nonzeroVectors(input) : places('nonzero', input),
);

/** A vector of indices for each dimension; a number counts as a vector of one. */
export function nonzeroVectors(x: Tensor): Tensor[] {
  return unbind(places('nonzero', x.ndim === 0 ? reshape(x, [1]) : x), 1);
}

/** `nonzero`. https://pytorch.org/docs/stable/generated/torch.argwhere.html */
export const argwhere = named(
  'argwhere',
  ['input'],
  (input: Tensor): Tensor => places('argwhere', input),
);

/**
 * `input` where `condition` is true, else `other`; all three broadcast. Of the condition alone:
 * where it is not zero, as `nonzero` with `as_tuple`.
 * https://pytorch.org/docs/stable/generated/torch.where.html
 */
export const where = Object.assign(chooseOrFind, {
  op: 'where',
  args: ['condition', 'input', 'other'] as const,
});

const choose = named(
  'where',
  ['condition', 'input', 'other'],
  (condition: Tensor, input: Operand, other: Operand): Tensor =>
    select(condition.dtype === 'uint8' ? cast(condition, 'bool') : condition, input, other),
);

type Choice = { readonly input: Operand; readonly other: Operand };
function chooseOrFind(condition: Tensor): Tensor[];
function chooseOrFind(condition: Tensor, input: Operand, other: Operand): Tensor;
function chooseOrFind(condition: Tensor, options: Choice): Tensor;
function chooseOrFind(condition: Tensor, ...rest: unknown[]): Tensor | Tensor[] {
  requireTensors('where', { condition });
  if (rest.length === 0) return nonzeroVectors(condition);
  return (choose as unknown as (...args: unknown[]) => Tensor)(condition, ...rest);
}

/**
 * 0 or 1 in a last dimension of `num_classes`: 1 at the class each element of `tensor` names.
 * Without `num_classes` there is one for each up to the largest, which is read.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
 */
export const oneHot = named(
  'one_hot',
  ['tensor', 'num_classes'],
  (tensor: Tensor, num_classes = -1): Tensor => {
    if (tensor.dtype !== 'int64' && tensor.dtype !== 'int32') {
      throw opError(DTypeError, 'one_hot', `index must be int64 or int32, got ${tensor.dtype}`);
    }
    const classes = num_classes === -1 ? classesOf(tensor) : num_classes;
    if (!Number.isInteger(classes) || classes < 0) {
      const message = `num_classes must be a positive integer or -1, got ${num_classes}`;
      throw opError(ArgumentError, 'one_hot', message);
    }
    return cast(eq(unsqueeze(tensor, -1), arange(classes)), 'int64');
  },
);

function classesOf(index: Tensor): number {
  const classes = Array.from(hostValues('one_hot', index), Number);
  if (classes.length > 0 && classes.every((n) => n >= 0)) {
    return classes.reduce((most, n) => Math.max(most, n), 0) + 1;
  }
  throw opError(
    ArgumentError,
    'one_hot',
    'num_classes of nothing or of negative classes is unknown',
  );
}
