/** Max-unpooling: the maxima put back where they came from. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from './creation.ts';
import { scatter } from './indexing.ts';
import { reshape } from './movement.ts';
import { named } from './named.ts';
import { strideOr } from './pooling.ts';
import { checkImages, type Sizes, windowSizes } from './window.ts';

const ARGUMENTS = ['input', 'indices', 'kernel_size', 'stride', 'padding', 'output_size'] as const;

interface Window {
  readonly kernel_size: Sizes;
  readonly stride: Sizes | null;
  readonly padding: Sizes;
}

function maxUnpool(
  dims: 1 | 2 | 3,
  input: Tensor,
  indices: Tensor,
  window: Window,
  output_size: Shape | null,
): Tensor {
  const op = `max_unpool${dims}d`;
  checkImages(op, input, dims);
  if (indices.dtype !== 'int64') {
    throw opError(DTypeError, op, `indices must be int64, got ${indices.dtype}`);
  }
  if (!sameShape(indices.shape, input.shape)) {
    const sizes = `indices ${formatShape(indices.shape)}, input ${formatShape(input.shape)}`;
    throw opError(ShapeError, op, `indices and input must have one shape: ${sizes}`);
  }
  const sizes = unpooledSizes(op, input.shape.slice(-dims), window, output_size);
  const lead = input.shape.slice(0, -dims);
  const flat = (t: Tensor) => reshape(t, [...lead, numel(t.shape.slice(-dims))]);
  const empty = zeros([...lead, numel(sizes)], { dtype: input.dtype });
  // Windows that share their maximum all name its place, with the same value.
  const filled = scatter(empty, lead.length, flat(indices), flat(input));
  return reshape(filled, [...lead, ...sizes]);
}

/** The sizes wanted, by default the smallest that pool to the given ones. */
function unpooledSizes(op: string, from: Shape, window: Window, output_size: Shape | null) {
  const dims = from.length;
  const kernel_size = windowSizes(op, 'kernel_size', window.kernel_size, dims, 1);
  const stride = windowSizes(op, 'stride', strideOr(window.stride, kernel_size), dims, 1);
  const padding = windowSizes(op, 'padding', window.padding, dims, 0);
  const least = from.map((size, i) => (size - 1) * stride[i]! + kernel_size[i]! - 2 * padding[i]!);
  if (output_size === null) return windowSizes(op, 'output_size', least, dims, 0);
  const wanted = output_size.slice(-dims);
  const known = [dims, dims + 2].includes(output_size.length);
  if (!known || wanted.some((size, i) => Math.abs(size - least[i]!) >= stride[i]!)) {
    throw opError(
      ArgumentError,
      op,
      `output_size (${output_size}) must differ from (${least}) by less than stride (${stride})`,
    );
  }
  return wanted;
}

/** The function of `dims` dimensions: they take the same arguments. */
function maxUnpoolOver(dims: 1 | 2 | 3) {
  return named(
    `max_unpool${dims}d`,
    ARGUMENTS,
    (
      input: Tensor,
      indices: Tensor,
      kernel_size: Sizes,
      stride: Sizes | null = null,
      padding: Sizes = 0,
      output_size: Shape | null = null,
    ): Tensor => maxUnpool(dims, input, indices, { kernel_size, stride, padding }, output_size),
  );
}

/**
 * x (N, C, L) or (C, L) with the `indices` that `maxPool1d` gave -> zeros but for x at its places.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
 *
 * @throws ShapeError or ArgumentError where the sizes do not fit, DTypeError unless `indices` is
 *   int64.
 */
export const maxUnpool1d = maxUnpoolOver(1);

/**
 * x (N, C, H, W) or (C, H, W) with the `indices` that `maxPool2d` gave -> zeros but for x at its
 * places.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
 *
 * @throws ShapeError or ArgumentError where the sizes do not fit, DTypeError unless `indices` is
 *   int64.
 */
export const maxUnpool2d = maxUnpoolOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W) with the `indices` that `maxPool3d` gave -> zeros but for x at
 * its places.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
 *
 * @throws ShapeError or ArgumentError where the sizes do not fit, DTypeError unless `indices` is
 *   int64.
 */
export const maxUnpool3d = maxUnpoolOver(3);
