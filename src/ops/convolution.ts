/**
 * The rows of convolution, over two dimensions: three ops that are each other's gradients. What
 * users call, over one to three dimensions, stands in conv.ts and conv-transpose.ts.
 */

import { isFloating } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Op } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Conv2dAttrs } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';
import { defineOp } from './define.ts';
import { reshape } from './movement.ts';
import { add } from './pointwise.ts';
import { imageShapes, spatialAxes } from './window.ts';

/** As the kernel's, plus the size the backward ops must give. */
type BackwardAttrs = Conv2dAttrs & { readonly size: Shape };

/** Multiply-adds of one convolution, counted once per output element. */
function convolutionFlops(output: Shape, weight: Shape): number {
  return 2 * numel(output) * numel(weight.slice(1));
}

function kernelAttrs({ stride, padding, dilation, groups }: Conv2dAttrs): Conv2dAttrs {
  return { stride, padding, dilation, groups };
}

const CONV2D: Op<Conv2dAttrs> = defineOp<Conv2dAttrs>({
  name: 'conv2d',
  kind: 'convolution',
  vjp({ grads, inputs, attrs }) {
    const [x, w] = inputs as [Tensor, Tensor];
    return [
      apply(CONV2D_DATA, [grads[0]!, w], { ...attrs, size: x.shape }),
      apply(CONV2D_WEIGHT, [grads[0]!, x], { ...attrs, size: w.shape }),
    ];
  },
  infer: ([x, w], attrs) => [{ dtype: x!.dtype, shape: convolvedShape('conv2d', x!, w!, attrs) }],
  lower: ({ attrs }) => ({ kernel: 'conv2d_fwd', attrs: kernelAttrs(attrs) }),
  flops: ([, w], [y]) => convolutionFlops(y!.shape, w!.shape),
});

const CONV2D_DATA: Op<BackwardAttrs> = defineOp<BackwardAttrs>({
  name: 'conv2d_backward_data',
  kind: 'convolution',
  vjp({ grads, inputs, attrs }) {
    const [g, w] = inputs as [Tensor, Tensor];
    return [
      apply(CONV2D, [grads[0]!, w], kernelAttrs(attrs)),
      apply(CONV2D_WEIGHT, [g, grads[0]!], { ...attrs, size: w.shape }),
    ];
  },
  infer: ([g], { size }) => [{ dtype: g!.dtype, shape: size }],
  lower: ({ attrs }) => ({ kernel: 'conv2d_bwd_data', attrs: kernelAttrs(attrs) }),
  flops: ([g, w]) => convolutionFlops(g!.shape, w!.shape),
});

const CONV2D_WEIGHT: Op<BackwardAttrs> = defineOp<BackwardAttrs>({
  name: 'conv2d_backward_weight',
  kind: 'convolution',
  vjp({ grads, inputs, attrs }) {
    const [g, x] = inputs as [Tensor, Tensor];
    return [
      apply(CONV2D, [x, grads[0]!], kernelAttrs(attrs)),
      apply(CONV2D_DATA, [g, grads[0]!], { ...attrs, size: x.shape }),
    ];
  },
  infer: ([g], { size }) => [{ dtype: g!.dtype, shape: size }],
  lower: ({ attrs }) => ({ kernel: 'conv2d_bwd_weight', attrs: kernelAttrs(attrs) }),
  flops: ([g], _, { size }) => convolutionFlops(g!.shape, size),
});

/**
 * The shape rule over any number of dimensions, with every way in which the sizes can fail to fit.
 */
export function convolvedShape(
  op: string,
  x: ValueType,
  w: ValueType,
  { stride, padding, dilation, groups }: Conv2dAttrs,
): number[] {
  const dims = stride.length;
  const fail = (problem: string) => {
    const sizes = `input ${formatShape(x.shape)}, weight ${formatShape(w.shape)}`;
    return opError(ShapeError, op, `${problem}: ${sizes}`);
  };
  checkOperands(op, x, w, dims, 'O, C/groups');
  const [n, channels, ...sizes] = x.shape as [number, number, ...number[]];
  const [out, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  if (channels !== perGroup * groups) {
    const parts = groups === 1 ? '' : ` in ${groups} groups`;
    throw fail(`expected an input of ${perGroup * groups} channels${parts}, got ${channels}`);
  }
  if (out % groups !== 0 || out === 0) {
    throw fail(`${out} output channels cannot be split into ${groups} groups`);
  }
  const spatial = sizes.map((size, i) => {
    const reach = dilation[i]! * (kernel[i]! - 1) + 1;
    return Math.floor((size + 2 * padding[i]! - reach) / stride[i]!) + 1;
  });
  if (spatial.some((size) => size < 1)) throw fail('the kernel is larger than the padded input');
  return [n, out, ...spatial];
}

/**
 * Throws unless input and weight are of one floating dtype and of the ranks of `dims` dimensions.
 */
export function checkOperands(
  op: string,
  x: ValueType,
  w: ValueType,
  dims: number,
  channels: string,
): void {
  if (!isFloating(x.dtype) || x.dtype !== w.dtype) {
    throw opError(
      DTypeError,
      op,
      `input and weight must have one floating point dtype, got ${x.dtype} and ${w.dtype}`,
    );
  }
  if (x.shape.length === dims + 2 && w.shape.length === dims + 2) return;
  const axes = spatialAxes(dims);
  const kernel = axes.map((axis) => `k${axis}`).join(', ');
  const sizes = `input ${formatShape(x.shape)}, weight ${formatShape(w.shape)}`;
  throw opError(
    ShapeError,
    op,
    `input must be ${imageShapes(dims)} and weight (${channels}, ${kernel}): ${sizes}`,
  );
}

/** Throws unless there is no bias, or one value of the weight's dtype for each of `channels`. */
export function checkBias(op: string, bias: Tensor | null, w: ValueType, channels: number): void {
  if (bias === null) return;
  if (!sameShape(bias.shape, [channels])) {
    throw opError(ShapeError, op, `bias must be (${channels},), got ${formatShape(bias.shape)}`);
  }
  if (bias.dtype !== w.dtype) {
    throw opError(DTypeError, op, `bias is ${bias.dtype}, input and weight are ${w.dtype}`);
  }
}

/** x (N, C, H, W), w (O, C/groups, kH, kW) -> (N, O, H', W'). */
export function convolveImages(x: Tensor, w: Tensor, attrs: Conv2dAttrs): Tensor {
  return apply(CONV2D, [x, w], attrs);
}

/**
 * y (N, O, H', W'), w (O, C/groups, kH, kW) -> (N, C, *size): the transpose of `convolveImages`.
 */
export function spreadImages(y: Tensor, w: Tensor, attrs: Conv2dAttrs, size: Shape): Tensor {
  const shape = [y.shape[0]!, w.shape[1]! * attrs.groups, ...size];
  return apply(CONV2D_DATA, [y, w], { ...attrs, size: shape });
}

/** y (N, O, ...) plus one value for each channel. */
export function addBias(y: Tensor, bias: Tensor | null): Tensor {
  if (bias === null) return y;
  const shape = y.shape.map((_, dim) => (dim === 1 ? -1 : 1));
  return add(y, reshape(bias, shape));
}
