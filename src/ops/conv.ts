/** Convolution over one, two and three dimensions; all are computed as two-dimensional ones. */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Conv2dAttrs } from '../engine/kernels.ts';
import { addBias, checkBias, convolvedShape, convolveImages } from './convolution.ts';
import { matrixOperand } from './mixed.ts';
import { permute, reshape, squeeze, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { pad } from './padding.ts';
import { slidingWindows } from './sliding.ts';
import { inBatches, type Sizes, windowSizes } from './window.ts';

/** Zeros added on both sides, `'valid'` for none, `'same'` to keep the size (stride 1 only). */
export type ConvPadding = Sizes | 'valid' | 'same';

/** The bias that a caller gives; a module without one gives null. */
export type Bias = Tensor | null;

const ARGUMENTS = ['input', 'weight', 'bias', 'stride', 'padding', 'dilation', 'groups'] as const;

function convolution(
  dims: 1 | 2 | 3,
  input: Tensor,
  weight: Tensor,
  bias: Bias,
  stride: Sizes,
  padding: ConvPadding,
  dilation: Sizes,
  groups: number,
): Tensor {
  const op = `conv${dims}d`;
  const [parts] = windowSizes(op, 'groups', groups, 1, 1) as [number];
  const window = {
    stride: windowSizes(op, 'stride', stride, dims, 1),
    dilation: windowSizes(op, 'dilation', dilation, dims, 1),
    groups: parts,
  };
  // The operands are those that are computed with, before their dtypes are compared.
  const [w, b] = [matrixOperand(weight), matrixOperand(bias)];
  return inBatches(matrixOperand(input), dims, (x) => {
    const { before, after } = convPadding(op, padding, w.shape.slice(2), window);
    const even = padAfter(x, before, after);
    const attrs = { ...window, padding: before };
    convolvedShape(op, even, w, attrs);
    checkBias(op, b, w, w.shape[0]!);
    return COMPUTE[dims](even, w, b, attrs);
  });
}

/** The zeros before and after each dimension. They differ for `'same'` and an even kernel. */
export function convPadding(
  op: string,
  padding: ConvPadding,
  kernel: readonly number[],
  { stride, dilation }: Pick<Conv2dAttrs, 'stride' | 'dilation'>,
): { before: readonly number[]; after: readonly number[] } {
  if (padding === 'same') {
    if (stride.some((step) => step !== 1)) {
      throw opError(ArgumentError, op, 'padding "same" needs stride 1');
    }
    const total = stride.map((_, i) => dilation[i]! * ((kernel[i] ?? 1) - 1));
    const before = total.map((size) => Math.floor(size / 2));
    return { before, after: total.map((size, i) => size - before[i]!) };
  }
  const isWord = typeof padding === 'string';
  if (isWord && padding !== 'valid') {
    throw opError(ArgumentError, op, `padding must be numbers, "valid" or "same", got ${padding}`);
  }
  const sizes = windowSizes(op, 'padding', isWord ? 0 : padding, stride.length, 0);
  return { before: sizes, after: sizes };
}

/** `x` with the zeros that `after` has more than `before`. */
function padAfter(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if (after.every((size, i) => size === before[i])) return x;
  return pad(x, after.flatMap((size, i) => [size - before[i]!, 0]).reverse());
}

/** With a height of 1. */
function convolve1d(x: Tensor, weight: Tensor, bias: Bias, attrs: Conv2dAttrs): Tensor {
  const y = convolveImages(unsqueeze(x, 2), unsqueeze(weight, 2), {
    stride: [1, ...attrs.stride],
    padding: [0, ...attrs.padding],
    dilation: [1, ...attrs.dilation],
    groups: attrs.groups,
  });
  return squeeze(addBias(y, bias), 2);
}

function convolve2d(x: Tensor, weight: Tensor, bias: Bias, attrs: Conv2dAttrs): Tensor {
  return addBias(convolveImages(x, weight, attrs), bias);
}

/** Each slice of the output is a convolution of as many slices of the input, seen as channels. */
function convolve3d(x: Tensor, weight: Tensor, bias: Bias, attrs: Conv2dAttrs): Tensor {
  const { stride, padding, dilation, groups } = attrs;
  const [out, channels, depth, ...kernel] = weight.shape as [number, number, number, ...number[]];
  const padded = pad(x, [0, 0, 0, 0, padding[0]!, padding[0]!]);
  const slices = slidingWindows(permute(padded, [0, 2, 1, 3, 4]), {
    ...{ first: 1, kernel: [depth], stride: [stride[0]!], dilation: [dilation[0]!], taps_at: 3 },
  });
  const [n, count, , , ...size] = slices.shape as [number, number, number, number, ...number[]];
  const y = convolveImages(
    reshape(slices, [n * count, channels * groups * depth, ...size]),
    reshape(weight, [out, channels * depth, ...kernel]),
    {
      stride: stride.slice(1),
      padding: padding.slice(1),
      dilation: dilation.slice(1),
      groups,
    },
  );
  const images = addBias(y, bias);
  return permute(reshape(images, [n, count, ...images.shape.slice(1)]), [0, 2, 1, 3, 4]);
}

const COMPUTE = { 1: convolve1d, 2: convolve2d, 3: convolve3d } as const;

/** The function of `dims` dimensions: they take the same arguments. */
function convolutionOver(dims: 1 | 2 | 3) {
  return named(
    `conv${dims}d`,
    ARGUMENTS,
    (
      input: Tensor,
      weight: Tensor,
      bias: Bias = null,
      stride: Sizes = 1,
      padding: ConvPadding = 0,
      dilation: Sizes = 1,
      groups = 1,
    ): Tensor => convolution(dims, input, weight, bias, stride, padding, dilation, groups),
  );
}

/**
 * x (N, C, L) or (C, L), weight (O, C/groups, k), bias (O) -> (N, O, L') or (O, L').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype.
 */
export const conv1d = convolutionOver(1);

/**
 * x (N, C, H, W) or (C, H, W), weight (O, C/groups, kH, kW), bias (O) -> (N, O, H', W') or (O, H',
 * W').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype.
 */
export const conv2d = convolutionOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W), weight (O, C/groups, kD, kH, kW), bias (O) -> (N, O, D', H',
 * W') or (O, D', H', W'). https://pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
 *
 * @throws ShapeError where the sizes do not fit, DTypeError unless all have one floating dtype.
 */
export const conv3d = convolutionOver(3);

/**
 * Convolution with time first: x (T, N, C), weight (k, C, O), bias (O) -> (T', N, O), with `pad`
 * zeros before and after. https://pytorch.org/docs/stable/generated/torch.conv_tbc.html
 *
 * @throws ShapeError where the sizes do not fit.
 */
export const convTbc = named(
  'conv_tbc',
  ['input', 'weight', 'bias', 'pad'],
  (input: Tensor, weight: Tensor, bias: Tensor, padding = 0): Tensor => {
    const [x, w] = [input, weight].map((t) => (t.ndim === 3 ? t : unsqueeze(t, 0)));
    const y = conv1d(permute(x!, [1, 2, 0]), permute(w!, [2, 1, 0]), bias, 1, padding);
    return permute(y, [2, 0, 1]);
  },
);
