/** Where values stand in sorted rows. */

import { promoteTypes } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import { clampMax } from './arithmetic.ts';
import { scalarOf } from './choosing.ts';
import { full } from './constant.ts';
import { defineOp } from './define.ts';
import { gather } from './indexing.ts';
import { flatten, reshape } from './movement.ts';
import { named } from './named.ts';
import { cast, eq, logicalAnd, logicalNot, lt } from './pointwise.ts';
import { sort } from './sorting.ts';

const SEARCH = defineOp<{ right: boolean }>({
  name: 'search_sorted',
  kind: 'indexing',
  vjp: 'nondiff',
  infer: ([, values]) => [{ dtype: 'int64', shape: values!.shape }],
  lower: ({ attrs }) => ({ kernel: 'search_sorted', attrs }),
});

/**
 * How many elements of each row of `sorted_sequence`, which ascends, are smaller than each value of
 * `input`; with `right` (or side `right`) not larger. `sorter` gives the order of rows that are not
 * sorted.
 * https://pytorch.org/docs/stable/generated/torch.searchsorted.html
 */
export const searchsorted = named(
  'searchsorted',
  ['sorted_sequence', 'input', 'out_int32', 'right', 'side', 'sorter'],
  (
    sorted_sequence: Tensor,
    input: Tensor | number,
    out_int32 = false,
    right = false,
    side: 'left' | 'right' | null = null,
    sorter: Tensor | null = null,
  ): Tensor => {
    if ((side !== null && side !== 'left' && side !== 'right') || (side === 'left' && right)) {
      throw opError(ArgumentError, 'searchsorted', `side ${side} and right ${right} do not agree`);
    }
    const values =
      typeof input === 'number' ? scalarOf('searchsorted', input, sorted_sequence.dtype) : input;
    const rows = sorter === null ? sorted_sequence : inOrder(sorted_sequence, sorter);
    const found = search(rows, values, right || side === 'right');
    return out_int32 ? cast(found, 'int32') : found;
  },
);

function inOrder(rows: Tensor, sorter: Tensor): Tensor {
  if (sorter.dtype === 'int64' && sameShape(sorter.shape, rows.shape))
    return gather(rows, -1, sorter);
  const message = `sorter must be int64 of shape ${formatShape(rows.shape)}, got ${sorter.dtype} ${formatShape(sorter.shape)}`;
  throw opError(ShapeError, 'searchsorted', message);
}

function search(rows: Tensor, values: Tensor, right: boolean): Tensor {
  if (rows.dtype !== values.dtype) {
    const message = `rows and values must have one dtype, got ${rows.dtype} and ${values.dtype}`;
    throw opError(DTypeError, 'searchsorted', message);
  }
  if (rows.ndim === 1) {
    return reshape(apply(SEARCH, [rows, flatten(values)], { right }), values.shape);
  }
  const isBatch =
    rows.ndim > 0 &&
    sameShape(rows.shape.slice(0, -1), values.shape.slice(0, -1)) &&
    values.ndim > 0;
  if (isBatch) return apply(SEARCH, [rows, values], { right });
  const message = `rows ${formatShape(rows.shape)} and values ${formatShape(values.shape)} must differ in the last dimension only`;
  throw opError(ShapeError, 'searchsorted', message);
}

/**
 * The number of the bucket that each element falls in, between `boundaries`, which ascend.
 * https://pytorch.org/docs/stable/generated/torch.bucketize.html
 */
export const bucketize = named(
  'bucketize',
  ['input', 'boundaries', 'out_int32', 'right'],
  (input: Tensor | number, boundaries: Tensor, out_int32 = false, right = false): Tensor => {
    if (boundaries.ndim === 1) return searchsorted(boundaries, input, out_int32, right);
    const message = `boundaries must have one dimension, got ${formatShape(boundaries.shape)}`;
    throw opError(ShapeError, 'bucketize', message);
  },
);

/**
 * Is each element among `test_elements`? With `invert`: is it not?
 * https://pytorch.org/docs/stable/generated/torch.isin.html
 */
export const isin = named(
  'isin',
  ['elements', 'test_elements', 'assume_unique', 'invert'],
  (
    elements: Tensor | number,
    test_elements: Tensor | number,
    _assume_unique = false,
    invert = false,
  ): Tensor => {
    const [a, b] = bothTensors(elements, test_elements);
    const dtype = promoteTypes(a.dtype, b.dtype);
    const found = contains(flatten(cast(b, dtype)), cast(a, dtype));
    return invert ? logicalNot(found) : found;
  },
);

function bothTensors(a: Tensor | number, b: Tensor | number): [Tensor, Tensor] {
  if (a instanceof Tensor) return [a, b instanceof Tensor ? b : scalarOf('isin', b, a.dtype)];
  if (b instanceof Tensor) return [scalarOf('isin', a, b.dtype), b];
  throw opError(ArgumentError, 'isin', 'elements or test_elements must be a tensor');
}

function contains(set: Tensor, x: Tensor): Tensor {
  const count = set.numel();
  if (count === 0) return full(x.shape, 0, 'bool');
  const [sorted] = sort(set.detach());
  const place = searchsorted(sorted, x);
  const nearest = gather(sorted, 0, flatten(clampMax(place, count - 1)));
  return logicalAnd(lt(place, count), eq(reshape(nearest, x.shape), x));
}
