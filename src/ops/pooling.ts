/** Max-pooling over one to three dimensions, computed over two at a time. */

import { category } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, type Shape } from '../base/shape.ts';
import { apply, applyAll } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import type { Pool2dAttrs } from '../engine/kernels.ts';
import { isOff } from '../engine/switches.ts';
import { defineOp } from './define.ts';
import { gather } from './indexing.ts';
import { reshape, squeeze, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, div, fmod, mul, sub } from './pointwise.ts';
import { checkImages, pooledSize, type Sizes, windowSizes } from './window.ts';

const MAX_POOL2D = defineOp<Pool2dAttrs & { ceil_mode: boolean }>({
  name: 'max_pool2d',
  kind: 'pooling',
  vjp: ({ grads, inputs, outputs, attrs }) => [
    apply(MAX_POOL2D_BACKWARD, [grads[0]!, outputs[1]!], { ...attrs, size: inputs[0]!.shape }),
  ],
  infer([x], attrs) {
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

/** The arguments of all max-pooling functions. */
const ARGUMENTS = [
  'input',
  'kernel_size',
  'stride',
  'padding',
  'dilation',
  'ceil_mode',
  'return_indices',
] as const;

/** A function that gives [values, indices] where `return_indices` is asked for by its name. */
export type MaybeIndexed<F> = ((
  input: Tensor,
  ...more: [...unknown[], Readonly<Record<string, unknown>> & { readonly return_indices: true }]
) => [values: Tensor, indices: Tensor]) &
  F;

export function maybeIndexed<F>(fn: F): MaybeIndexed<F> {
  return fn as MaybeIndexed<F>;
}

interface Pooled {
  readonly values: Tensor;
  /** Computed only where they are asked for. */
  indices(): Tensor;
}

/** `pooled` of a batch, as a function returns it. */
export function result(
  x: Tensor,
  dims: number,
  return_indices: boolean,
  pooled: (x: Tensor) => Pooled,
): Tensor {
  const single = x.ndim === dims + 1;
  const { values, indices } = pooled(single ? unsqueeze(x, 0) : x);
  const out = (t: Tensor) => (single ? squeeze(t, 0) : t);
  return (return_indices ? [out(values), out(indices())] : out(values)) as Tensor;
}

function maxPool(
  dims: 1 | 2 | 3,
  input: Tensor,
  given: {
    readonly kernel_size: Sizes;
    readonly stride: Sizes | null;
    readonly padding: Sizes;
    readonly dilation: Sizes;
  },
  ceil_mode: boolean,
  return_indices: boolean,
): Tensor {
  const op = `max_pool${dims}d`;
  if (category(input.dtype) === 'integer') {
    // Which one is the largest is found among floating point numbers.
    const found = maxPool(dims, cast(input, 'float64'), given, ceil_mode, return_indices);
    const back = (values: Tensor) => cast(values, input.dtype);
    if (!Array.isArray(found)) return back(found);
    return [back(found[0]), found[1]] as unknown as Tensor;
  }
  checkImages(op, input, dims);
  const kernel_size = windowSizes(op, 'kernel_size', given.kernel_size, dims, 1);
  const attrs = {
    kernel_size,
    stride: windowSizes(op, 'stride', strideOr(given.stride, kernel_size), dims, 1),
    padding: windowSizes(op, 'padding', given.padding, dims, 0),
    dilation: windowSizes(op, 'dilation', given.dilation, dims, 1),
    ceil_mode,
  };
  const reach = kernel_size.map((size, i) => (size - 1) * attrs.dilation[i]! + 1);
  if (attrs.padding.some((size, i) => 2 * size > reach[i]!)) {
    throw opError(
      ArgumentError,
      op,
      `padding (${attrs.padding}) must be at most half of kernel_size (${kernel_size})`,
    );
  }
  const pooled = (x: Tensor) => result(x, dims, return_indices, (batch) => maxima(batch, attrs));
  return return_indices ? pooled(input) : beforeMonotone(input, pooled);
}

/** The stride, by default the kernel's size; PyTorch also takes an empty one for that. */
export function strideOr(stride: Sizes | null, kernel_size: Sizes): Sizes {
  return stride === null || (typeof stride === 'object' && stride.length === 0)
    ? kernel_size
    : stride;
}

/**
 * The largest element stays the largest, so ReLU and its gradient need only see the pooled ones.
 */
function beforeMonotone(x: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  const { op, inputs, attrs, storages, requires_grad } = x.value.node;
  const [before] = inputs;
  const waits =
    op.monotone === true &&
    before?.node.requires_grad === requires_grad &&
    storages[0] === undefined &&
    !isOff('pool_first');
  return waits ? apply(op, [pool(new Tensor(before))], attrs as never) : pool(x);
}

type Window = Pool2dAttrs & { readonly ceil_mode: boolean };

/** The maxima of the windows of x (N, C, ...). */
export function maxima(x: Tensor, window: Window): Pooled {
  const dims = window.kernel_size.length;
  if (dims === 3) return maximaInDepth(x, window);
  if (dims === 2) {
    const [values, indices] = applyAll(MAX_POOL2D, [x], window);
    return { values: values!, indices: () => cast(indices!, 'int64') };
  }
  const { values, indices } = maxima(unsqueeze(x, 2), {
    kernel_size: [1, ...window.kernel_size],
    stride: [1, ...window.stride],
    padding: [0, ...window.padding],
    dilation: [1, ...window.dilation],
    ceil_mode: window.ceil_mode,
  });
  return { values: squeeze(values, 2), indices: () => squeeze(indices(), 2) };
}

/** The maxima of each slice first, then of these along the depth. */
function maximaInDepth(x: Tensor, window: Window): Pooled {
  const { kernel_size, stride, padding, dilation, ceil_mode } = window;
  const [n, channels, depth, height, width] = x.shape as [number, number, number, number, number];
  const part = (sizes: readonly number[]) => sizes.slice(1);
  const slices = maxima(reshape(x, [n, channels * depth, height, width]), {
    kernel_size: part(kernel_size),
    stride: part(stride),
    padding: part(padding),
    dilation: part(dilation),
    ceil_mode,
  });
  const size = slices.values.shape.slice(2);
  const plane = size[0]! * size[1]!;
  const columns = maxima(reshape(slices.values, [n, channels, depth, plane]), {
    kernel_size: [kernel_size[0]!, 1],
    stride: [stride[0]!, 1],
    padding: [padding[0]!, 0],
    dilation: [dilation[0]!, 1],
    ceil_mode,
  });
  const shape = [n, channels, columns.values.shape[2]!, ...size];
  return {
    values: reshape(columns.values, shape),
    indices() {
      const chosen = reshape(columns.indices(), [n, channels, numel(shape.slice(2))]);
      const inSlice = gather(reshape(slices.indices(), [n, channels, depth * plane]), 2, chosen);
      const slice = quotient(chosen, plane);
      return reshape(add(mul(slice, height * width), inSlice), shape);
    },
  };
}

/** floor(x / size) of whole numbers. */
export function quotient(x: Tensor, size: number): Tensor {
  return cast(div(cast(sub(x, fmod(x, size)), 'float64'), size), 'int64');
}

/** The function of `dims` dimensions: they take the same arguments. */
function maxPoolOver(dims: 1 | 2 | 3) {
  return maybeIndexed(
    named(
      `max_pool${dims}d`,
      ARGUMENTS,
      (
        input: Tensor,
        kernel_size: Sizes,
        stride: Sizes | null = null,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode = false,
        return_indices = false,
      ): Tensor => {
        const window = { kernel_size, stride, padding, dilation };
        return maxPool(dims, input, window, ceil_mode, return_indices);
      },
    ),
  );
}

/**
 * x (N, C, L) or (C, L) -> the maximum of each window; with `return_indices`, given by name,
 * also where it lies in its flat plane (int64). A `stride` of null is the kernel's size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window.
 */
export const maxPool1d = maxPoolOver(1);

/**
 * x (N, C, H, W) or (C, H, W) -> the maximum of each window; with `return_indices`, given by name,
 * also where it lies in its flat plane (int64). A `stride` of null is the kernel's size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window.
 */
export const maxPool2d = maxPoolOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> the maximum of each window; with `return_indices`, given by
 * name, also where it lies in its flat plane (int64). A `stride` of null is the kernel's size.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the padded input;
 * ArgumentError for a padding of more than half a window.
 */
export const maxPool3d = maxPoolOver(3);
