/** Elements in order: the first few, the k-th, the one in the middle. NaN is the largest. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import { applyAll } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { gather, scatterSum } from './indexing.ts';
import { flatten, reshape, transpose, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { constantPadNd } from './padding.ts';
import { cast, eq, isnan, logicalNot, ne, sub, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { argmax, sum } from './reduction.ts';
import { cummax } from './scanning.ts';
import { narrow, select } from './slicing.ts';

interface SortAttrs {
  readonly descending: boolean;
  readonly count: number;
}

const SORT = defineOp<SortAttrs>({
  name: 'sort',
  kind: 'indexing',
  vjp: ({ grads, inputs, outputs }) => {
    const { shape } = inputs[0]!;
    return [grads[0] ? scatterSum(shape, shape.length - 1, outputs[1]!, grads[0]) : null];
  },
  infer([input], { count }) {
    const shape = [...input!.shape.slice(0, -1), count];
    return [
      { dtype: input!.dtype, shape },
      { dtype: 'int64', shape },
    ];
  },
  lower: ({ attrs }) => ({ kernel: 'sort', attrs }),
});

/**
 * The first `count` elements along `dim` in order, and where they stood; all where none is given.
 */
function ordered(
  op: string,
  x: Tensor,
  dim: number,
  descending: boolean,
  count?: number,
): [Tensor, Tensor] {
  const at = normalizeDim(op, dim, x.ndim);
  const rows = x.ndim === 0 ? reshape(x, [1]) : transpose(x, at, -1);
  const found = applyAll(SORT, [rows], { descending, count: count ?? rows.shape.at(-1)! });
  const back = (t: Tensor) => {
    if (x.ndim > 0) return transpose(t, at, -1);
    return t.numel() === 1 ? reshape(t, []) : t;
  };
  return [back(found[0]!), back(found[1]!)];
}

/**
 * The elements along `dim` in order, and where they stood. Equal elements always keep their order.
 * https://pytorch.org/docs/stable/generated/torch.sort.html
 */
export const sort = named(
  'sort',
  ['input', 'dim', 'descending', 'stable'],
  (input: Tensor, dim = -1, descending = false, _stable = false): [Tensor, Tensor] =>
    ordered('sort', input, dim, descending),
);

/**
 * Where the elements in order stood. https://pytorch.org/docs/stable/generated/torch.argsort.html
 */
export const argsort = named(
  'argsort',
  ['input', 'dim', 'descending', 'stable'],
  (input: Tensor, dim = -1, descending = false, _stable = false): Tensor =>
    ordered('argsort', input, dim, descending)[1],
);

/**
 * The elements along the first dimension in order.
 * https://pytorch.org/docs/stable/generated/torch.msort.html
 */
export const msort = named(
  'msort',
  ['input'],
  (input: Tensor): Tensor => ordered('msort', input, 0, false)[0],
);

/**
 * The `k` largest (or smallest) elements along `dim`, and where they stood, in order.
 * https://pytorch.org/docs/stable/generated/torch.topk.html
 */
export const topk = named(
  'topk',
  ['input', 'k', 'dim', 'largest', 'sorted'],
  (input: Tensor, k: number, dim = -1, largest = true, _sorted = true): [Tensor, Tensor] => {
    const size = input.shape[normalizeDim('topk', dim, input.ndim)] ?? 1;
    if (!Number.isInteger(k) || k < 0 || k > size) {
      throw opError(
        ArgumentError,
        'topk',
        `k ${k} is out of range for dimension ${dim} of size ${size}`,
      );
    }
    return ordered('topk', input, dim, largest, k);
  },
);

/** One element of every row: the values and indices without `dim`, or with it of size 1. */
function reduced([values, indices]: [Tensor, Tensor], dim: number, keepdim: boolean) {
  if (keepdim || values.ndim === 0) return [values, indices] as [Tensor, Tensor];
  return [select(values, dim, 0), select(indices, dim, 0)] as [Tensor, Tensor];
}

function checkRow(op: string, input: Tensor, dim: number): number {
  const size = input.shape[normalizeDim(op, dim, input.ndim)] ?? 1;
  if (size > 0) return size;
  const message = `dimension ${dim} of ${formatShape(input.shape)} has no elements`;
  throw opError(ShapeError, op, message);
}

/**
 * The `k`-th smallest element along `dim` (the first is 1), and where it stood.
 * https://pytorch.org/docs/stable/generated/torch.kthvalue.html
 */
export const kthvalue = named(
  'kthvalue',
  ['input', 'k', 'dim', 'keepdim'],
  (input: Tensor, k: number, dim = -1, keepdim = false): [Tensor, Tensor] => {
    const size = checkRow('kthvalue', input, dim);
    if (!Number.isInteger(k) || k < 1 || k > size) {
      const message = `k ${k} is out of range for dimension ${dim} of size ${size}`;
      throw opError(ArgumentError, 'kthvalue', message);
    }
    const [values, indices] = ordered('kthvalue', input, dim, false, k);
    if (input.ndim === 0) return [values, indices];
    const last = (t: Tensor) => narrow(t, dim, k - 1, 1);
    return reduced([last(values), last(indices)], dim, keepdim);
  },
);

// ---- medians -----------------------------------------------------------------------------------

/** The lower median of each row without its NaN, or NaN where `propagates`; where it stands. */
function medianAlong(
  op: string,
  input: Tensor,
  dim: number,
  keepdim: boolean,
  propagates: boolean,
) {
  checkRow(op, input, dim);
  if (input.ndim === 0) return ordered(op, input, dim, false);
  const [values, indices] = ordered(op, input, dim, false);
  const size = input.shape[normalizeDim(op, dim, input.ndim)]!;
  const place = medianPlace(input, dim, size, propagates);
  return reduced([gather(values, dim, place), gather(indices, dim, place)], dim, keepdim);
}

function medianPlace(input: Tensor, dim: number, size: number, propagates: boolean): Tensor {
  // Sorted, the numbers come first and NaN behind them.
  const numbers = isFloating(input.dtype)
    ? sum(cast(logicalNot(isnan(input)), 'int64'), dim, true)
    : sum(cast(eq(input, input), 'int64'), dim, true);
  const middle = cast(cast(sub(numbers, 1), 'float64').div(2).floor(), 'int64');
  const place = where(numbers.eq(0), 0, middle);
  return propagates ? where(ne(numbers, size), numbers, place) : place;
}

const medianOf = (op: string, propagates: boolean) => {
  const along = named(
    op,
    ['input', 'dim', 'keepdim'],
    (input: Tensor, dim: number | null = null, keepdim = false): Tensor | [Tensor, Tensor] => {
      if (dim !== null) return medianAlong(op, input, dim, keepdim, propagates);
      if (input.numel() === 0) return nothingsMedian(input);
      return medianAlong(op, flatten(input), 0, false, propagates)[0];
    },
  );
  return along as typeof along & Median;
};

interface Median {
  (input: Tensor): Tensor;
  (input: Tensor, dim: number, keepdim?: boolean): [Tensor, Tensor];
}

/** Of nothing: NaN. */
function nothingsMedian(x: Tensor): Tensor {
  return sum(x).div(0).to(x.dtype);
}

/**
 * The lower median of all elements, or along `dim` with where it stands. NaN where there is one.
 * https://pytorch.org/docs/stable/generated/torch.median.html
 */
export const median = medianOf('median', true);
/**
 * The same of the elements that are not NaN.
 * https://pytorch.org/docs/stable/generated/torch.nanmedian.html
 */
export const nanmedian = medianOf('nanmedian', false);

// ---- the most frequent -------------------------------------------------------------------------

/**
 * The most frequent element along `dim`, the smallest of several, and the last place where it
 * stands.
 * https://pytorch.org/docs/stable/generated/torch.mode.html
 */
export const mode = named(
  'mode',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim = -1, keepdim = false): [Tensor, Tensor] => {
    const size = checkRow('mode', input, dim);
    if (input.ndim === 0) return ordered('mode', input, dim, false);
    const at = normalizeDim('mode', dim, input.ndim);
    const rows = transpose(input, at, -1);
    const [values, indices] = ordered('mode', rows, -1, false);
    const place = arange(size);
    const before = constantPadNd(narrow(values, -1, 0, size - 1), [1, 0]);
    const begins = ne(values, before).logicalOr(eq(place, 0));
    // How many equal elements there are up to each: the first largest count ends the run.
    const [start] = cummax(where(begins, place, 0), -1);
    const last = unsqueeze(argmax(sub(place, start), -1), -1);
    const found = [gather(values, -1, last), gather(indices, -1, last)].map((t) =>
      transpose(t, at, -1),
    );
    return reduced(found as [Tensor, Tensor], at, keepdim);
  },
);
