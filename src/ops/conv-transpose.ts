/** Transposed convolution: what convolution's gradient does with the gradient. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Conv2dAttrs } from '../engine/kernels.ts';
import type { Bias } from './conv.ts';
import { addBias, checkBias, checkOperands, spreadImages } from './convolution.ts';
import { matrixOperand } from './mixed.ts';
import { permute, reshape, squeeze, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { pad } from './padding.ts';
import { narrow } from './slicing.ts';
import { foldWindows } from './sliding.ts';
import { inBatches, type Sizes, windowSizes } from './window.ts';

const ARGUMENTS = [
  'input',
  'weight',
  'bias',
  'stride',
  'padding',
  'output_padding',
  'groups',
  'dilation',
] as const;

/** How one dimension grows. */
interface Growth {
  readonly stride: number;
  readonly dilation: number;
  /** What is cut off before and after the sum of all windows; less than 0 adds zeros after. */
  readonly before: number;
  readonly after: number;
  /** The size in the end. */
  readonly size: number;
}

function transposed(
  dims: 1 | 2 | 3,
  input: Tensor,
  weight: Tensor,
  bias: Bias,
  given: {
    readonly stride: Sizes;
    readonly padding: Sizes;
    readonly output_padding: Sizes;
    readonly dilation: Sizes;
  },
  groups: number,
): Tensor {
  const op = `conv_transpose${dims}d`;
  const [parts] = windowSizes(op, 'groups', groups, 1, 1) as [number];
  const [w, b] = [matrixOperand(weight), matrixOperand(bias)];
  return inBatches(matrixOperand(input), dims, (x) => {
    const growths = checkGrowth(op, dims, x, w, given);
    const channels = w.shape[0]!;
    if (x.shape[1] !== channels || channels % parts !== 0) {
      throw opError(
        ShapeError,
        op,
        `weight ${formatShape(w.shape)} takes an input of ${channels} channels in ${parts} groups, ` +
          `got ${formatShape(x.shape)}`,
      );
    }
    checkBias(op, b, w, w.shape[1]! * parts);
    return addBias(COMPUTE[dims](x, w, growths, parts), b);
  });
}

function checkGrowth(
  op: string,
  dims: number,
  x: Tensor,
  weight: Tensor,
  given: Parameters<typeof transposed>[4],
): Growth[] {
  const stride = windowSizes(op, 'stride', given.stride, dims, 1);
  const padding = windowSizes(op, 'padding', given.padding, dims, 0);
  const output_padding = windowSizes(op, 'output_padding', given.output_padding, dims, 0);
  const dilation = windowSizes(op, 'dilation', given.dilation, dims, 1);
  checkOperands(op, x, weight, dims, 'C, O/groups');
  return stride.map((step, i) => {
    const more = output_padding[i]!;
    if (more >= Math.max(step, dilation[i]!)) {
      throw opError(
        ArgumentError,
        op,
        `output_padding ${more} must be less than stride ${step} or dilation ${dilation[i]}`,
      );
    }
    const [before, after] = [padding[i]!, padding[i]! - more];
    const growth = { stride: step, dilation: dilation[i]!, before, after };
    const size = wholeSize(x.shape[i + 2]!, weight.shape[i + 2]!, growth) - before - after;
    if (size < 1) {
      const sizes = `input ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}`;
      throw opError(ShapeError, op, `padding ${padding[i]} leaves nothing of the output: ${sizes}`);
    }
    return { ...growth, size };
  });
}

/** Of one dimension, before anything is cut off. */
function wholeSize(size: number, kernel: number, { stride, dilation }: Omit<Growth, 'size'>) {
  return (size - 1) * stride + dilation * (kernel - 1) + 1;
}

/** Cuts off what `growth` says, or adds zeros, along `dim`. */
function cut(whole: Tensor, dim: number, { before, after, size }: Growth): Tensor {
  const missing = Math.max(0, -after);
  const part = narrow(whole, dim, before, size - missing);
  if (missing === 0) return part;
  return pad(part, [...new Array<number>(2 * (whole.ndim - 1 - dim)).fill(0), 0, missing]);
}

function transposed1d(x: Tensor, weight: Tensor, [columns]: Growth[], groups: number): Tensor {
  const rows = { stride: 1, dilation: 1, before: 0, after: 0, size: 1 };
  const y = transposed2d(unsqueeze(x, 2), unsqueeze(weight, 2), [rows, columns!], groups);
  return squeeze(y, 2);
}

function transposed2d(x: Tensor, weight: Tensor, growths: Growth[], groups: number): Tensor {
  // As the kernel cuts, it must be able to count the windows of the size it is told.
  const plain = growths.map(({ before, after, stride }) => before - after < stride);
  const attrs: Conv2dAttrs = {
    stride: growths.map(({ stride }) => stride),
    padding: growths.map(({ before }, i) => (plain[i] ? before : 0)),
    dilation: growths.map(({ dilation }) => dilation),
    groups,
  };
  const size = growths.map((growth, i) =>
    plain[i] ? growth.size : wholeSize(x.shape[i + 2]!, weight.shape[i + 2]!, growth),
  );
  const y = spreadImages(x, weight, attrs, size);
  return growths.reduce((out, growth, i) => (plain[i] ? out : cut(out, i + 2, growth)), y);
}

/** The slices of the kernel are computed as channels, and added along the depth. */
function transposed3d(x: Tensor, weight: Tensor, growths: Growth[], groups: number): Tensor {
  const [depth, ...others] = growths as [Growth, ...Growth[]];
  const [n, channels, slices, ...size] = x.shape as [number, number, number, ...number[]];
  const [, out, taps, ...kernel] = weight.shape as [number, number, number, ...number[]];
  const images = transposed2d(
    reshape(permute(x, [0, 2, 1, 3, 4]), [n * slices, channels, ...size]),
    reshape(weight, [channels, out * taps, ...kernel]),
    others,
    groups,
  );
  const sizes = images.shape.slice(2);
  const windows = reshape(images, [n, slices, out * groups, taps, ...sizes]);
  const whole = wholeSize(slices, taps, depth);
  const y = foldWindows(windows, [n, whole, out * groups, ...sizes], {
    ...{ first: 1, kernel: [taps], stride: [depth.stride], dilation: [depth.dilation], taps_at: 3 },
  });
  return permute(cut(y, 1, depth), [0, 2, 1, 3, 4]);
}

const COMPUTE = { 1: transposed1d, 2: transposed2d, 3: transposed3d } as const;

/** The function of `dims` dimensions: they take the same arguments. */
function transposedOver(dims: 1 | 2 | 3) {
  return named(
    `conv_transpose${dims}d`,
    ARGUMENTS,
    (
      input: Tensor,
      weight: Tensor,
      bias: Bias = null,
      stride: Sizes = 1,
      padding: Sizes = 0,
      output_padding: Sizes = 0,
      groups = 1,
      dilation: Sizes = 1,
    ): Tensor => {
      const window = { stride, padding, output_padding, dilation };
      return transposed(dims, input, weight, bias, window, groups);
    },
  );
}

/**
 * x (N, C, L) or (C, L), weight (C, O/groups, k), bias (O) -> (N, O, L') or (O, L').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype,
 * ArgumentError for an `output_padding` that neither stride nor dilation exceeds.
 */
export const convTranspose1d = transposedOver(1);

/**
 * x (N, C, H, W) or (C, H, W), weight (C, O/groups, kH, kW), bias (O) -> (N, O, H', W') or (O, H',
 * W').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype,
 * ArgumentError for an `output_padding` that neither stride nor dilation exceeds.
 */
export const convTranspose2d = transposedOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W), weight (C, O/groups, kD, kH, kW), bias (O) -> (N, O, D', H',
 * W') or (O, D', H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype,
 * ArgumentError for an `output_padding` that neither stride nor dilation exceeds.
 */
export const convTranspose3d = transposedOver(3);
