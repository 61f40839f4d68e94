/** Average pooling: over windows of one size, or of sizes that give a wanted output. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Vjp } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AvgPool2dAttrs } from '../engine/kernels.ts';
import { defineOp } from './define.ts';
import { mean } from './reduction.ts';
import { type Pair, pair, pooledSize } from './window.ts';

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
      if (!isFloating(x!.dtype)) {
        throw opError(DTypeError, name, `needs a floating point tensor, got ${x!.dtype}`);
      }
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
  readonly begin: number[];
  readonly end: number[];
  readonly divisor: number[];
}

function average(x: Tensor, rows: Windows, columns: Windows): Tensor {
  const batched = x.ndim === 3 ? x.unsqueeze(0) : x;
  const y = apply(AVG_POOL2D, [batched], {
    ...{ row_begin: rows.begin, row_end: rows.end, row_divisor: rows.divisor },
    ...{ column_begin: columns.begin, column_end: columns.end, column_divisor: columns.divisor },
    size: [x.shape.at(-2)!, x.shape.at(-1)!],
  });
  return x.ndim === 3 ? y.squeeze(0) : y;
}

export interface AvgPool2dOptions {
  readonly kernel_size: Pair;
  /** Defaults to the kernel size. */
  readonly stride?: Pair | null;
  readonly padding?: Pair;
  readonly ceil_mode?: boolean;
  /** Whether the zeros of the padding count as elements. */
  readonly count_include_pad?: boolean;
  /** What sums are divided by, instead of the number of elements. */
  readonly divisor_override?: number | null;
}

/**
 * x (N, C, H, W) or (C, H, W) -> the mean of each window.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  checkImages('avg_pool2d', x);
  const { ceil_mode = false, count_include_pad = true, divisor_override = null } = options;
  const kernel_size = pair('avg_pool2d', 'kernel_size', options.kernel_size, 1);
  const stride = pair('avg_pool2d', 'stride', options.stride ?? kernel_size, 1);
  const padding = pair('avg_pool2d', 'padding', options.padding ?? 0, 0);
  checkWindow(x.shape, kernel_size, padding, divisor_override);
  const [rows, columns] = [0, 1].map((d) => {
    const size = x.shape.at(d - 2)!;
    const [kernel, step, pad] = [kernel_size[d]!, stride[d]!, padding[d]!];
    const out = pooledSize({ size, reach: kernel, stride: step, padding: pad, ceil_mode });
    // Where the zeros beyond ceil_mode's last window begin, nothing counts.
    const starts = Array.from({ length: out }, (_, i) => i * step - pad);
    const begin = starts.map((start) => Math.max(start, 0));
    const end = starts.map((start) => Math.min(start + kernel, size));
    const counts = starts.map((start, i) =>
      count_include_pad ? Math.min(start + kernel, size + pad) - start : end[i]! - begin[i]!,
    );
    // An override stands for the product of both dimensions.
    const divisor =
      divisor_override === null ? counts : counts.map(() => (d === 0 ? divisor_override : 1));
    return { begin, end, divisor };
  }) as [Windows, Windows];
  return average(x, rows, columns);
}

/**
 * x (N, C, H, W) or (C, H, W) -> (N, C, *output_size): output i is the mean of the places
 * floor(i * size / output) up to ceil((i + 1) * size / output). `null` keeps a size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export function adaptiveAvgPool2d(
  x: Tensor,
  output_size: number | null | readonly (number | null)[],
): Tensor {
  checkImages('adaptive_avg_pool2d', x);
  const given = Array.isArray(output_size) ? output_size : [output_size, output_size];
  const sizes = pair(
    'adaptive_avg_pool2d',
    'output_size',
    given.map((size: number | null, i: number) => size ?? x.shape.at(i - 2)!),
    1,
  );
  if (sizes[0] === 1 && sizes[1] === 1) return mean(x, [-2, -1], true);
  const [rows, columns] = sizes.map((out, d) => {
    const size = x.shape.at(d - 2)!;
    const places = Array.from({ length: out }, (_, i) => i);
    const begin = places.map((i) => Math.floor((i * size) / out));
    const end = places.map((i) => Math.ceil(((i + 1) * size) / out));
    return { begin, end, divisor: begin.map((first, i) => end[i]! - first) };
  }) as [Windows, Windows];
  return average(x, rows, columns);
}

function checkImages(op: string, { dtype, shape }: Tensor): void {
  if (!isFloating(dtype)) {
    throw opError(DTypeError, op, `needs a floating point tensor, got ${dtype}`);
  }
  if ((shape.length !== 3 && shape.length !== 4) || shape.slice(-3).includes(0)) {
    throw opError(
      ShapeError,
      op,
      `input must be (N, C, H, W) or (C, H, W), none but N empty, got ${formatShape(shape)}`,
    );
  }
}

function checkWindow(
  shape: Shape,
  kernel_size: readonly number[],
  padding: readonly number[],
  divisor_override: number | null,
): void {
  const fail = (message: string) => opError(ArgumentError, 'avg_pool2d', message);
  if (padding.some((size, i) => 2 * size > kernel_size[i]!)) {
    throw fail(`padding (${padding}) must be at most half of kernel_size (${kernel_size})`);
  }
  if (divisor_override === 0) throw fail('divisor_override must not be 0');
  if (kernel_size.some((size, i) => size > shape.at(i - 2)! + 2 * padding[i]!)) {
    throw opError(
      ShapeError,
      'avg_pool2d',
      `kernel (${kernel_size}) is larger than the padded input ${formatShape(shape)}`,
    );
  }
}
