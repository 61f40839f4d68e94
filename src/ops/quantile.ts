/** Quantiles: elements at fractions of the way through the sorted rows. */

import { needsFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { normalizeDim } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { scalarOf } from './choosing.ts';
import { movedim } from './dimensions.ts';
import { gather } from './indexing.ts';
import { expand, flatten, reshape, squeeze, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import {
  add,
  cast,
  ceil,
  floor,
  isnan,
  logicalNot,
  lt,
  mul,
  round,
  sub,
  where,
} from './pointwise.ts';
import { sum } from './reduction.ts';
import { sort } from './sorting.ts';

export type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

/** The places below and above, and how far from the one to the other. */
const PLACES: Record<Interpolation, (rank: Tensor) => [Tensor, Tensor, Tensor | number]> = {
  linear: (rank) => [floor(rank), ceil(rank), sub(rank, floor(rank))],
  lower: (rank) => [floor(rank), floor(rank), 0],
  higher: (rank) => [ceil(rank), ceil(rank), 0],
  midpoint: (rank) => [floor(rank), ceil(rank), 0.5],
  nearest: (rank) => [round(rank), round(rank), 0],
};

const quantileOf = (op: string, ignoresNaN: boolean) =>
  named(
    op,
    ['input', 'q', 'dim', 'keepdim', 'interpolation'],
    (
      input: Tensor,
      q: Tensor | number,
      dim: number | null = null,
      keepdim = false,
      interpolation: Interpolation = 'linear',
    ): Tensor => {
      const fractions = scalarOrVector(op, input, q);
      if (!Object.hasOwn(PLACES, interpolation)) {
        const known = Object.keys(PLACES).join(', ');
        throw opError(
          ArgumentError,
          op,
          `interpolation must be one of ${known}, got ${interpolation}`,
        );
      }
      const at = normalizeDim(op, dim ?? 0, dim === null ? 1 : input.ndim);
      const rows = dim === null || input.ndim === 0 ? flatten(input) : movedim(input, at, -1);
      if (rows.shape.at(-1) === 0) throw opError(ShapeError, op, 'there is no quantile of nothing');
      const found = interpolated(rows, flatten(fractions), ignoresNaN, PLACES[interpolation]);
      return arranged(found, fractions.ndim === 0, input, dim === null ? null : at, keepdim);
    },
  );

function scalarOrVector(op: string, input: Tensor, q: Tensor | number): Tensor {
  needsFloating(op, input);
  if (typeof q === 'number' && !(q >= 0 && q <= 1)) {
    throw opError(ArgumentError, op, `q must be between 0 and 1, got ${q}`);
  }
  const fractions = q instanceof Tensor ? q : scalarOf(op, q, input.dtype);
  if (fractions.ndim > 1) throw opError(ShapeError, op, 'q must be a number or a vector');
  if (fractions.dtype === input.dtype) return fractions;
  throw opError(DTypeError, op, `q must be ${input.dtype} as the input, got ${fractions.dtype}`);
}

/** rows (..R, N), fractions (K) -> (..R, K) */
function interpolated(
  rows: Tensor,
  fractions: Tensor,
  ignoresNaN: boolean,
  placesOf: (typeof PLACES)[Interpolation],
): Tensor {
  const size = rows.shape.at(-1)!;
  const [sorted] = sort(rows);
  const numbers = sum(cast(logicalNot(isnan(rows)), 'int64'), -1, true);
  const last = ignoresNaN ? cast(sub(numbers, 1).clamp(0), rows.dtype) : size - 1;
  const exact = mul(fractions, last);
  const shape = [...rows.shape.slice(0, -1), fractions.numel()];
  // Sorted, NaN stands last: where there is one, every quantile is that.
  const rank = ignoresNaN ? exact : where(lt(numbers, size), size - 1, exact);
  const [below, above, weight] = placesOf(cast(expand(rank, shape), rows.dtype));
  const [low, high] = [below, above].map((place) => gather(sorted, -1, cast(place, 'int64')));
  return add(low!, mul(sub(high!, low!), weight));
}

/** (..R, K) -> K first, unless it was one number, and the reduced dimension kept where wanted. */
function arranged(
  found: Tensor,
  isOne: boolean,
  input: Tensor,
  dim: number | null,
  keepdim: boolean,
) {
  const first = movedim(found, -1, 0);
  const [count] = first.shape;
  const kept =
    dim === null
      ? reshape(first, [count!, ...input.shape.map(() => 1)])
      : unsqueeze(first, input.ndim === 0 ? 1 : dim + 1);
  const result = keepdim && input.ndim > 0 ? kept : first;
  return isOne ? squeeze(result, 0) : result;
}

/**
 * The `q`-th quantiles, q between 0 and 1, along `dim` or of all elements; of several q in a first
 * dimension.
 * https://pytorch.org/docs/stable/generated/torch.quantile.html
 */
export const quantile = quantileOf('quantile', false);
/**
 * The same of the elements that are not NaN.
 * https://pytorch.org/docs/stable/generated/torch.nanquantile.html
 */
export const nanquantile = quantileOf('nanquantile', true);
