/** Two-dimensional convolution: three ops that are each other's gradients. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Op } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Conv2dAttrs } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';
import { defineOp } from './define.ts';
import { matrixOperand } from './mixed.ts';
import { unsqueeze } from './movement.ts';
import { add } from './pointwise.ts';
import { type Pair, pair } from './window.ts';

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
  infer: ([x, w], attrs) => [{ dtype: x!.dtype, shape: outputShape(x!, w!, attrs) }],
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

/** The shape rule, with every way in which the sizes can fail to fit. */
function outputShape(x: ValueType, w: ValueType, attrs: Conv2dAttrs): number[] {
  const fail = (problem: string) => {
    const sizes = `input ${formatShape(x.shape)}, weight ${formatShape(w.shape)}`;
    return opError(ShapeError, 'conv2d', `${problem}: ${sizes}`);
  };
  if (!isFloating(x.dtype) || x.dtype !== w.dtype) {
    throw opError(
      DTypeError,
      'conv2d',
      `input and weight must have one floating point dtype, got ${x.dtype} and ${w.dtype}`,
    );
  }
  if (x.shape.length !== 4 || w.shape.length !== 4) {
    throw fail('input must be (N, C, H, W) and weight (O, C/groups, kH, kW)');
  }
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [out, perGroup, kernelHeight, kernelWidth] = w.shape as [number, number, number, number];
  if (channels !== perGroup * attrs.groups) {
    const groups = attrs.groups === 1 ? '' : ` in ${attrs.groups} groups`;
    throw fail(
      `expected an input of ${perGroup * attrs.groups} channels${groups}, got ${channels}`,
    );
  }
  if (out % attrs.groups !== 0) {
    throw fail(`${out} output channels cannot be split into ${attrs.groups} groups`);
  }
  const spatial = [
    [height, kernelHeight],
    [width, kernelWidth],
  ].map(([size, kernel], i) => {
    const reach = attrs.dilation[i]! * (kernel! - 1) + 1;
    return Math.floor((size! + 2 * attrs.padding[i]! - reach) / attrs.stride[i]!) + 1;
  });
  if (spatial.some((size) => size < 1)) throw fail('the kernel is larger than the padded input');
  return [n, out, ...spatial];
}

export interface Conv2dOptions {
  readonly stride?: Pair;
  /** Zeros added on all sides, `'valid'` for none, `'same'` to keep the size (stride 1 only). */
  readonly padding?: Pair | 'valid' | 'same';
  readonly dilation?: Pair;
  readonly groups?: number;
}

/**
 * x (N, C, H, W) or (C, H, W), weight (O, C/groups, kH, kW), bias (O) -> (N, O, H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: Conv2dOptions = {},
): Tensor {
  if (bias && !sameShape(bias.shape, weight.shape.slice(0, 1))) {
    const expected = formatShape(weight.shape.slice(0, 1));
    throw opError(ShapeError, 'conv2d', `bias must be ${expected}, got ${formatShape(bias.shape)}`);
  }
  const batched = x.ndim === 3 ? unsqueeze(x, 0) : x;
  const strides = pair('conv2d', 'stride', stride, 1);
  const dilations = pair('conv2d', 'dilation', dilation, 1);
  const kernel = weight.shape.slice(2);
  const out = apply(CONV2D, [matrixOperand(batched), matrixOperand(weight)], {
    stride: strides,
    dilation: dilations,
    padding: paddingSizes(padding, kernel, strides, dilations),
    groups,
  });
  const biased = bias ? add(out, matrixOperand(bias).reshape([1, -1, 1, 1])) : out;
  return x.ndim === 3 ? biased.squeeze(0) : biased;
}

function paddingSizes(
  padding: Pair | 'valid' | 'same',
  kernel: Shape,
  stride: readonly number[],
  dilation: readonly number[],
): readonly number[] {
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') return pair('conv2d', 'padding', padding, 0);
  if (stride.some((s) => s !== 1)) {
    throw opError(ArgumentError, 'conv2d', 'padding "same" needs stride 1');
  }
  const total = kernel.map((size, i) => dilation[i]! * (size - 1));
  if (total.some((size) => size % 2 !== 0)) {
    throw opError(
      ArgumentError,
      'conv2d',
      `padding "same" needs an odd kernel reach, kernel ${formatShape(kernel)} would be lopsided; pad first`,
    );
  }
  return total.map((size) => size / 2);
}
