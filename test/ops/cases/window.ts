/** Convolution and pooling over PyTorch's options. */

import { grad, nn, type Tensor } from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot, values } from '../case.ts';

const { conv2d, maxPool2d } = nn.functional;

type Conv2dOptions = Pick<nn.ConvOptions, 'stride' | 'padding' | 'dilation' | 'groups'>;

/** Options as Python's keyword arguments. */
function keywords(options: object): string {
  return Object.entries(options)
    .map(([key, value]) => `, ${key}=${JSON.stringify(value).replaceAll('true', 'True')}`)
    .join('');
}

const convolution = (detail: string, options: Conv2dOptions, ...slots: Slot[]) =>
  opCase('conv2d', detail, slots, (x, w, b) => conv2d(x, w, b, options), {
    torch: `F.conv2d(a, b${slots.length === 3 ? ', c' : ''}${keywords(options)})`,
  });

const OPTIONS: readonly Conv2dOptions[] = [
  {},
  { stride: 2 },
  { stride: [1, 2] },
  { padding: 1 },
  { padding: [0, 2] },
  { dilation: 2 },
  { dilation: [2, 1], padding: [1, 0] },
  { stride: 2, padding: 1, dilation: 2 },
  { stride: [2, 1], padding: [2, 1], dilation: [1, 2] },
  { padding: 'valid' },
];

const CONV2D: OpCase[] = [
  ...OPTIONS.map((options) =>
    convolution(
      `options ${JSON.stringify(options)}`,
      options,
      f32(1, 2, 5, 4),
      f32(2, 2, 2, 2),
      f32(2),
    ),
  ),
  convolution('padding same', { padding: 'same' }, f32(1, 1, 4, 3), f32(1, 1, 3, 3)),
  convolution(
    'padding same, dilated',
    { padding: 'same', dilation: [2, 1] },
    f32(1, 1, 5, 3),
    f32(1, 1, 3, 1),
  ),
  convolution('two groups', { groups: 2 }, f32(1, 4, 3, 3), f32(2, 2, 2, 2), f32(2)),
  convolution('depthwise', { groups: 3, padding: 1 }, f32(1, 3, 3, 2), f32(3, 1, 3, 3), f32(3)),
  convolution('depthwise with a multiplier', { groups: 2 }, f32(1, 2, 3, 3), f32(4, 1, 2, 2)),
  convolution('a batch', {}, f32(3, 1, 3, 3), f32(2, 1, 3, 3), f32(2)),
  convolution('a 1x1 kernel', {}, f32(2, 3, 2, 2), f32(2, 3, 1, 1), f32(2)),
  convolution('a 1x1 kernel with stride', { stride: 2 }, f32(1, 2, 3, 3), f32(1, 2, 1, 1)),
  convolution('a kernel as large as the input', {}, f32(1, 2, 3, 2), f32(2, 2, 3, 2)),
  convolution('a stride past the kernel', { stride: 3 }, f32(1, 1, 7, 5), f32(1, 1, 2, 2)),
  convolution('rows the stride leaves over', { stride: 2 }, f32(1, 1, 6, 6), f32(1, 1, 3, 3)),
  convolution('without a batch', { padding: 1 }, f32(2, 3, 3), f32(2, 2, 3, 3), f32(2)),
  convolution('an empty batch', {}, f32(0, 2, 3, 3), f32(2, 2, 2, 2), f32(2)),
  convolution('float64', { padding: 1 }, f64(1, 2, 3, 3), f64(1, 2, 3, 3), f64(1)),
  convolution('bfloat16', { padding: 1 }, bf16(1, 2, 3, 3), bf16(1, 2, 3, 3), bf16(1)),
  opCase(
    'conv2d',
    'viewed',
    [f32(3, 1, 4, 2), f32(1, 2, 2, 2)],
    (x, w) => conv2d(x.permute([1, 3, 0, 2]), w),
    {
      torch: 'F.conv2d(a.permute(1, 3, 0, 2), b)',
    },
  ),
];

/** The gradients of the convolution as ops of their own, which are differentiated in turn. */
const BACKWARD: OpCase[] = OPTIONS.slice(0, 9).flatMap((options) => {
  const torchOptions = keywords(options);
  const slots = [f32(1, 2, 5, 4), f32(2, 2, 2, 2)];
  const of = (op: string, which: number, torch: string) =>
    opCase(op, JSON.stringify(options), slots, (x, w) => gradientOf(x, w, options, which), {
      torch: `torch.nn.grad.conv2d_${torch}, F.conv2d(a, b${torchOptions}).sin()${torchOptions})`,
      // The cotangent depends on the inputs here, which torch.nn.grad cannot see through.
      grad: false,
    });
  return [
    of('conv2d_backward_data', 0, 'input(a.shape, b'),
    of('conv2d_backward_weight', 1, 'weight(a, b.shape'),
  ];
});

/** d(conv2d(x, w)) / d(x or w) against the sine of the convolution itself. */
function gradientOf(x: Tensor, w: Tensor, options: Conv2dOptions, which: number): Tensor {
  const leaves = [x, w].map((input) => input.detach().requires_grad_());
  const y = conv2d(leaves[0]!, leaves[1]!, null, options);
  const seeds = [conv2d(x, w, null, options).sin()];
  return grad(y, leaves, { grad_outputs: seeds })[which]!;
}

type PoolOptions = ConstructorParameters<typeof nn.MaxPool2d>[0];

const pool = (detail: string, options: PoolOptions, slot: Slot, smooth = true) =>
  opCase('max_pool2d', detail, [slot], (x) => maxPool2d(x, options), {
    torch: `F.max_pool2d(a${keywords(options)})`,
    smooth,
  });

const POOLS: readonly PoolOptions[] = [
  { kernel_size: 2 },
  { kernel_size: [2, 1] },
  { kernel_size: 3, stride: 1 },
  { kernel_size: 2, stride: [2, 1] },
  { kernel_size: 3, stride: 2, padding: 1 },
  { kernel_size: [3, 2], padding: [1, 0] },
  { kernel_size: 2, dilation: 2, stride: 1 },
  { kernel_size: 2, dilation: [1, 2] },
  { kernel_size: 2, ceil_mode: true },
  { kernel_size: 2, stride: 3, ceil_mode: true },
  { kernel_size: 3, stride: 2, padding: 1, ceil_mode: true },
  { kernel_size: 1 },
];

const MAX_POOL2D: OpCase[] = [
  ...POOLS.map((options) => pool(JSON.stringify(options), options, f32(1, 2, 5, 5))),
  pool(
    'overlapping windows share a maximum',
    { kernel_size: 2, stride: 1 },
    values('float32', [1, 1, 3, 3], [0, 1, 0, 2, 9, 3, 0, 4, 0]),
  ),
  pool(
    'the first of equal ones',
    { kernel_size: 2 },
    values('float32', [1, 1, 2, 4], [1, 1, 0, -1, 1, 1, -1, 0]),
    false,
  ),
  pool('a batch', { kernel_size: 2 }, f32(2, 1, 4, 2)),
  pool('without a batch', { kernel_size: 2 }, f32(2, 4, 2)),
  pool('an empty batch', { kernel_size: 2 }, f32(0, 1, 4, 4)),
  pool(
    'below zero, padded',
    { kernel_size: 3, stride: 2, padding: 1 },
    values('float32', [1, 1, 2, 2], [-5, -6, -7, -8]),
  ),
  pool('float64', { kernel_size: 2 }, f64(1, 1, 4, 4)),
  pool('bfloat16', { kernel_size: 2 }, bf16(1, 1, 4, 4)),
  opCase(
    'max_pool2d',
    'NaN',
    [values('float32', [1, 1, 2, 4], [1, Number.NaN, 0, -Infinity, 3, 1, -Infinity, -1])],
    (x) => maxPool2d(x, { kernel_size: 2 }),
    {
      torch: 'F.max_pool2d(a, 2)',
      grad: false,
    },
  ),
  opCase(
    'max_pool2d',
    'viewed',
    [f32(2, 4, 4, 1)],
    (x) => maxPool2d(x.permute([3, 0, 2, 1]), { kernel_size: 2 }),
    {
      torch: 'F.max_pool2d(a.permute(3, 0, 2, 1), 2)',
    },
  ),
];

export const WINDOW = [...CONV2D, ...BACKWARD, ...MAX_POOL2D];
