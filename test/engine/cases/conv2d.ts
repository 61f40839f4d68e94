/** Convolution, forward and both gradients, over one list of geometries; and max pooling. */

import type { DType } from '../../../src/base/dtype.ts';
import type { Pool2dAttrs } from '../../../src/engine/kernels.ts';
import { cycle, input, type KernelCase, kernelCase, type } from './case.ts';

interface Convolution {
  readonly n?: number;
  /** Channels in and out. */
  readonly c: number;
  readonly o: number;
  readonly size: [number, number];
  readonly kernel: [number, number];
  readonly stride?: [number, number];
  /** (top, left). */
  readonly padding?: [number, number];
  /** (bottom, right), where they differ. */
  readonly end?: [number, number];
  readonly dilation?: [number, number];
  readonly groups?: number;
  /** The elements of x, where they are not random. */
  readonly x?: (i: number) => number;
  /** Of the float32 cases, where it is not the usual one. */
  readonly tolerance?: number;
}

const CONVOLUTIONS: Record<string, Convolution> = {
  'one element': { c: 1, o: 1, size: [1, 1], kernel: [1, 1] },
  'LeNet conv1': { n: 4, c: 3, o: 6, size: [32, 32], kernel: [5, 5] },
  'LeNet conv2': { n: 4, c: 6, o: 16, size: [14, 14], kernel: [5, 5] },
  'one channel': { n: 2, c: 1, o: 32, size: [28, 28], kernel: [3, 3] },
  'same padding': { n: 2, c: 16, o: 16, size: [9, 11], kernel: [3, 3], padding: [1, 1] },
  '32 channels': { n: 2, c: 32, o: 32, size: [8, 8], kernel: [3, 3], padding: [1, 1] },
  '64 channels': {
    ...{ n: 2, c: 64, o: 64, size: [9, 8], kernel: [3, 3], padding: [1, 1] },
    tolerance: 2e-5, // Winograd's transforms magnify rounding
  },
  'wide first layer': { n: 2, c: 3, o: 32, size: [8, 8], kernel: [3, 3], padding: [1, 1] },
  'wide, stride 2': {
    ...{ n: 2, c: 32, o: 64, size: [9, 9], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  },
  'odd channels': { c: 5, o: 7, size: [10, 9], kernel: [3, 3], padding: [1, 1] },
  '1x1': { n: 2, c: 16, o: 32, size: [7, 7], kernel: [1, 1] },
  '1x1 with stride': { n: 2, c: 6, o: 3, size: [9, 9], kernel: [1, 1], stride: [2, 2] },
  'stride 2': {
    n: 2,
    c: 3,
    o: 16,
    size: [15, 15],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
  },
  'stride that leaves rows unread': { c: 3, o: 4, size: [12, 11], kernel: [3, 3], stride: [4, 3] },
  'large kernel': { c: 3, o: 6, size: [17, 19], kernel: [11, 7], padding: [5, 3] },
  'ResNet stem': { c: 3, o: 8, size: [33, 33], kernel: [7, 7], stride: [2, 2], padding: [3, 3] },
  'kernel as large as the input': { n: 3, c: 6, o: 16, size: [5, 5], kernel: [5, 5] },
  dilation: { c: 6, o: 6, size: [13, 13], kernel: [3, 3], padding: [2, 2], dilation: [2, 2] },
  'unequal in each dimension': {
    ...{ n: 2, c: 3, o: 5, size: [13, 10], kernel: [3, 2] },
    ...{ stride: [2, 1], padding: [0, 1], dilation: [1, 3] },
  },
  'row kernel': { c: 3, o: 6, size: [4, 20], kernel: [1, 5], padding: [0, 2] },
  'column kernel': { c: 3, o: 6, size: [20, 4], kernel: [5, 1] },
  'two groups': { n: 2, c: 6, o: 16, size: [9, 9], kernel: [3, 3], padding: [1, 1], groups: 2 },
  depthwise: { n: 2, c: 16, o: 16, size: [9, 9], kernel: [3, 3], padding: [1, 1], groups: 16 },
  'depthwise, stride 2': {
    ...{ c: 6, o: 6, size: [9, 9], kernel: [3, 3], stride: [2, 2], padding: [1, 1], groups: 6 },
  },
  'depthwise with multiplier': { c: 3, o: 6, size: [8, 8], kernel: [3, 3], groups: 3 },
  'padding at the end only': { c: 3, o: 4, size: [8, 8], kernel: [2, 2], end: [1, 1] },
  'padding beyond the kernel': { c: 2, o: 3, size: [5, 5], kernel: [3, 3], padding: [4, 4] },
  'empty batch': { n: 0, c: 3, o: 4, size: [8, 8], kernel: [3, 3] },
  'a NaN': {
    ...{ n: 2, c: 32, o: 32, size: [8, 8], kernel: [3, 3], padding: [1, 1] },
    x: (i) => (i === 100 ? NaN : (i % 7) - 3),
  },
};

type ConvolutionKernel = 'conv2d_fwd' | 'conv2d_bwd_data' | 'conv2d_bwd_weight';
const KERNELS: readonly ConvolutionKernel[] = [
  'conv2d_fwd',
  'conv2d_bwd_data',
  'conv2d_bwd_weight',
];

/** The output's size along one dimension. */
function outSize(size: number, kernel: number, stride: number, padding: number, dilation: number) {
  return Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

function convolution(kernel: ConvolutionKernel, name: string, options: Convolution, dtype: DType) {
  const { n = 1, c, o, size, kernel: window, groups = 1 } = options;
  const { stride = [1, 1], padding = [0, 0], dilation = [1, 1], end = padding } = options;
  const out = [0, 1].map((d) =>
    outSize(size[d]!, window[d]!, stride[d]!, padding[d]! + end[d]!, dilation[d]!),
  );
  const x = [n, c, ...size];
  const w = [o, c / groups, ...window];
  const y = [n, o, ...out];
  const [inputs, output] = {
    conv2d_fwd: [[x, w], y],
    conv2d_bwd_data: [[y, w], x],
    conv2d_bwd_weight: [[y, x], w],
  }[kernel] as [number[][], number[]];
  return kernelCase(
    kernel,
    `${name}, ${dtype}`,
    { stride, padding, dilation, groups },
    inputs.map((shape) => input(dtype, shape, shape === x ? options.x : undefined)),
    [type(dtype, ...output)],
    dtype === 'float32' && options.tolerance ? { tolerance: options.tolerance } : {},
  );
}

const OTHER_DTYPES = [
  ...['LeNet conv2', 'unequal in each dimension', 'two groups', 'depthwise', '1x1'],
  ...['same padding', '32 channels', 'wide first layer', 'wide, stride 2'],
];

export const CONV2D_CASES: readonly KernelCase[] = KERNELS.flatMap((kernel) => [
  ...Object.entries(CONVOLUTIONS).map(([name, options]) =>
    convolution(kernel, name, options, 'float32'),
  ),
  ...(['float64', 'bfloat16'] as const).flatMap((dtype) =>
    OTHER_DTYPES.map((name) => convolution(kernel, name, CONVOLUTIONS[name]!, dtype)),
  ),
]);

interface Pool {
  readonly shape: [number, number, number, number];
  readonly kernel: [number, number];
  readonly stride?: [number, number];
  readonly padding?: [number, number];
  readonly dilation?: [number, number];
  /** The output keeps the window that starts inside but reaches past the end. */
  readonly ceil?: boolean;
  readonly values?: number[];
}

const POOLS: Record<string, Pool> = {
  '2x2': { shape: [2, 6, 28, 28], kernel: [2, 2] },
  '2x2, odd size': { shape: [2, 3, 9, 7], kernel: [2, 2] },
  'ceil mode': { shape: [2, 3, 9, 7], kernel: [2, 2], ceil: true },
  overlapping: { shape: [2, 3, 11, 12], kernel: [3, 3], stride: [2, 2] },
  padded: { shape: [2, 3, 11, 12], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  'stride 1': { shape: [1, 2, 6, 7], kernel: [3, 2], stride: [1, 1], padding: [1, 1] },
  dilated: { shape: [1, 3, 12, 13], kernel: [3, 2], stride: [2, 1], dilation: [2, 3] },
  'whole plane': { shape: [3, 4, 5, 6], kernel: [5, 6] },
  'one element': { shape: [1, 1, 1, 1], kernel: [1, 1] },
  'empty batch': { shape: [0, 3, 8, 8], kernel: [2, 2] },
  large: { shape: [16, 16, 24, 24], kernel: [2, 2] },
  'the first of equals': { shape: [1, 2, 6, 6], kernel: [3, 3], stride: [1, 1], values: [1, 1, 0] },
  'NaN is maximal': { shape: [1, 2, 6, 6], kernel: [2, 2], values: [3, NaN, 5, 1, NaN, 2, 7] },
  'nothing but -inf': { shape: [1, 1, 4, 4], kernel: [2, 2], values: [-Infinity] },
  'infinities and padding': {
    ...{ shape: [1, 1, 5, 5], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
    values: [-Infinity, 1, -Infinity, Infinity],
  },
};

function pooling(name: string, options: Pool, dtype: DType): KernelCase {
  const { shape, kernel, values, ceil = false } = options;
  const { stride = kernel, padding = [0, 0], dilation = [1, 1] } = options;
  const out = [0, 1].map((d) => {
    const slack = ceil ? stride[d]! - 1 : 0;
    return outSize(shape[2 + d]! + slack, kernel[d]!, stride[d]!, 2 * padding[d]!, dilation[d]!);
  });
  const y = [shape[0], shape[1], ...out];
  return kernelCase(
    'max_pool2d_fwd',
    `${name}, ${dtype}`,
    { kernel_size: kernel, stride, padding, dilation },
    [input(dtype, shape, values && cycle(values))],
    [type(dtype, ...y), type('int32', ...y)],
  );
}

/** Each window's gradient goes to a place of its own, by chance in one of four corners. */
function poolingGradient(name: string, options: Pool, dtype: DType): KernelCase {
  const { attrs, inputs, outputs } = pooling(name, options, dtype);
  const [, , height, width] = inputs[0]!.shape as [number, number, number, number];
  const [, , rows, columns] = outputs[0]!.shape as [number, number, number, number];
  const [[stepH, stepW], [padH, padW]] = [attrs.stride, attrs.padding] as [number[], number[]];
  const place = (i: number, random: () => number) => {
    const at = (step: number, pad: number, o: number, size: number) =>
      Math.min(size - 1, Math.max(0, o * step - pad) + (random() < 0.5 ? 0 : 1));
    const p = Math.floor(i / columns) % rows;
    return at(stepH!, padH!, p, height) * width + at(stepW!, padW!, i % columns, width);
  };
  return kernelCase(
    'max_pool2d_bwd',
    `${name}, ${dtype}`,
    attrs as unknown as Pool2dAttrs,
    [input(dtype, outputs[0]!.shape), input('int32', outputs[0]!.shape, place)],
    [type(dtype, ...inputs[0]!.shape)],
  );
}

const POOL_GRADIENTS = ['2x2', '2x2, odd size', 'ceil mode', 'overlapping', 'padded', 'large'];

export const POOL_CASES: readonly KernelCase[] = [
  ...[...POOL_GRADIENTS, 'one element', 'empty batch'].map((name) =>
    poolingGradient(name, POOLS[name]!, 'float32'),
  ),
  ...(['float64', 'bfloat16'] as const).flatMap((dtype) =>
    ['2x2, odd size', 'overlapping'].map((name) => poolingGradient(name, POOLS[name]!, dtype)),
  ),
  ...Object.entries(POOLS).map(([name, options]) => pooling(name, options, 'float32')),
  ...(['float64', 'bfloat16'] as const).flatMap((dtype) =>
    ['2x2', 'padded', 'NaN is maximal'].map((name) => pooling(name, POOLS[name]!, dtype)),
  ),
];
