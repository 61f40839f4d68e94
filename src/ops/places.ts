/** Where elements stand, as coordinates. */

import { category } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { checkShape, contiguousStrides, formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { remainder } from './arithmetic.ts';
import { full } from './constant.ts';
import { scatter } from './indexing.ts';
import { stack } from './joining.ts';
import { flatten, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { cast, div, le, logicalAnd, lt, ne, sub, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { cumsum } from './scanning.ts';
import { narrow } from './slicing.ts';

/**
 * `nonzero` of a size known beforehand, (size, rank): the first `size` places, or `fill_value`
 * where there are fewer. https://pytorch.org/docs/stable/generated/torch.nonzero_static.html
 */
export const nonzeroStatic = named(
  'nonzero_static',
  ['input', 'size', 'fill_value'],
  (input: Tensor, size: number, fill_value = -1): Tensor => {
    checkShape('nonzero_static', [size]);
    const strides = contiguousStrides(input.shape);
    if (strides.length === 0) return full([size, 0], 0, 'int64');
    const isFound = flatten(ne(input, 0));
    const number = cumsum(cast(isFound, 'int64'), 0);
    // What is not wanted goes to a place behind the others.
    const target = where(logicalAnd(isFound, le(number, size)), sub(number, 1), size);
    const start = full([size + 1], -1, 'int64');
    const all = scatter(start, 0, target, arange(input.numel(), { dtype: 'int64' }));
    const found = narrow(all, 0, 0, size);
    const coordinates = strides.map((stride, d) =>
      remainder(div(found, stride, 'floor'), input.shape[d]!),
    );
    return where(unsqueeze(lt(found, 0), 1), fill_value, stack(coordinates, 1));
  },
);

/**
 * The coordinates, one tensor for each size of `shape`, of places in a flat tensor of that shape.
 * https://pytorch.org/docs/stable/generated/torch.unravel_index.html
 */
export const unravelIndex = named(
  'unravel_index',
  ['indices', 'shape'],
  (indices: Tensor, shape: number | readonly (number | bigint)[]): Tensor[] => {
    if (category(indices.dtype) !== 'integer') {
      const message = `indices must be integers, got ${indices.dtype}`;
      throw opError(DTypeError, 'unravel_index', message);
    }
    const sizes = (typeof shape === 'number' ? [shape] : shape).map(Number);
    if (sizes.some((size) => !Number.isInteger(size) || size < 0)) {
      const message = `sizes must be non-negative integers, got ${formatShape(sizes)}`;
      throw opError(ArgumentError, 'unravel_index', message);
    }
    return contiguousStrides(sizes).map((stride, d) => {
      const place = div(indices, Math.max(1, stride), 'floor');
      // What is too large for a number of JavaScript no index exceeds.
      const isLimited = sizes[d]! > 0 && sizes[d]! <= Number.MAX_SAFE_INTEGER;
      return isLimited ? remainder(place, sizes[d]!) : place;
    });
  },
);
