/** Distinct elements, and how often they come. The values are read. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { indexSelect } from './choosing.ts';
import { full } from './constant.ts';
import { movedim } from './dimensions.ts';
import { tensor } from './host-data.ts';
import { scatterSum } from './indexing.ts';
import { hostValues } from './masking.ts';
import { flatten, reshape } from './movement.ts';
import { named } from './named.ts';
import { cast } from './pointwise.ts';

type Values = ReturnType<Tensor['dataSync']>;

/**
 * Below 0, 0 or above where row `a` of `width` elements comes before, is equal to or follows row
 * `b`.
 */
function compareRows(values: Values, width: number, a: number, b: number): number {
  for (let i = 0; i < width; i++) {
    const [x, y] = [values[a * width + i]!, values[b * width + i]!];
    if (x < y) return -1;
    // NaN is equal to nothing, and the largest.
    if (x !== y) return x > y || !Number.isNaN(Number(y)) ? 1 : -1;
  }
  return 0;
}

/**
 * The first row of each group of equal ones that `order` brings together, and every row's group.
 */
function grouped(order: readonly number[], equal: (a: number, b: number) => boolean) {
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Array<number>(order.length);
  for (const [i, row] of order.entries()) {
    if (i === 0 || !equal(order[i - 1]!, row)) {
      firsts.push(row);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[row] = firsts.length - 1;
  }
  return { firsts, counts, inverse };
}

const integers = (list: readonly number[]) =>
  tensor(list, { dtype: 'int64', shape: [list.length] });

interface Wanted {
  readonly sorted: boolean;
  readonly inverse: boolean;
  readonly counts: boolean;
  readonly dim: number | null;
}

function distinct(op: string, input: Tensor, wanted: Wanted): Tensor | Tensor[] {
  const at = wanted.dim === null ? 0 : normalizeDim(op, wanted.dim, input.ndim);
  const source = wanted.dim === null || input.ndim === 0 ? flatten(input) : input;
  const rows = movedim(source, at, 0);
  const values = hostValues(op, rows);
  const count = rows.shape[0]!;
  const width = count === 0 ? 0 : rows.numel() / count;
  const compare = (a: number, b: number) => compareRows(values, width, a, b);
  const order = Array.from({ length: count }, (_, i) => i);
  if (wanted.sorted) order.sort((a, b) => compare(a, b) || a - b);
  const found = grouped(order, (a, b) => compare(a, b) === 0);
  const inverse = integers(found.inverse);
  const results = [indexSelect(source, at, integers(found.firsts))];
  if (wanted.inverse) results.push(wanted.dim === null ? reshape(inverse, input.shape) : inverse);
  if (wanted.counts) results.push(integers(found.counts));
  return results.length === 1 ? results[0]! : results;
}

/**
 * The distinct elements, or parts along `dim`, in ascending order; with `return_inverse` where each
 * element is found among them, with `return_counts` how often each comes.
 * https://pytorch.org/docs/stable/generated/torch.unique.html
 */
export const unique = named(
  'unique',
  ['input', 'sorted', 'return_inverse', 'return_counts', 'dim'],
  (
    input: Tensor,
    _sorted = true,
    return_inverse = false,
    return_counts = false,
    dim: number | null = null,
  ): Tensor | Tensor[] =>
    distinct('unique', input, {
      sorted: true,
      inverse: return_inverse,
      counts: return_counts,
      dim,
    }),
);

/**
 * As `unique`, but only neighbours that are equal are made one, and the order stays.
 * https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
 */
export const uniqueConsecutive = named(
  'unique_consecutive',
  ['input', 'return_inverse', 'return_counts', 'dim'],
  (
    input: Tensor,
    return_inverse = false,
    return_counts = false,
    dim: number | null = null,
  ): Tensor | Tensor[] =>
    distinct('unique_consecutive', input, {
      sorted: false,
      inverse: return_inverse,
      counts: return_counts,
      dim,
    }),
);

const isCount = (x: number) => Number.isInteger(x) && x >= 0;

/**
 * How often each integer from 0 to the largest comes, or the sum of the `weights` of those
 * elements.
 * https://pytorch.org/docs/stable/generated/torch.bincount.html
 */
export const bincount = named(
  'bincount',
  ['input', 'weights', 'minlength'],
  (input: Tensor, weights: Tensor | null = null, minlength = 0): Tensor => {
    if (input.ndim !== 1 || (weights !== null && weights.numel() !== input.numel())) {
      const message = `needs a vector and as many weights, got ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'bincount', message);
    }
    const values = Array.from(hostValues('bincount', input), Number);
    if (!values.every(isCount) || !isCount(minlength)) {
      throw opError(
        ArgumentError,
        'bincount',
        'values and minlength must be non-negative integers',
      );
    }
    const size = values.reduce((most, x) => Math.max(most, x + 1), minlength);
    if (values.length === 0) return full([size], 0, 'int64');
    const ones = full([values.length], 1, 'int64');
    const sums = weights?.dtype === 'float32' ? weights : weights && cast(weights, 'float64');
    return scatterSum([size], 0, cast(input, 'int64'), sums ?? ones);
  },
);
