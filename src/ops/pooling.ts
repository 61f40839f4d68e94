/** Two-dimensional max-pooling. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, type Shape } from '../base/shape.ts';
import { apply, applyAll } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import type { Pool2dAttrs } from '../engine/kernels.ts';
import { isOff } from '../engine/switches.ts';
import { defineOp } from './define.ts';
import { gather } from './indexing.ts';
import { type Pair, pair, pooledSize } from './window.ts';

const MAX_POOL2D = defineOp<Pool2dAttrs & { ceil_mode: boolean }>({
  name: 'max_pool2d',
  kind: 'pooling',
  vjp: ({ grads, inputs, outputs, attrs }) => [
    apply(MAX_POOL2D_BACKWARD, [grads[0]!, outputs[1]!], { ...attrs, size: inputs[0]!.shape }),
  ],
  infer([x], attrs) {
    if (!isFloating(x!.dtype)) {
      throw opError(DTypeError, 'max_pool2d', `needs a floating point tensor, got ${x!.dtype}`);
    }
    if (x!.shape.length !== 4) {
      throw opError(
        ShapeError,
        'max_pool2d',
        `input must be (N, C, H, W), got ${formatShape(x!.shape)}`,
      );
    }
    const sizes = x!.shape.slice(2).map((size, i) =>
      pooledSize({
        size,
        reach: attrs.dilation[i]! * (attrs.kernel_size[i]! - 1) + 1,
        stride: attrs.stride[i]!,
        padding: attrs.padding[i]!,
        ceil_mode: attrs.ceil_mode,
      }),
    );
    if (sizes.some((size) => size < 1)) {
      throw opError(
        ShapeError,
        'max_pool2d',
        `kernel (${attrs.kernel_size}) is larger than the padded input ${formatShape(x!.shape)}`,
      );
    }
    const shape = [...x!.shape.slice(0, 2), ...sizes];
    return [
      { dtype: x!.dtype, shape },
      { dtype: 'int32', shape },
    ];
  },
  lower: ({ attrs }) => ({ kernel: 'max_pool2d_fwd', attrs: kernelAttrs(attrs) }),
});

/** The gradient of a window goes to the place its maximum came from. */
const MAX_POOL2D_BACKWARD = defineOp<Pool2dAttrs & { size: Shape }>({
  name: 'max_pool2d_backward',
  kind: 'pooling',
  vjp({ grads, inputs }) {
    const indices = inputs[1]!;
    const picked = gather(grads[0]!.flatten(2), 2, indices.flatten(2));
    return [picked.reshape(indices.shape), null];
  },
  infer: ([g], { size }) => [{ dtype: g!.dtype, shape: size }],
  lower: ({ attrs }) => ({ kernel: 'max_pool2d_bwd', attrs: kernelAttrs(attrs) }),
});

function kernelAttrs({ kernel_size, stride, padding, dilation }: Pool2dAttrs): Pool2dAttrs {
  return { kernel_size, stride, padding, dilation };
}

export interface MaxPool2dOptions {
  readonly kernel_size: Pair;
  /** Defaults to the kernel size. */
  readonly stride?: Pair | null;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly ceil_mode?: boolean;
}

/**
 * x (N, C, H, W) or (C, H, W) -> the maximum of each window.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  const { op, inputs, attrs, storages, requires_grad } = x.value.node;
  const [before] = inputs;
  // The largest element stays the largest, so ReLU and its gradient need only see the pooled ones.
  const waits =
    op.monotone === true &&
    before?.node.requires_grad === requires_grad &&
    storages[0] === undefined &&
    !isOff('pool_first');
  return waits ? apply(op, [pool(new Tensor(before), options)], attrs as never) : pool(x, options);
}

function pool(x: Tensor, options: MaxPool2dOptions): Tensor {
  const kernel_size = pair('max_pool2d', 'kernel_size', options.kernel_size, 1);
  const padding = pair('max_pool2d', 'padding', options.padding ?? 0, 0);
  if (padding.some((size, i) => 2 * size > kernel_size[i]!)) {
    throw opError(
      ArgumentError,
      'max_pool2d',
      `padding (${padding}) must be at most half of kernel_size (${kernel_size})`,
    );
  }
  const batched = x.ndim === 3 ? x.unsqueeze(0) : x;
  const [values] = applyAll(MAX_POOL2D, [batched], {
    kernel_size,
    stride: pair('max_pool2d', 'stride', options.stride ?? kernel_size, 1),
    padding,
    dilation: pair('max_pool2d', 'dilation', options.dilation ?? 1, 1),
    ceil_mode: options.ceil_mode ?? false,
  });
  return x.ndim === 3 ? values!.squeeze(0) : values!;
}
