/**
 * The largest and the smallest elements with their places, and reductions to a truth or a count.
 */

import { type DType, isFloating } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { gather } from './indexing.ts';
import { squeeze } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { cast, div, isnan, logicalNot, maximum, minimum, ne, where } from './pointwise.ts';
import { amax, amin, argmax, argmin, type Dims, sum } from './reduction.ts';

/** Elements along a dimension, and their int64 places in it. */
export type ValuesAndIndices = [values: Tensor, indices: Tensor];

/** What `max` and `min` are called with beside the input: a tensor, a dimension, or nothing. */
export interface ExtremeFunction {
  /** Of all elements; equal ones share the gradient. */
  (input: Tensor): Tensor;
  /** Along a dimension; the gradient goes to the first of equal ones. */
  (input: Tensor, dim: number, keepdim?: boolean): ValuesAndIndices;
  (input: Tensor, options: { dim: number; keepdim?: boolean }): ValuesAndIndices;
  /** Of two tensors, element by element. */
  (input: Tensor, other: Tensor): Tensor;
}

function extremeFunction(
  op: string,
  ofAll: (x: Tensor) => Tensor,
  place: (x: Tensor, dim: number, keepdim: boolean) => Tensor,
  ofTwo: (a: Tensor, b: Tensor) => Tensor,
): ExtremeFunction {
  return named(
    op,
    ['input', 'dim', 'keepdim'],
    (input: Tensor, dim: number | Tensor | null = null, keepdim = false) => {
      requireTensors(op, { input });
      if (dim instanceof Tensor) return ofTwo(input, dim);
      if (dim === null) return ofAll(input);
      const at = normalizeDim(op, dim, input.ndim);
      if (input.shape[at] === 0) {
        const given = formatShape(input.shape);
        throw opError(ArgumentError, op, `dimension ${dim} of ${given} has no element`);
      }
      const indices = place(input, at, true);
      const values = gather(input, at, indices);
      return keepdim ? [values, indices] : [squeeze(values, at), squeeze(indices, at)];
    },
  ) as unknown as ExtremeFunction;
}

/**
 * The largest element, or the largest ones along `dim` with their places; or of two tensors. NaN
 * wins.
 * https://pytorch.org/docs/stable/generated/torch.max.html
 */
export const max = extremeFunction('max', (x) => amax(x), argmax, maximum);

/**
 * The smallest element, or the smallest ones along `dim` with their places; or of two tensors. NaN
 * wins.
 * https://pytorch.org/docs/stable/generated/torch.min.html
 */
export const min = extremeFunction('min', (x) => amin(x), argmin, minimum);

/**
 * The smallest and the largest element, of all or along `dim`; equal ones share the gradient.
 * https://pytorch.org/docs/stable/generated/torch.aminmax.html
 */
export const aminmax = named(
  'aminmax',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: number | null = null, keepdim = false): [min: Tensor, max: Tensor] => {
    requireTensors('aminmax', { input });
    return [amin(input, dim, keepdim), amax(input, dim, keepdim)];
  },
);

// ---- truths and counts -------------------------------------------------------------------------

type SomeDims = Dims | null;

/** How many elements differ from zero, of all or along `dim`, as int64. */
export const countNonzero = named(
  'count_nonzero',
  ['input', 'dim'],
  (input: Tensor, dim: SomeDims = null): Tensor => {
    requireTensors('count_nonzero', { input });
    return sum(ne(input, 0), dim);
  },
);

/** uint8 gives uint8, as in PyTorch; anything else bool. */
const truth = (x: Tensor, found: Tensor) => (x.dtype === 'uint8' ? cast(found, 'uint8') : found);

/**
 * Is any element true, of all or along `dim`? Of nothing, none is.
 * https://pytorch.org/docs/stable/generated/torch.any.html
 */
export const any = named(
  'any',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: SomeDims = null, keepdim = false): Tensor => {
    requireTensors('any', { input });
    return truth(input, ne(sum(ne(input, 0), dim, keepdim), 0));
  },
);

/**
 * Are all elements true, of all or along `dim`? Of nothing, all are.
 * https://pytorch.org/docs/stable/generated/torch.all.html
 */
export const all = named(
  'all',
  ['input', 'dim', 'keepdim'],
  (input: Tensor, dim: SomeDims = null, keepdim = false): Tensor => {
    requireTensors('all', { input });
    return truth(input, logicalNot(ne(sum(logicalNot(ne(input, 0)), dim, keepdim), 0)));
  },
);

// ---- without NaN -------------------------------------------------------------------------------

/**
 * The sum, in which NaN counts as 0.
 * https://pytorch.org/docs/stable/generated/torch.nansum.html
 */
export const nansum = named(
  'nansum',
  ['input', 'dim', 'keepdim', 'dtype'],
  (input: Tensor, dim: SomeDims = null, keepdim = false, dtype: DType | null = null): Tensor => {
    requireTensors('nansum', { input });
    const x = isFloating(input.dtype) ? where(isnan(input), 0, input) : input;
    return sum(x, dim, keepdim, dtype);
  },
);

/**
 * The mean of those that are no NaN.
 * https://pytorch.org/docs/stable/generated/torch.nanmean.html
 */
export const nanmean = named(
  'nanmean',
  ['input', 'dim', 'keepdim', 'dtype'],
  (input: Tensor, dim: SomeDims = null, keepdim = false, dtype: DType | null = null): Tensor => {
    const total = nansum(input, dim, keepdim, dtype);
    if (!isFloating(total.dtype)) {
      throw opError(ArgumentError, 'nanmean', `needs floating point numbers, got ${input.dtype}`);
    }
    return div(total, sum(logicalNot(isnan(input)), dim, keepdim).detach());
  },
);
