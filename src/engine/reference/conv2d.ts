/**
 * Convolution and its two gradients. The three are one sum over the same products
 * y[n,o,h',w'] += x[n,c,h,w] * w[o,c',i,j], seen from each of its factors.
 */

import { formatShape, type Shape } from '../../base/shape.ts';
import type { Conv2dAttrs } from '../kernels.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

interface Geometry {
  readonly x: Shape; // (N, C, H, W)
  readonly w: Shape; // (O, C/groups, kH, kW)
  readonly y: Shape; // (N, O, H', W')
  readonly attrs: Conv2dAttrs;
}

/** x, w -> y */
export function conv2dForward(call: KernelCall<'conv2d_fwd'>): Run {
  const [x, w] = operands(call);
  const geometry = checkGeometry({ x, w, y: call.outputs[0]!.shape, attrs: call.attrs });
  return ([input, weight], [out]) => {
    forEachProduct(geometry, (yi, xi, wi) => {
      out![yi]! += input![xi]! * weight![wi]!;
    });
  };
}

/** g, w -> x's gradient */
export function conv2dBackwardData(call: KernelCall<'conv2d_bwd_data'>): Run {
  const [y, w] = operands(call);
  const geometry = checkGeometry({ x: call.outputs[0]!.shape, w, y, attrs: call.attrs });
  return ([gradient, weight], [out]) => {
    forEachProduct(geometry, (yi, xi, wi) => {
      out![xi]! += gradient![yi]! * weight![wi]!;
    });
  };
}

/** g, x -> w's gradient */
export function conv2dBackwardWeight(call: KernelCall<'conv2d_bwd_weight'>): Run {
  const [y, x] = operands(call);
  const geometry = checkGeometry({ x, w: call.outputs[0]!.shape, y, attrs: call.attrs });
  return ([gradient, input], [out]) => {
    forEachProduct(geometry, (yi, xi, wi) => {
      out![wi]! += gradient![yi]! * input![xi]!;
    });
  };
}

type ConvolutionName = 'conv2d_fwd' | 'conv2d_bwd_data' | 'conv2d_bwd_weight';

function operands(call: KernelCall<ConvolutionName>): [Shape, Shape] {
  arity(call, 2);
  checkFloating(call);
  return [call.inputs[0]!.shape, call.inputs[1]!.shape];
}

function checkGeometry(geometry: Geometry): Geometry {
  const { x, w, y, attrs } = geometry;
  const shapes = `x ${formatShape(x)}, w ${formatShape(w)}, y ${formatShape(y)}`;
  check(
    x.length === 4 && w.length === 4 && y.length === 4,
    `all operands must have 4 dimensions: ${shapes}`,
  );
  const { groups, stride, padding, dilation } = attrs;
  check(
    groups >= 1 && x[1] === w[1]! * groups && w[0]! % groups === 0,
    `channels do not fit ${groups} groups: ${shapes}`,
  );
  check(
    stride.length === 2 && padding.length === 2 && dilation.length === 2,
    'stride, padding and dilation must have two numbers each',
  );
  check(
    Math.min(...stride, ...dilation) >= 1 && Math.min(...padding) >= 0,
    `stride [${stride}] and dilation [${dilation}] must be positive, padding [${padding}] not negative`,
  );
  checkShape('y (N, O)', y.slice(0, 2), [x[0]!, w[0]!]);
  return geometry;
}

/** Calls `visit` with the flat places in y, x and w of every product; padding has none. */
function forEachProduct(
  { x, w, y, attrs }: Geometry,
  visit: (yi: number, xi: number, wi: number) => void,
): void {
  const [N, C, H, W] = x as [number, number, number, number];
  const [O, channels, kH, kW] = w as [number, number, number, number];
  const [, , outH, outW] = y as [number, number, number, number];
  const [strideH, strideW] = attrs.stride as [number, number];
  const [padH, padW] = attrs.padding as [number, number];
  const [dilationH, dilationW] = attrs.dilation as [number, number];
  const outPerGroup = O / attrs.groups;

  for (let n = 0; n < N; n++) {
    for (let o = 0; o < O; o++) {
      const firstChannel = Math.floor(o / outPerGroup) * channels;
      for (let oh = 0; oh < outH; oh++) {
        for (let ow = 0; ow < outW; ow++) {
          const yi = ((n * O + o) * outH + oh) * outW + ow;
          for (let c = 0; c < channels; c++) {
            for (let i = 0; i < kH; i++) {
              const h = oh * strideH - padH + i * dilationH;
              if (h < 0 || h >= H) continue;
              for (let j = 0; j < kW; j++) {
                const v = ow * strideW - padW + j * dilationW;
                if (v < 0 || v >= W) continue;
                const xi = ((n * C + firstChannel + c) * H + h) * W + v;
                visit(yi, xi, ((o * channels + c) * kH + i) * kW + j);
              }
            }
          }
        }
      }
    }
  }
}
