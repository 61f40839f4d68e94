/** Max-pooling over windows that do not lie evenly: adaptive and fractional. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { type AdaptiveSize, adaptiveSizes } from './avg-pooling.ts';
import { zeros } from './creation.ts';
import { rand } from './draws.ts';
import { gather } from './indexing.ts';
import { expand, reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, ceil, div, floor, fmod, minimum, mul, sub, trunc, where } from './pointwise.ts';
import { maxima, maybeIndexed, quotient, result } from './pooling.ts';
import { arange } from './ranges.ts';
import { narrow, select } from './slicing.ts';
import { checkImages, type Sizes, windowSizes } from './window.ts';

/** The windows along one dimension: the places of all, one window after the other. */
interface Windows {
  /** int64 (N or 1, C or 1, windows * taps). */
  readonly places: Tensor;
  /** Places of a window; a smaller one repeats its last. */
  readonly taps: number;
}

/** The maxima of x (N, C, ...) over windows given for each dimension. */
function maximaOfWindows(x: Tensor, windows: readonly Windows[]) {
  const sizes = x.shape.slice(2);
  const chosen = windows.reduce((part, { places }, d) => {
    const shape = part.shape.map((size, i) => (i === d + 2 ? places.shape[2]! : size));
    const index = reshape(
      places,
      shape.map((size, i) => (i < 2 ? places.shape[i]! : i === d + 2 ? size : 1)),
    );
    return gather(part, d + 2, expand(index, shape));
  }, x);
  const taps = windows.map((window) => window.taps);
  const none = taps.map(() => 0);
  const window = { kernel_size: taps, stride: taps, padding: none, dilation: taps.map(() => 1) };
  const { values, indices } = maxima(chosen, { ...window, ceil_mode: false });
  return {
    values,
    indices() {
      const [n, channels] = x.shape as [number, number, ...number[]];
      const found = indices();
      let flat = reshape(found, [n, channels, numel(found.shape.slice(2))]);
      let stride = 1;
      let place: Tensor | undefined;
      for (let d = sizes.length - 1; d >= 0; d--) {
        const { places } = windows[d]!;
        const count = places.shape[2]!;
        const at = gather(expand(places, [n, channels, count]), 2, fmod(flat, count));
        place = place === undefined ? at : add(place, mul(at, stride));
        flat = quotient(flat, count);
        stride *= sizes[d]!;
      }
      return reshape(place!, values.shape);
    },
  };
}

// ---- adaptive ----------------------------------------------------------------------------------

/** Window i of `out` over `size` places: floor(i * size / out) up to ceil((i + 1) * size / out). */
function adaptiveWindows(size: number, out: number): Windows {
  const taps = size % out === 0 ? size / out : Math.floor(size / out) + 2;
  const element = arange(0, out * taps, 1, { dtype: 'float64' });
  const window = floor(div(element, taps));
  const begin = floor(div(mul(window, size), out));
  const last = sub(ceil(div(mul(add(window, 1), size), out)), 1);
  const place = minimum(add(begin, sub(element, mul(window, taps))), last);
  return { places: reshape(cast(place, 'int64'), [1, 1, -1]), taps };
}

function adaptiveMaxPool(
  dims: 1 | 2 | 3,
  input: Tensor,
  output_size: AdaptiveSize,
  return_indices: boolean,
): Tensor {
  const op = `adaptive_max_pool${dims}d`;
  checkImages(op, input, dims);
  const sizes = adaptiveSizes(op, input, output_size, dims);
  return result(input, dims, return_indices, (x) => {
    const from = x.shape.slice(2);
    if (sizes.includes(0)) {
      const shape = [...x.shape.slice(0, 2), ...sizes];
      const { dtype } = x;
      return { values: zeros(shape, { dtype }), indices: () => zeros(shape, { dtype: 'int64' }) };
    }
    if (from.some((size, d) => size % sizes[d]! !== 0)) {
      return maximaOfWindows(
        x,
        from.map((size, d) => adaptiveWindows(size, sizes[d]!)),
      );
    }
    const taps = from.map((size, d) => size / sizes[d]!);
    const [padding, dilation] = [taps.map(() => 0), taps.map(() => 1)];
    return maxima(x, { kernel_size: taps, stride: taps, padding, dilation, ceil_mode: false });
  });
}

/** The function of `dims` dimensions: they take the same arguments. */
function adaptiveMaxPoolOver(dims: 1 | 2 | 3) {
  return maybeIndexed(
    named(
      `adaptive_max_pool${dims}d`,
      ['input', 'output_size', 'return_indices'],
      (input: Tensor, output_size: AdaptiveSize, return_indices = false): Tensor =>
        adaptiveMaxPool(dims, input, output_size, return_indices),
    ),
  );
}

/**
 * x (N, C, L) or (C, L) -> (N, C, *output_size): the maxima over the windows of
 * `adaptiveAvgPool1d`; with `return_indices`, given by name, also their places in the flat plane.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveMaxPool1d = adaptiveMaxPoolOver(1);

/**
 * x (N, C, H, W) or (C, H, W) -> (N, C, *output_size): the maxima over the windows of
 * `adaptiveAvgPool2d`; with `return_indices`, given by name, also their places in the flat plane.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveMaxPool2d = adaptiveMaxPoolOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> (N, C, *output_size): the maxima over the windows of
 * `adaptiveAvgPool3d`; with `return_indices`, given by name, also their places in the flat plane.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveMaxPool3d = adaptiveMaxPoolOver(3);

// ---- fractional --------------------------------------------------------------------------------

/**
 * Pseudo-random windows (Graham 2014): window i of `out` begins at trunc((i + u) a) - trunc(u a)
 * with a = (size - taps) / (out - 1), the last one at size - taps; u (N, C) is random.
 */
function fractionalWindows(u: Tensor, size: number, out: number, taps: number): Windows {
  const [n, channels] = u.shape as [number, number];
  const free = size - taps;
  const window = arange(0, out, 1, { dtype: u.dtype });
  const samples = unsqueeze(u, 2);
  // PyTorch computes in the samples' own precision, which decides where windows begin.
  const alpha =
    out === 1 ? 0 : u.dtype === 'float64' ? free / (out - 1) : Math.fround(free / (out - 1));
  const begin = sub(trunc(mul(add(window, samples), alpha)), trunc(mul(samples, alpha)));
  const isLast = window.eq(out - 1);
  const begins = cast(where(isLast, free, begin), 'int64');
  const places = add(unsqueeze(begins, 3), arange(taps));
  return { places: reshape(places, [n, channels, out * taps]), taps };
}

interface FractionalArguments {
  readonly kernel_size: Sizes;
  readonly output_size: Sizes | null;
  readonly output_ratio: number | readonly number[] | null;
  readonly return_indices: boolean;
  readonly _random_samples: Tensor | null;
}

function fractionalMaxPool(dims: 2 | 3, input: Tensor, given: FractionalArguments): Tensor {
  const op = `fractional_max_pool${dims}d`;
  checkImages(op, input, dims);
  const kernel_size = windowSizes(op, 'kernel_size', given.kernel_size, dims, 1);
  const from = input.shape.slice(-dims);
  const sizes = fractionalSizes(op, from, given);
  if (sizes.some((size, d) => size + kernel_size[d]! - 1 > from[d]!)) {
    throw opError(
      ShapeError,
      op,
      `kernel (${kernel_size}) and output (${sizes}) do not fit input ${formatShape(input.shape)}`,
    );
  }
  return result(input, dims, given.return_indices, (x) => {
    const [n, channels] = x.shape as [number, number, ...number[]];
    const { dtype } = x;
    const drawn = given._random_samples ?? rand([n, channels, dims], { dtype });
    // There may be samples for a larger batch.
    if (!sameShape(drawn.shape, [Math.max(n, drawn.shape[0] ?? 0), channels, dims])) {
      const wanted = formatShape([n, channels, dims]);
      const message = `_random_samples must be ${wanted}, got ${formatShape(drawn.shape)}`;
      throw opError(ShapeError, op, message);
    }
    const samples = narrow(drawn, 0, 0, n);
    const windows = sizes.map((size, d) => {
      // Over images the first sample is the columns', over volumes the slices'.
      const u = select(samples, 2, dims === 2 ? 1 - d : d);
      return fractionalWindows(u, from[d]!, size, kernel_size[d]!);
    });
    return maximaOfWindows(x, windows);
  });
}

const FRACTIONAL = [
  'input',
  'kernel_size',
  'output_size',
  'output_ratio',
  'return_indices',
  '_random_samples',
] as const;

function fractionalSizes(
  op: string,
  from: readonly number[],
  { output_size, output_ratio }: FractionalArguments,
): number[] {
  if (output_size !== null) return windowSizes(op, 'output_size', output_size, from.length, 1);
  if (output_ratio === null) {
    throw opError(ArgumentError, op, 'needs output_size or output_ratio');
  }
  const ratios = typeof output_ratio === 'number' ? from.map(() => output_ratio) : output_ratio;
  if (ratios.length !== from.length || ratios.some((ratio) => !(ratio > 0 && ratio < 1))) {
    throw opError(ArgumentError, op, `output_ratio must be between 0 and 1, got ${output_ratio}`);
  }
  const sizes = from.map((size, d) => Math.floor(size * ratios[d]!));
  return windowSizes(op, 'output_size', sizes, from.length, 1);
}

/**
 * x (N, C, H, W) or (C, H, W) -> the maxima over windows whose places are drawn at random, as many
 * as `output_size` says, or `output_ratio` of the input's size. `_random_samples` (N, C, 2) are
 * taken instead of random numbers. With `return_indices`, given by name, also the places in the
 * flat plane.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html
 *
 * @throws ShapeError where the windows do not fit, ArgumentError for a ratio that is not in (0, 1).
 */
export const fractionalMaxPool2d = maybeIndexed(
  named(
    'fractional_max_pool2d',
    FRACTIONAL,
    (
      input: Tensor,
      kernel_size: Sizes,
      output_size: Sizes | null = null,
      output_ratio: number | readonly number[] | null = null,
      return_indices = false,
      _random_samples: Tensor | null = null,
    ): Tensor => {
      const options = { kernel_size, output_size, output_ratio, return_indices, _random_samples };
      return fractionalMaxPool(2, input, options);
    },
  ),
);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> the maxima over windows whose places are drawn at random, as
 * many as `output_size` says, or `output_ratio` of the input's size. `_random_samples` (N, C, 3)
 * are taken instead of random numbers. With `return_indices`, given by name, also the places in the
 * flat plane.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html
 *
 * @throws ShapeError where the windows do not fit, ArgumentError for a ratio that is not in (0, 1).
 */
export const fractionalMaxPool3d = maybeIndexed(
  named(
    'fractional_max_pool3d',
    FRACTIONAL,
    (
      input: Tensor,
      kernel_size: Sizes,
      output_size: Sizes | null = null,
      output_ratio: number | readonly number[] | null = null,
      return_indices = false,
      _random_samples: Tensor | null = null,
    ): Tensor => {
      const options = { kernel_size, output_size, output_ratio, return_indices, _random_samples };
      return fractionalMaxPool(3, input, options);
    },
  ),
);
