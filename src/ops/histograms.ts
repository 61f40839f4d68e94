/** How many elements, or what sum of weights, fall between edges. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, sameShape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { clampMax } from './arithmetic.ts';
import { full } from './constant.ts';
import { scatterSum } from './indexing.ts';
import { hostValues } from './masking.ts';
import { flatten, reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, div, floor, ge, le, logicalAnd, mul, sub, where } from './pointwise.ts';
import { linspace } from './ranges.ts';
import { sum } from './reduction.ts';
import { searchsorted } from './searching.ts';
import { narrow, select } from './slicing.ts';

/** From the least edge to the greatest. */
type Range = readonly [low: number, high: number];

/** The least and the greatest of all elements, which are read. */
function rangeOf(op: string, x: Tensor): Range {
  const values = Array.from(hostValues(op, x), Number);
  const extreme = (pick: (a: number, b: number) => number) => values.reduce(pick, values[0]!);
  return [extreme((a, b) => Math.min(a, b)), extreme((a, b) => Math.max(a, b))];
}

function checkedRange(op: string, [low, high]: Range, margin: number): Range {
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw opError(ArgumentError, op, `the range [${low}, ${high}] is not finite`);
  }
  if (low > high) throw opError(ArgumentError, op, `min ${low} must not exceed max ${high}`);
  return low === high ? [low - margin, high + margin] : [low, high];
}

function checkBins(op: string, bins: number): void {
  if (Number.isInteger(bins) && bins > 0) return;
  throw opError(ArgumentError, op, `bins must be a positive integer, got ${bins}`);
}

function checkFloating(op: string, { dtype }: Tensor): void {
  if (isFloating(dtype)) return;
  throw opError(DTypeError, op, `needs floating point numbers, got ${dtype}`);
}

/**
 * How many elements fall in each of `bins` parts of [`min`, `max`], in the dtype of `input`. Where
 * both are the same number the range is that of the elements, which are read. Others do not count.
 * https://pytorch.org/docs/stable/generated/torch.histc.html
 */
export const histc = named(
  'histc',
  ['input', 'bins', 'min', 'max'],
  (input: Tensor, bins = 100, min = 0, max = 0): Tensor => {
    checkBins('histc', bins);
    if (input.dtype === 'bool') throw opError(DTypeError, 'histc', 'bool has no histogram');
    const isGiven = min !== max || input.numel() === 0;
    const [low, high] = checkedRange('histc', isGiven ? [min, max] : rangeOf('histc', input), 1);
    const x = flatten(isFloating(input.dtype) ? input : cast(input, 'float64'));
    const place = cast(floor(div(mul(sub(x, low), bins), high - low)), 'int64');
    const isInside = logicalAnd(ge(x, low), le(x, high));
    const bin = where(isInside, clampMax(place, bins - 1), 0);
    return scatterSum([bins], 0, cast(bin, 'int64'), cast(isInside, input.dtype));
  },
);

/** The edges of one dimension: given, or `bins` parts of a range. */
type Bins = number | Tensor;

function edgesOf(op: string, bins: Bins, x: Tensor, range: Range | null): Tensor {
  if (bins instanceof Tensor) {
    const isList = bins.ndim === 1 && bins.numel() > 0;
    if (isList && bins.dtype === x.dtype) return bins;
    const given = `${bins.dtype} ${formatShape(bins.shape)}`;
    throw opError(ShapeError, op, `edges must be a vector of ${x.dtype}, got ${given}`);
  }
  checkBins(op, bins);
  const found = range ?? (x.numel() > 0 ? rangeOf(op, x) : ([0, 1] as const));
  const [low, high] = checkedRange(op, found, 0.5);
  return linspace(low, high, bins + 1, { dtype: x.dtype });
}

/**
 * The bin of every element between `edges`, of which the last belongs to the last bin, and whether
 * there is one.
 */
function placed(x: Tensor, edges: Tensor): { bin: Tensor; isInside: Tensor } {
  const bins = edges.numel() - 1;
  const [least, greatest] = [select(edges, 0, 0), select(edges, 0, bins)];
  const isInside = logicalAnd(ge(x, least), le(x, greatest));
  const found = sub(searchsorted(edges, x, { right: true }), 1);
  return { bin: where(isInside, clampMax(found, Math.max(0, bins - 1)), 0), isInside };
}

function checkWeight(op: string, weight: Tensor | null, x: Tensor, shape: readonly number[]): void {
  if (weight === null || (weight.dtype === x.dtype && sameShape(weight.shape, shape))) return;
  const given = `${weight.dtype} ${formatShape(weight.shape)}`;
  throw opError(
    ShapeError,
    op,
    `weight must be ${x.dtype} of shape ${formatShape(shape)}, got ${given}`,
  );
}

/** Weights summed in the bins of all dimensions; `points` is (count, dimensions). */
function counted(
  points: Tensor,
  edges: readonly Tensor[],
  weight: Tensor | null,
  density: boolean,
) {
  const shape = edges.map((edge) => edge.numel() - 1);
  let bin = full([points.shape[0]!], 0, 'int64');
  let isInside = full([points.shape[0]!], 1, 'bool');
  for (const [dim, edge] of edges.entries()) {
    const found = placed(select(points, 1, dim), edge);
    bin = add(mul(bin, shape[dim]!), cast(found.bin, 'int64'));
    isInside = logicalAnd(isInside, found.isInside);
  }
  const weights = weight === null ? cast(isInside, points.dtype) : flatten(weight);
  const sums = scatterSum([numel(shape)], 0, where(isInside, bin, 0), where(isInside, weights, 0));
  const counts = reshape(cast(sums, points.dtype), shape);
  return density ? densities(counts, edges) : counts;
}

/** Divided by the total and by the size of each bin, so that the integral is 1. */
function densities(counts: Tensor, edges: readonly Tensor[]): Tensor {
  const rank = edges.length;
  return edges.reduce(
    (result, edge, dim) => {
      const bins = edge.numel() - 1;
      const widths = sub(narrow(edge, 0, 1, bins), narrow(edge, 0, 0, bins));
      return div(result, reshape(widths, [bins, ...Array<number>(rank - 1 - dim).fill(1)]));
    },
    div(counts, sum(counts)),
  );
}

/**
 * How many elements, or what sum of `weight`, fall between edges: `bins` are the edges, or as many
 * equal parts of `range`, by default that of the elements, which are read. With `density` the
 * integral is 1. `[hist, bin_edges]` in the dtype of `input`.
 * https://pytorch.org/docs/stable/generated/torch.histogram.html
 */
export const histogram = named(
  'histogram',
  ['input', 'bins', 'range', 'weight', 'density'],
  (
    input: Tensor,
    bins: Bins,
    range: readonly number[] | null = null,
    weight: Tensor | null = null,
    density = false,
  ): [hist: Tensor, bin_edges: Tensor] => {
    const op = 'histogram';
    checkFloating(op, input);
    checkWeight(op, weight, input, input.shape);
    const [pair] = rangesOf(op, range, 1);
    const edges = edgesOf(op, bins, input, pair ?? null);
    return [counted(unsqueeze(flatten(input), 1), [edges], weight, density), edges];
  },
);

/** `range` as a pair for each dimension. */
function rangesOf(op: string, range: readonly number[] | null, dims: number): Range[] {
  if (range === null) return [];
  if (range.length === 2 * dims) {
    return Array.from({ length: dims }, (_, d) => [range[2 * d]!, range[2 * d + 1]!] as const);
  }
  const message = `range must be ${2 * dims} numbers, two for each dimension, got ${range.length}`;
  throw opError(ArgumentError, op, message);
}

/**
 * The histogram of points, the rows of `input` (..., dimensions): `bins` are edges or numbers of
 * equal parts, one for each dimension, or one number for all. `[hist, bin_edges]`, edges for each
 * dimension.
 * https://pytorch.org/docs/stable/generated/torch.histogramdd.html
 */
export const histogramdd = named(
  'histogramdd',
  ['input', 'bins', 'range', 'weight', 'density'],
  (
    input: Tensor,
    bins: number | readonly Bins[],
    range: readonly number[] | null = null,
    weight: Tensor | null = null,
    density = false,
  ): [hist: Tensor, bin_edges: Tensor[]] => {
    const op = 'histogramdd';
    checkFloating(op, input);
    if (input.ndim < 2) {
      throw opError(ShapeError, op, `needs points in rows, got ${formatShape(input.shape)}`);
    }
    const dims = input.shape.at(-1)!;
    const given = typeof bins === 'number' ? Array<number>(dims).fill(bins) : bins;
    if (given.length !== dims) {
      throw opError(ArgumentError, op, `needs bins for ${dims} dimensions, got ${given.length}`);
    }
    checkWeight(op, weight, input, input.shape.slice(0, -1));
    const points = reshape(input, [numel(input.shape.slice(0, -1)), dims]);
    const ranges = rangesOf(op, range, dims);
    const edges = given.map((one, d) => edgesOf(op, one, select(points, 1, d), ranges[d] ?? null));
    return [counted(points, edges, weight, density), edges];
  },
);
