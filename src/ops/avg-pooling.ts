/** Average pooling: over windows of one size, or of sizes that give a wanted output. */

import { needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AvgPool2dAttrs } from '../engine/kernels.ts';
import { defineOp } from './define.ts';
import { permute, reshape } from './movement.ts';
import { named } from './named.ts';
import { strideOr } from './pooling.ts';
import { mean } from './reduction.ts';
import { checkImages, inBatches, pooledSize, type Sizes, windowSizes } from './window.ts';

interface AvgPoolAttrs extends AvgPool2dAttrs {
  /** (H, W) of x. */
  readonly size: readonly [number, number];
}

function avgPoolRow(
  name: string,
  kernel: 'avg_pool2d_fwd' | 'avg_pool2d_bwd',
  sizeOf: (attrs: AvgPoolAttrs) => readonly number[],
  vjp: Vjp<AvgPoolAttrs>,
) {
  return defineOp<AvgPoolAttrs>({
    name,
    kind: 'pooling',
    vjp,
    infer([x], attrs) {
      needsFloating(name, x!);
      return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, 2), ...sizeOf(attrs)] }];
    },
    lower: ({ attrs: { size: _, ...attrs } }) => ({ kernel, attrs }),
  });
}

const AVG_POOL2D = avgPoolRow(
  'avg_pool2d',
  'avg_pool2d_fwd',
  ({ row_begin, column_begin }) => [row_begin.length, column_begin.length],
  ({ grads, attrs }) => [apply(AVG_POOL2D_BACKWARD, [grads[0]!], attrs)],
);

/** The transpose of a linear function; so the gradient of the gradient is the function itself. */
const AVG_POOL2D_BACKWARD = avgPoolRow(
  'avg_pool2d_backward',
  'avg_pool2d_bwd',
  ({ size }) => size,
  ({ grads, attrs }) => [apply(AVG_POOL2D, [grads[0]!], attrs)],
);

/** The windows along one dimension. */
interface Windows {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly divisor: readonly number[];
}

/** Of a dimension that is not there. */
const WHOLE: Windows = { begin: [0], end: [1], divisor: [1] };

function averageImages(x: Tensor, rows: Windows, columns: Windows): Tensor {
  return apply(AVG_POOL2D, [x], {
    ...{ row_begin: rows.begin, row_end: rows.end, row_divisor: rows.divisor },
    ...{ column_begin: columns.begin, column_end: columns.end, column_divisor: columns.divisor },
    size: [x.shape[2]!, x.shape[3]!],
  });
}

/** x (N, C, ...) -> the mean of each window, one list of windows a dimension. */
function average(x: Tensor, windows: readonly Windows[]): Tensor {
  const [n, channels, ...sizes] = x.shape as [number, number, ...number[]];
  if (windows.length === 1) {
    return averageImages(x.unsqueeze(2), WHOLE, windows[0]!).squeeze(2);
  }
  if (windows.length === 2) return averageImages(x, windows[0]!, windows[1]!);
  const [depth, rows, columns] = windows as [Windows, Windows, Windows];
  const [slices, height, width] = sizes as [number, number, number];
  const images = averageImages(reshape(x, [n, channels * slices, height, width]), rows, columns);
  const size = images.shape.slice(2);
  // Each place of a slice is a channel with the depth for rows.
  const deep = permute(reshape(images, [n, channels, slices, ...size]), [0, 1, 3, 4, 2]);
  const places = channels * size[0]! * size[1]!;
  const means = averageImages(reshape(deep, [n, places, slices, 1]), depth, WHOLE);
  const out = means.shape[2]!;
  return permute(reshape(means, [n, channels, ...size, out]), [0, 1, 4, 2, 3]);
}

interface AvgPoolArguments {
  readonly kernel_size: Sizes;
  readonly stride: Sizes | null;
  readonly padding: Sizes;
  readonly ceil_mode: boolean;
  readonly count_include_pad: boolean;
  readonly divisor_override: number | null;
}

function avgPool(dims: 1 | 2 | 3, input: Tensor, given: AvgPoolArguments): Tensor {
  const op = `avg_pool${dims}d`;
  checkImages(op, input, dims);
  const { ceil_mode, count_include_pad, divisor_override } = given;
  const kernel_size = windowSizes(op, 'kernel_size', given.kernel_size, dims, 1);
  const stride = windowSizes(op, 'stride', strideOr(given.stride, kernel_size), dims, 1);
  const padding = windowSizes(op, 'padding', given.padding, dims, 0);
  checkWindow(op, input, { kernel_size, padding, divisor_override });
  const windows = kernel_size.map((kernel, d): Windows => {
    const size = input.shape.at(d - dims)!;
    const [step, pad] = [stride[d]!, padding[d]!];
    const out = pooledSize({ size, reach: kernel, stride: step, padding: pad, ceil_mode });
    // Where the zeros beyond ceil_mode's last window begin, nothing counts.
    const starts = Array.from({ length: out }, (_, i) => i * step - pad);
    const begin = starts.map((start) => Math.max(start, 0));
    const end = starts.map((start) => Math.min(start + kernel, size));
    const counts = starts.map((start, i) =>
      count_include_pad ? Math.min(start + kernel, size + pad) - start : end[i]! - begin[i]!,
    );
    // An override stands for the product over all dimensions.
    const divisor =
      divisor_override === null ? counts : counts.map(() => (d === 0 ? divisor_override : 1));
    return { begin, end, divisor };
  });
  return inBatches(input, dims, (x) => average(x, windows));
}

function checkWindow(
  op: string,
  { shape }: Tensor,
  {
    kernel_size,
    padding,
    divisor_override,
  }: {
    readonly kernel_size: readonly number[];
    readonly padding: readonly number[];
    readonly divisor_override: number | null;
  },
): void {
  const fail = (message: string) => opError(ArgumentError, op, message);
  if (padding.some((size, i) => 2 * size > kernel_size[i]!)) {
    throw fail(`padding (${padding}) must be at most half of kernel_size (${kernel_size})`);
  }
  if (divisor_override === 0) throw fail('divisor_override must not be 0');
  const dims = kernel_size.length;
  if (kernel_size.some((size, i) => size > shape.at(i - dims)! + 2 * padding[i]!)) {
    throw opError(
      ShapeError,
      op,
      `kernel (${kernel_size}) is larger than the padded input ${formatShape(shape)}`,
    );
  }
}

/**
 * x (N, C, L) or (C, L) -> the mean of each window. A `stride` of null is the kernel's size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window.
 */
export const avgPool1d = named(
  'avg_pool1d',
  ['input', 'kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad'],
  (
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | null = null,
    padding: Sizes = 0,
    ceil_mode = false,
    count_include_pad = true,
  ): Tensor => {
    const window = { kernel_size, stride, padding, ceil_mode, count_include_pad };
    return avgPool(1, input, { ...window, divisor_override: null });
  },
);

/** The function of `dims` dimensions: but for one, they take the same arguments. */
function avgPoolOver(dims: 2 | 3) {
  return named(
    `avg_pool${dims}d`,
    [
      'input',
      'kernel_size',
      'stride',
      'padding',
      'ceil_mode',
      'count_include_pad',
      'divisor_override',
    ],
    (
      input: Tensor,
      kernel_size: Sizes,
      stride: Sizes | null = null,
      padding: Sizes = 0,
      ceil_mode = false,
      count_include_pad = true,
      divisor_override: number | null = null,
    ): Tensor => {
      const window = { kernel_size, stride, padding, ceil_mode, count_include_pad };
      return avgPool(dims, input, { ...window, divisor_override });
    },
  );
}

/**
 * x (N, C, H, W) or (C, H, W) -> the mean of each window. A `stride` of null is the kernel's size;
 * without `count_include_pad` the padding's zeros do not count as elements; `divisor_override` is
 * what sums are divided by instead.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window, or a divisor of 0.
 */
export const avgPool2d = avgPoolOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> the mean of each window. A `stride` of null is the kernel's
 * size; without `count_include_pad` the padding's zeros do not count as elements;
 * `divisor_override` is what sums are divided by instead.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window, or a divisor of 0.
 */
export const avgPool3d = avgPoolOver(3);

/** One size for all dimensions, or one each; `null` keeps the input's. */
export type AdaptiveSize = number | null | readonly (number | null)[];

/** The sizes wanted of the last `dims` dimensions. */
export function adaptiveSizes(op: string, { shape }: Tensor, wanted: AdaptiveSize, dims: number) {
  const given = wanted === null || typeof wanted === 'number' ? [wanted] : wanted;
  const all = given.length === 1 ? new Array<number | null>(dims).fill(given[0]!) : given;
  const sizes = all.map((size, i) => size ?? shape.at(i - dims)!);
  return windowSizes(op, 'output_size', sizes, dims, 0);
}

function adaptiveAvgPool(dims: 1 | 2 | 3, input: Tensor, output_size: AdaptiveSize): Tensor {
  const op = `adaptive_avg_pool${dims}d`;
  checkImages(op, input, dims);
  const sizes = adaptiveSizes(op, input, output_size, dims);
  const last = sizes.map((_, i) => i - dims);
  if (sizes.every((size) => size === 1)) return mean(input, last, true);
  const windows = sizes.map((out, d): Windows => {
    const size = input.shape.at(d - dims)!;
    const places = Array.from({ length: out }, (_, i) => i);
    const begin = places.map((i) => Math.floor((i * size) / out));
    const end = places.map((i) => Math.ceil(((i + 1) * size) / out));
    return { begin, end, divisor: begin.map((first, i) => end[i]! - first) };
  });
  return inBatches(input, dims, (x) => average(x, windows));
}

/**
 * x (N, C, L) or (C, L) -> (N, C, *output_size): output i of a dimension is the mean of the
 * places floor(i * size / output) up to ceil((i + 1) * size / output). `null` keeps a size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveAvgPool1d = named(
  'adaptive_avg_pool1d',
  ['input', 'output_size'],
  (input: Tensor, output_size: AdaptiveSize): Tensor => adaptiveAvgPool(1, input, output_size),
);

/**
 * x (N, C, H, W) or (C, H, W) -> (N, C, *output_size): output i of a dimension is the mean of the
 * places floor(i * size / output) up to ceil((i + 1) * size / output). `null` keeps a size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveAvgPool2d = named(
  'adaptive_avg_pool2d',
  ['input', 'output_size'],
  (input: Tensor, output_size: AdaptiveSize): Tensor => adaptiveAvgPool(2, input, output_size),
);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> (N, C, *output_size): output i of a dimension is the mean of
 * the places floor(i * size / output) up to ceil((i + 1) * size / output). `null` keeps a size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html
 *
 * @throws ShapeError for another rank or an empty plane, ArgumentError for a negative size.
 */
export const adaptiveAvgPool3d = named(
  'adaptive_avg_pool3d',
  ['input', 'output_size'],
  (input: Tensor, output_size: AdaptiveSize): Tensor => adaptiveAvgPool(3, input, output_size),
);
