/** Windows of a tensor, and products of sets. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { indexSelect } from './choosing.ts';
import { movedim } from './dimensions.ts';
import { tensor } from './host-data.ts';
import { cat, stack } from './joining.ts';
import { expand, flatten, reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, mul } from './pointwise.ts';
import { arange } from './ranges.ts';

/**
 * All windows of `size` elements along `dimension`, `step` apart, each as a new last dimension.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.unfold.html
 */
export const unfold = named(
  'unfold',
  ['input', 'dimension', 'size', 'step'],
  (input: Tensor, dimension: number, size: number, step: number): Tensor => {
    const dim = normalizeDim('unfold', dimension, input.ndim);
    const source = input.ndim === 0 ? reshape(input, [1]) : input;
    const total = source.shape[dim]!;
    if (
      !(Number.isInteger(size) && Number.isInteger(step) && size >= 0 && step > 0 && size <= total)
    ) {
      const message = `windows of ${size} by ${step} do not fit dimension ${dimension} of size ${total}`;
      throw opError(ArgumentError, 'unfold', message);
    }
    const count = Math.floor((total - size) / step) + 1;
    const places = add(unsqueeze(mul(arange(count), step), 1), arange(size));
    const windows = indexSelect(source, dim, flatten(places));
    const { shape } = source;
    const apart = reshape(windows, [...shape.slice(0, dim), count, size, ...shape.slice(dim + 1)]);
    return input.ndim === 0 ? reshape(apart, [size]) : movedim(apart, dim + 1, -1);
  },
);

/**
 * Coordinates of a grid: output i varies along dimension i (of the first two the other way round
 * for `xy`). https://pytorch.org/docs/stable/generated/torch.meshgrid.html
 */
export const meshgrid = named(
  'meshgrid',
  ['*tensors', 'indexing'],
  (tensors: readonly Tensor[], indexing: 'ij' | 'xy' = 'ij'): Tensor[] => {
    checkLines('meshgrid', tensors, 1);
    if (indexing !== 'ij' && indexing !== 'xy') {
      throw opError(ArgumentError, 'meshgrid', `indexing must be ij or xy, got ${indexing}`);
    }
    const swaps = indexing === 'xy' && tensors.length >= 2;
    const [first, second, ...others] = tensors as [Tensor, Tensor, ...Tensor[]];
    const ordered = swaps ? [second, first, ...others] : tensors;
    const shape = ordered.map((tensor) => tensor.numel());
    const grids = ordered.map((tensor, i) =>
      expand(
        reshape(
          tensor,
          shape.map((size, j) => (i === j ? size : 1)),
        ),
        shape,
      ),
    );
    if (!swaps) return grids;
    const [b, a, ...rest] = grids as [Tensor, Tensor, ...Tensor[]];
    return [a, b, ...rest];
  },
);

function checkLines(op: string, tensors: readonly Tensor[], most: number): void {
  const [first] = tensors;
  if (first === undefined) throw opError(ArgumentError, op, 'needs at least one tensor');
  for (const { ndim, shape, dtype } of tensors) {
    if (ndim > most) {
      throw opError(ShapeError, op, `takes numbers and vectors, got ${formatShape(shape)}`);
    }
    if (dtype !== first.dtype) {
      throw opError(DTypeError, op, `tensors must have one dtype, got ${first.dtype} and ${dtype}`);
    }
  }
}

/**
 * All tuples with one element of each vector, in order: (product of the sizes, number of vectors);
 * of one vector itself. https://pytorch.org/docs/stable/generated/torch.cartesian_prod.html
 */
export const cartesianProd = named(
  'cartesian_prod',
  ['*tensors'],
  (tensors: readonly Tensor[]): Tensor => {
    const wrong = tensors.find((tensor) => tensor.ndim !== 1);
    if (wrong !== undefined) {
      throw opError(ShapeError, 'cartesian_prod', `takes vectors, got ${formatShape(wrong.shape)}`);
    }
    const grids = meshgrid(tensors).map((grid) => flatten(grid));
    return grids.length === 1 ? grids[0]! : stack(grids, 1);
  },
);

/** Ascending tuples of `r` indices below `size`, one behind the other. */
function tuples(size: number, r: number, repeats: boolean): number[][] {
  let all: number[][] = [[]];
  for (let i = 0; i < r; i++) {
    all = all.flatMap((tuple) => {
      const least = tuple.length === 0 ? 0 : tuple.at(-1)! + (repeats ? 0 : 1);
      return Array.from({ length: Math.max(0, size - least) }, (_, k) => [...tuple, least + k]);
    });
  }
  return all;
}

/**
 * All combinations of `r` elements of a vector: (count, r).
 * https://pytorch.org/docs/stable/generated/torch.combinations.html
 */
export const combinations = named(
  'combinations',
  ['input', 'r', 'with_replacement'],
  (input: Tensor, r = 2, with_replacement = false): Tensor => {
    if (input.ndim !== 1) {
      throw opError(ShapeError, 'combinations', `takes a vector, got ${formatShape(input.shape)}`);
    }
    if (!Number.isInteger(r) || r < 0) {
      throw opError(ArgumentError, 'combinations', `r must be a non-negative integer, got ${r}`);
    }
    if (r === 0) return reshape(cat([input.slice(0, 0, 0)]), [0]);
    const places = tuples(input.shape[0]!, r, with_replacement);
    const index = tensor(places.flat(), { dtype: 'int64', shape: [places.length * r] });
    return reshape(indexSelect(input, 0, index), [places.length, r]);
  },
);
