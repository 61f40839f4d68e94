/** Images, lines and volumes in other sizes. */

import { needsFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { clamp, clampMax, clampMin } from '../../ops/arithmetic.ts';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from '../../ops/avg-pooling.ts';
import { indexSelect } from '../../ops/choosing.ts';
import { reshape, same } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { abs, add, cast, div, floor, lt, mul, sub, where } from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';
import { type Sizes, windowSizes } from '../../ops/window.ts';

export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'bicubic'
  | 'trilinear'
  | 'area';

/** What an element of the output is the weighted sum of, for all places along one dimension. */
interface Tap {
  /** int64 (out). */
  readonly places: Tensor;
  /** (out); 1 where it is left out. */
  readonly weights?: Tensor;
}

/** One dimension: its sizes, and how far places of the output lie apart in the input. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly align_corners: boolean;
  readonly dtype: 'float32' | 'float64';
}

const outputs = ({ to, dtype }: Axis) => arange(0, to, 1, { dtype });
/** `x` as a place of the input; what lies outside becomes the first or last. */
const placesOf = (x: Tensor, { from }: Axis) => cast(clamp(x, 0, from - 1), 'int64');
const whole = (x: Tensor, { dtype }: Axis) => cast(cast(x, 'int64'), dtype);

/** Where the places of the output lie in the input. */
function sources(axis: Axis): Tensor {
  const out = outputs(axis);
  return axis.align_corners ? mul(out, axis.scale) : sub(mul(add(out, 0.5), axis.scale), 0.5);
}

function nearestTaps(axis: Axis, shift: number): Tap[] {
  const source = floor(mul(add(outputs(axis), shift), axis.scale));
  return [{ places: placesOf(source, axis) }];
}

function linearTaps(axis: Axis): Tap[] {
  const source = clampMin(sources(axis), 0);
  const first = clampMax(floor(source), axis.from - 1);
  const weight = clamp(sub(source, first), 0, 1);
  return [
    { places: placesOf(first, axis), weights: sub(1, weight) },
    { places: placesOf(add(first, 1), axis), weights: weight },
  ];
}

/** Keys's kernel of a distance |x| up to 1, and beyond it up to 2. */
export function cubicWeights(t: Tensor, a = -0.75): Tensor[] {
  const near = (x: Tensor) => add(mul(mul(sub(mul(x, a + 2), a + 3), x), x), 1);
  const far = (x: Tensor) => sub(mul(add(mul(sub(mul(x, a), 5 * a), x), 8 * a), x), 4 * a);
  const rest = sub(1, t);
  return [far(add(t, 1)), near(t), near(rest), far(add(rest, 1))];
}

function cubicTaps(axis: Axis): Tap[] {
  const source = sources(axis);
  const first = floor(source);
  return cubicWeights(sub(source, first)).map((weights, i) => ({
    places: placesOf(add(first, i - 1), axis),
    weights,
  }));
}

const FILTERS = {
  bilinear: { reach: 1, weight: (x: Tensor) => clampMin(sub(1, abs(x)), 0) },
  bicubic: {
    reach: 2,
    weight(x: Tensor) {
      const size = abs(x);
      const [, near] = cubicWeights(size, -0.5);
      const [far] = cubicWeights(sub(size, 1), -0.5);
      return where(lt(size, 1), near!, where(lt(size, 2), far!, 0));
    },
  },
} as const;

/**
 * A filter as wide as the distance of the output's places, so that none of the input is left out.
 */
function smoothTaps(axis: Axis, mode: keyof typeof FILTERS): Tap[] {
  const { reach, weight } = FILTERS[mode];
  const width = Math.max(axis.scale, 1);
  const support = reach * width;
  const center = mul(add(outputs(axis), 0.5), axis.scale);
  const begin = clampMin(whole(add(sub(center, support), 0.5), axis), 0);
  const end = clampMax(whole(add(add(center, support), 0.5), axis), axis.from);
  const taps = Array.from({ length: Math.ceil(support) * 2 + 1 }, (_, i) => {
    const place = add(begin, i);
    const distance = div(add(sub(place, center), 0.5), width);
    return { place, weights: where(lt(place, end), weight(distance), 0) };
  });
  const total = taps.map(({ weights }) => weights).reduce((sum, weights) => add(sum, weights));
  return taps.map(({ place, weights }) => ({
    places: placesOf(place, axis),
    weights: div(weights, total),
  }));
}

function resampled(x: Tensor, dim: number, taps: readonly Tap[]): Tensor {
  return taps
    .map(({ places, weights }) => {
      const chosen = indexSelect(x, dim, places);
      if (weights === undefined) return chosen;
      const along = chosen.shape.map((_, d) => (d === dim ? -1 : 1));
      return mul(chosen, reshape(weights, along));
    })
    .reduce((sum, part) => add(sum, part));
}

const RANKS: Readonly<Record<InterpolateMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
};
const AREA = { 1: adaptiveAvgPool1d, 2: adaptiveAvgPool2d, 3: adaptiveAvgPool3d } as const;

function tapsOf(axis: Axis, mode: InterpolateMode, antialias: boolean): Tap[] {
  if (mode === 'nearest') return nearestTaps(axis, 0);
  if (mode === 'nearest-exact') return nearestTaps(axis, 0.5);
  if (antialias) return smoothTaps(axis, mode as keyof typeof FILTERS);
  return mode === 'bicubic' ? cubicTaps(axis) : linearTaps(axis);
}

interface Wanted {
  readonly size: Sizes | null;
  readonly scale_factor: number | readonly number[] | null;
  readonly recompute_scale_factor: boolean | null;
}

/** The sizes of the output, and the factors, where they and not the sizes decide the distances. */
function wantedSizes(input: Tensor, { size, scale_factor, recompute_scale_factor }: Wanted) {
  const fail = (message: string) => opError(ArgumentError, 'interpolate', message);
  const dims = input.ndim - 2;
  if ((size === null) === (scale_factor === null)) {
    throw fail('needs either size or scale_factor');
  }
  if (scale_factor === null) {
    if (recompute_scale_factor) throw fail('recompute_scale_factor needs a scale_factor');
    return { sizes: windowSizes('interpolate', 'size', size!, dims, 1), factors: null };
  }
  const factors =
    typeof scale_factor === 'number'
      ? new Array<number>(dims).fill(scale_factor)
      : [...scale_factor];
  if (factors.length !== dims || factors.some((factor) => !(factor > 0))) {
    throw fail(`scale_factor must be ${dims} positive numbers, got ${scale_factor}`);
  }
  const sizes = factors.map((factor, i) => Math.floor(input.shape[i + 2]! * factor));
  windowSizes('interpolate', 'size', sizes, dims, 1);
  return { sizes, factors: recompute_scale_factor ? null : factors };
}

/**
 * x (N, C, ...) with the last 1 to 3 dimensions brought to `size`, or to their size times
 * `scale_factor`. https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 *
 * @throws ShapeError for a rank that `mode` is not for, ArgumentError for options that contradict
 *   one another.
 */
export const interpolate = named(
  'interpolate',
  ['input', 'size', 'scale_factor', 'mode', 'align_corners', 'recompute_scale_factor', 'antialias'],
  (
    input: Tensor,
    size: Sizes | null = null,
    scale_factor: number | readonly number[] | null = null,
    mode: InterpolateMode = 'nearest',
    align_corners: boolean | null = null,
    recompute_scale_factor: boolean | null = null,
    antialias = false,
  ): Tensor => {
    const fail = (message: string) => opError(ArgumentError, 'interpolate', message);
    if (!Object.hasOwn(RANKS, mode)) {
      throw fail(`mode must be one of ${Object.keys(RANKS).join(', ')}, got ${mode}`);
    }
    const dims = input.ndim - 2;
    if (!RANKS[mode].includes(dims) || input.shape.slice(1).includes(0)) {
      const message = `mode ${mode} is not for an input of shape ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'interpolate', message);
    }
    if (align_corners !== null && ['nearest', 'nearest-exact', 'area'].includes(mode)) {
      throw fail(`align_corners is not for mode ${mode}`);
    }
    if (antialias && !Object.hasOwn(FILTERS, mode)) {
      throw fail(`antialias is for modes bilinear and bicubic, not ${mode}`);
    }
    const { sizes, factors } = wantedSizes(input, { size, scale_factor, recompute_scale_factor });
    if (mode === 'area') return AREA[dims as 1 | 2 | 3](input, sizes);
    if (!mode.startsWith('nearest')) needsFloating('interpolate', input);
    const dtype = input.dtype === 'float64' ? 'float64' : 'float32';
    const wide = mode.startsWith('nearest') ? input : cast(input, dtype);
    const resized = sizes.reduceRight((x, to, i) => {
      const from = input.shape[i + 2]!;
      const corners = align_corners ?? false;
      const apart = corners ? (to > 1 ? (from - 1) / (to - 1) : 0) : from / to;
      const exact = factors === null || corners ? apart : 1 / factors[i]!;
      const scale = dtype === 'float32' ? Math.fround(exact) : exact;
      const axis = { from, to, scale, align_corners: corners, dtype } as const;
      return resampled(x, i + 2, tapsOf(axis, mode, antialias));
    }, same(wide));
    return cast(resized, input.dtype);
  },
);

/** https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample.html */
export const upsample = named(
  'upsample',
  ['input', 'size', 'scale_factor', 'mode', 'align_corners'],
  (
    input: Tensor,
    size: Sizes | null = null,
    scale_factor: number | readonly number[] | null = null,
    mode: InterpolateMode = 'nearest',
    align_corners: boolean | null = null,
  ): Tensor => interpolate(input, size, scale_factor, mode, align_corners),
);

/** https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample_nearest.html */
export const upsampleNearest = named(
  'upsample_nearest',
  ['input', 'size', 'scale_factor'],
  (
    input: Tensor,
    size: Sizes | null = null,
    scale_factor: number | readonly number[] | null = null,
  ): Tensor => interpolate(input, size, scale_factor, 'nearest'),
);

/** https://pytorch.org/docs/stable/generated/torch.nn.functional.upsample_bilinear.html */
export const upsampleBilinear = named(
  'upsample_bilinear',
  ['input', 'size', 'scale_factor'],
  (
    input: Tensor,
    size: Sizes | null = null,
    scale_factor: number | readonly number[] | null = null,
  ): Tensor => interpolate(input, size, scale_factor, 'bilinear', true),
);
