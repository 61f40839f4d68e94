/** Differences, and areas under a curve, along a dimension. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { cat } from './joining.ts';
import { reshape, same } from './movement.ts';
import { named } from './named.ts';
import { add, cast, div, logicalXor, mul, sub } from './pointwise.ts';
import { sum } from './reduction.ts';
import { cumsum } from './scanning.ts';
import { narrow } from './slicing.ts';

/** All elements along `dim` but the last, and all but the first. */
function neighbours(x: Tensor, dim: number): [Tensor, Tensor] {
  const count = Math.max(0, x.shape[dim]! - 1);
  return [narrow(x, dim, 0, count), narrow(x, dim, x.shape[dim]! - count, count)];
}

/**
 * The `n`-th differences of neighbours along `dim`, with `prepend` and `append` joined on before.
 * https://pytorch.org/docs/stable/generated/torch.diff.html
 */
export const diff = named(
  'diff',
  ['input', 'n', 'dim', 'prepend', 'append'],
  (
    input: Tensor,
    n = 1,
    dim = -1,
    prepend: Tensor | null = null,
    append: Tensor | null = null,
  ): Tensor => {
    const at = normalizeDim('diff', dim, input.ndim);
    if (input.ndim === 0) throw opError(ShapeError, 'diff', 'needs at least one dimension');
    if (!Number.isInteger(n) || n < 0) {
      throw opError(ArgumentError, 'diff', `n must be a non-negative integer, got ${n}`);
    }
    if (n === 0) return same(input);
    const parts = [prepend, input, append].filter((part) => part !== null);
    let x = parts.length === 1 ? input : cat(parts, at);
    for (let i = 0; i < Math.min(n, x.shape[at]! + i); i++) {
      const [before, after] = neighbours(x, at);
      x = x.dtype === 'bool' ? logicalXor(after, before) : sub(after, before);
    }
    return x;
  },
);

/** The areas between neighbours: trapezoids over `dx`, or over the distances of `x`. */
function trapezoids(op: string, y: Tensor, x: Tensor | null, dx: number | Tensor, dim: number) {
  const at = normalizeDim(op, dim, y.ndim);
  if (y.ndim === 0) throw opError(ShapeError, op, 'needs at least one dimension');
  const [before, after] = neighbours(y, at);
  const heights = div(add(before, after), 2);
  if (x === null) return { areas: mul(heights, dx), at };
  const places = x.ndim === 1 && y.ndim > 1 ? vectorAlong(x, y.ndim, at) : x;
  const own = normalizeDim(op, dim, places.ndim);
  const [left, right] = neighbours(places, places.ndim === y.ndim ? at : own);
  return { areas: mul(heights, sub(right, left)), at };
}

function vectorAlong(x: Tensor, rank: number, dim: number): Tensor {
  return reshape(
    x,
    Array.from({ length: rank }, (_, i) => (i === dim ? x.numel() : 1)),
  );
}

const trapezoidal = (op: string, total: (areas: Tensor, dim: number) => Tensor) =>
  named(
    op,
    ['y', 'x', 'dx', 'dim'],
    (y: Tensor, x: Tensor | null = null, dx: number | Tensor = 1, dim = -1): Tensor => {
      const { areas, at } = trapezoids(op, y, x, dx, dim);
      return total(areas, at + areas.ndim - y.ndim);
    },
  );

/**
 * The area under `y` over the places `x`, or `dx` apart.
 * https://pytorch.org/docs/stable/generated/torch.trapezoid.html
 */
export const trapezoid = trapezoidal('trapezoid', (areas, dim) => sum(areas, dim));
/** `trapezoid`. https://pytorch.org/docs/stable/generated/torch.trapz.html */
export const trapz = trapezoidal('trapz', (areas, dim) => sum(areas, dim));
/**
 * The areas up to each element but the first.
 * https://pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html
 */
export const cumulativeTrapezoid = trapezoidal('cumulative_trapezoid', (areas, dim) =>
  cumsum(areas, dim),
);

type Spacing = number | readonly (number | Tensor)[] | Tensor;

/**
 * The slope at each element along each of `dim` (all dimensions): central differences inside, of
 * `edge_order` at the ends. `spacing` is a distance, one for each dimension, or the places
 * themselves.
 * https://pytorch.org/docs/stable/generated/torch.gradient.html
 */
export const gradient = named(
  'gradient',
  ['input', 'spacing', 'dim', 'edge_order'],
  (
    input: Tensor,
    spacing: Spacing | null = null,
    dim: number | readonly number[] | null = null,
    edge_order = 1,
  ): Tensor[] => {
    if (edge_order !== 1 && edge_order !== 2) {
      throw opError(ArgumentError, 'gradient', `edge_order must be 1 or 2, got ${edge_order}`);
    }
    const given = dim === null ? input.shape.map((_, i) => i) : [dim].flat();
    const dims = given.map((d) => normalizeDim('gradient', d, input.ndim));
    const gaps = Array.isArray(spacing) ? spacing : dims.map(() => spacing ?? 1);
    if (new Set(dims).size !== dims.length || gaps.length !== dims.length) {
      const message = `needs distinct dims and a spacing for each: dim [${given}], ${gaps.length} spacings`;
      throw opError(ArgumentError, 'gradient', message);
    }
    if (dims.some((d) => input.shape[d]! <= edge_order)) {
      const message = `${formatShape(input.shape)} needs more than ${edge_order} elements along each dim`;
      throw opError(ShapeError, 'gradient', message);
    }
    const x = isFloating(input.dtype) ? input : cast(input, 'float32');
    return dims.map((d, i) => slopes(x, d, gaps[i]!, edge_order));
  },
);

/** Slopes from the distances before and after each inner element. */
function slopes(x: Tensor, dim: number, spacing: number | Tensor, order: number): Tensor {
  const size = x.shape[dim]!;
  const places = spacing instanceof Tensor && spacing.ndim === 1;
  const steps = places
    ? vectorAlong(sub(...(neighbours(spacing, 0).reverse() as [Tensor, Tensor])), x.ndim, dim)
    : undefined;
  const gap =
    spacing instanceof Tensor && !places
      ? spacing
      : full([], places ? 1 : (spacing as number), x.dtype);
  const step = (i: number, count: number) => (steps ? narrow(steps, dim, i, count) : gap);
  const at = (i: number, count = 1) => narrow(x, dim, i, count);
  const [first, second] = neighbours(x, dim);
  const rises = div(sub(second, first), steps ?? gap);
  const rise = (i: number, count = 1) => narrow(rises, dim, i, count);
  const ends = (i: number, j: number, near: number, far: number) => {
    if (order === 1) return rise(i);
    // The parabola through three elements: the near slope, and how it changes towards the far one.
    const [a, b] = [step(near, 1), step(far, 1)];
    return add(rise(i), mul(sub(rise(i), rise(j)), div(a, add(a, b))));
  };
  const inner = () => {
    const [a, b] = [step(0, size - 2), step(1, size - 2)];
    return div(add(mul(rise(0, size - 2), b), mul(rise(1, size - 2), a)), add(a, b));
  };
  const middle = size > 2 ? [inner()] : [];
  const last = size - 2;
  const parts = [ends(0, 1, 0, 1), ...middle, ends(last, last - 1, last, last - 1)];
  return cast(cat(parts, dim), at(0).dtype);
}
