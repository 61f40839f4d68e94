/** Images and volumes read at places that a grid names. */

import { needsFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, numel, type Shape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ones } from '../../ops/creation.ts';
import { gather } from '../../ops/indexing.ts';
import { stack } from '../../ops/joining.ts';
import { matmul } from '../../ops/matmul.ts';
import { expand, reshape, transpose } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  abs,
  add,
  cast,
  div,
  eq,
  floor,
  fmod,
  ge,
  gt,
  le,
  logicalAnd,
  lt,
  mul,
  round,
  sub,
  where,
} from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';
import { select } from '../../ops/slicing.ts';

import { cubicWeights } from './interpolate.ts';

export type GridMode = 'bilinear' | 'nearest' | 'bicubic';
export type GridPadding = 'zeros' | 'border' | 'reflection';

/** One dimension of the input. */
interface Axis {
  readonly size: number;
  readonly align_corners: boolean;
  readonly padding_mode: GridPadding;
}

/** The places -1 to 1 of a grid as those of `axis`. */
function placeOf(x: Tensor, { size, align_corners }: Axis): Tensor {
  return align_corners ? mul(div(add(x, 1), 2), size - 1) : div(sub(mul(add(x, 1), size), 1), 2);
}

/** Within [0, size - 1]; at its ends and beyond there is no gradient. NaN is 0. */
const within = (x: Tensor, size: number) => where(gt(x, 0), where(lt(x, size - 1), x, size - 1), 0);

/** Mirrored at the ends until it lies inside. */
function reflected(x: Tensor, { size, align_corners }: Axis): Tensor {
  const least = align_corners ? 0 : -0.5;
  const span = align_corners ? size - 1 : size;
  if (span === 0) return mul(x, 0);
  const distance = abs(sub(x, least));
  const extra = fmod(distance, span);
  const isEven = eq(fmod(floor(div(distance, span)).detach(), 2), 0);
  return where(isEven, add(extra, least), sub(span + least, extra));
}

function padded(x: Tensor, axis: Axis): Tensor {
  if (axis.padding_mode === 'zeros') return x;
  return within(axis.padding_mode === 'border' ? x : reflected(x, axis), axis.size);
}

/** What a sample takes of one dimension: places (..., whole numbers) and their weights. */
interface Tap {
  readonly place: Tensor;
  readonly weight?: Tensor;
}

const TAPS: Readonly<Record<GridMode, (x: Tensor, axis: Axis) => Tap[]>> = {
  nearest: (x, axis) => [{ place: round(padded(x, axis)) }],
  bilinear(x, axis) {
    const place = padded(x, axis);
    const first = floor(place).detach();
    const rest = sub(place, first);
    return [
      { place: first, weight: sub(1, rest) },
      { place: add(first, 1), weight: rest },
    ];
  },
  bicubic(x, axis) {
    const first = floor(x).detach();
    return cubicWeights(sub(x, first)).map((weight, i) => ({
      place: padded(add(first, i - 1), axis),
      weight,
    }));
  },
};

/** All choices of one tap of each dimension. */
function combined(axes: readonly (readonly Tap[])[]): Tap[][] {
  return axes.reduce<Tap[][]>(
    (before, taps) => before.flatMap((list) => taps.map((tap) => [...list, tap])),
    [[]],
  );
}

/** x (N, C, places) at the places (N, P) that `taps` name, weighted; 0 where they lie outside. */
function sampleAt(x: Tensor, taps: readonly Tap[], sizes: Shape): Tensor {
  const [n, channels] = x.shape as [number, number, number];
  const inside = taps
    .map(({ place }, d) => logicalAnd(ge(place, 0), le(place, sizes[d]! - 1)))
    .reduce((all, one) => logicalAnd(all, one));
  const flat = taps
    .map(({ place }, d) => mul(cast(within(place, sizes[d]!), 'int64'), numel(sizes.slice(d + 1))))
    .reduce((sum, part) => add(sum, part));
  const count = flat.shape[1]!;
  const spread = (t: Tensor) => reshape(t, [n, 1, count]);
  const found = gather(x, 2, expand(spread(flat), [n, channels, count]));
  const weights = taps.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
  const known = where(spread(inside), found, 0);
  if (weights.length === 0) return known;
  const weight = weights.reduce((product, factor) => mul(product, factor));
  return mul(known, where(spread(inside), spread(weight), 0));
}

/**
 * x (N, C, H, W) and grid (N, H', W', 2), or x (N, C, D, H, W) and grid (N, D', H', W', 3) -> (N,
 * C, H', W') or (N, C, D', H', W'): x at the places of the grid, whose last dimension holds x, y
 * (and z) from -1 to 1.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
 *
 * @throws ShapeError where the sizes do not fit, ArgumentError for an unknown mode, or bicubic
 *   volumes.
 */
export const gridSample = named(
  'grid_sample',
  ['input', 'grid', 'mode', 'padding_mode', 'align_corners'],
  (
    input: Tensor,
    grid: Tensor,
    mode: GridMode = 'bilinear',
    padding_mode: GridPadding = 'zeros',
    align_corners: boolean | null = null,
  ): Tensor => {
    checkGrid(input, grid, mode, padding_mode);
    const [n, channels, ...sizes] = input.shape as [number, number, ...number[]];
    const dims = sizes.length;
    const points = reshape(grid, [n, numel(grid.shape.slice(1, -1)), dims]);
    const taps = sizes.map((size, d) => {
      const axis = { size, padding_mode, align_corners: align_corners ?? false };
      return TAPS[mode](placeOf(select(points, 2, dims - 1 - d), axis), axis);
    });
    const x = reshape(input, [n, channels, numel(sizes)]);
    const sampled = combined(taps)
      .map((choice) => sampleAt(x, choice, sizes))
      .reduce((sum, part) => add(sum, part));
    return reshape(sampled, [n, channels, ...grid.shape.slice(1, -1)]);
  },
);

function checkGrid(input: Tensor, grid: Tensor, mode: GridMode, padding_mode: GridPadding): void {
  const op = 'grid_sample';
  if (!Object.hasOwn(TAPS, mode)) {
    throw opError(ArgumentError, op, `mode must be one of ${Object.keys(TAPS)}, got ${mode}`);
  }
  if (!['zeros', 'border', 'reflection'].includes(padding_mode)) {
    const message = `padding_mode must be zeros, border or reflection, got ${padding_mode}`;
    throw opError(ArgumentError, op, message);
  }
  needsFloating(op, input);
  if (grid.dtype !== input.dtype) {
    throw opError(DTypeError, op, `input is ${input.dtype}, grid is ${grid.dtype}`);
  }
  const dims = input.ndim - 2;
  const fits =
    (dims === 2 || dims === 3) &&
    grid.ndim === input.ndim &&
    grid.shape[0] === input.shape[0] &&
    grid.shape.at(-1) === dims;
  if (!fits || input.shape.slice(2).includes(0)) {
    const sizes = `input ${formatShape(input.shape)}, grid ${formatShape(grid.shape)}`;
    throw opError(ShapeError, op, `the grid does not fit the input: ${sizes}`);
  }
  if (mode === 'bicubic' && dims === 3) {
    throw opError(ArgumentError, op, 'bicubic is for images, not for volumes');
  }
}

/**
 * theta (N, 2, 3) and size (N, C, H, W), or (N, 3, 4) and (N, C, D, H, W) -> the grid (N, H, W, 2)
 * or (N, D, H, W, 3) that `gridSample` takes for the affine map theta.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
 *
 * @throws ShapeError where theta does not fit the size.
 */
export const affineGrid = named(
  'affine_grid',
  ['theta', 'size', 'align_corners'],
  (theta: Tensor, size: Shape, align_corners: boolean | null = null): Tensor => {
    needsFloating('affine_grid', theta);
    const [n, , ...sizes] = size as [number, number, ...number[]];
    const dims = sizes.length;
    const { shape, dtype } = theta;
    const fits = shape.length === 3 && shape[0] === n && shape[1] === dims && shape[2] === dims + 1;
    if (!fits || (dims !== 2 && dims !== 3) || size.some((count) => count < 1)) {
      const sizes_ = `theta ${formatShape(shape)}, size ${formatShape(size)}`;
      throw opError(ShapeError, 'affine_grid', `theta does not fit the size: ${sizes_}`);
    }
    const places = sizes.map((count, d) => {
      const along = reshape(
        axisPlaces(count, align_corners ?? false, dtype === 'float64' ? 'float64' : 'float32'),
        sizes.map((_, i) => (i === d ? count : 1)),
      );
      return expand(along, sizes);
    });
    const base = stack([...places.reverse(), ones(sizes, { dtype: places[0]!.dtype })], -1);
    const flat = reshape(cast(base, dtype), [1, numel(sizes), dims + 1]);
    const moved = matmul(expand(flat, [n, numel(sizes), dims + 1]), transpose(theta, 1, 2));
    return reshape(moved, [n, ...sizes, dims]);
  },
);

/** `count` places from -1 to 1: of pixels' centres, or with `align_corners` up to both ends. */
function axisPlaces(count: number, align_corners: boolean, dtype: 'float32' | 'float64'): Tensor {
  if (count === 1) return mul(arange(0, 1, 1, { dtype }), 0);
  const apart = align_corners ? 2 / (count - 1) : 2 / count;
  const first = align_corners ? -1 : 1 / count - 1;
  return add(mul(arange(0, count, 1, { dtype }), apart), first);
}
