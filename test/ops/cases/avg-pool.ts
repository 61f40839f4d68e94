/** Average pooling over PyTorch's options. */

import { nn } from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot } from '../case.ts';

const { avgPool2d, adaptiveAvgPool2d } = nn.functional;

/** Options as Python's keyword arguments. */
function keywords(options: object): string {
  const text = (value: unknown) =>
    JSON.stringify(value).replace('true', 'True').replace('false', 'False');
  return Object.entries(options)
    .map(([key, value]) => `, ${key}=${text(value)}`)
    .join('');
}

type Options = ConstructorParameters<typeof nn.AvgPool2d>[0];

const pool = (detail: string, options: Options, slot: Slot) =>
  opCase('avg_pool2d', detail, [slot], (x) => avgPool2d(x, options), {
    torch: `F.avg_pool2d(a${keywords(options)})`,
  });

const OPTIONS: readonly Options[] = [
  { kernel_size: 2 },
  { kernel_size: [2, 1] },
  { kernel_size: 3, stride: 1 },
  { kernel_size: 2, stride: [2, 1] },
  { kernel_size: 3, stride: 2, padding: 1 },
  { kernel_size: 3, stride: 2, padding: 1, count_include_pad: false },
  { kernel_size: 2, ceil_mode: true },
  { kernel_size: 3, stride: 3, padding: 1, ceil_mode: true },
  { kernel_size: 3, stride: 3, padding: 1, ceil_mode: true, count_include_pad: false },
  { kernel_size: 2, stride: 1, divisor_override: 3 },
];

const adaptive = (size: number | (number | null)[], slot: Slot) =>
  opCase(
    'adaptive_avg_pool2d',
    `${JSON.stringify(size)} of ${slot.dtype} ${slot.shape}`,
    [slot],
    (x) => adaptiveAvgPool2d(x, size),
    { torch: `F.adaptive_avg_pool2d(a, ${JSON.stringify(size).replaceAll('null', 'None')})` },
  );

export const AVG_POOL: readonly OpCase[] = [
  ...OPTIONS.map((options) => pool(JSON.stringify(options), options, f32(1, 2, 5, 4))),
  pool('without a batch', { kernel_size: 2 }, f32(2, 4, 2)),
  pool('an empty batch', { kernel_size: 2 }, f32(0, 1, 4, 4)),
  pool('float64', { kernel_size: 2 }, f64(1, 1, 4, 4)),
  pool('bfloat16', { kernel_size: 2 }, bf16(1, 1, 4, 4)),
  adaptive(1, f32(2, 3, 3, 2)),
  adaptive(2, f32(1, 2, 5, 4)),
  adaptive([3, 2], f32(1, 2, 4, 5)),
  adaptive([null, 3], f32(1, 1, 2, 3)),
  adaptive(4, f32(1, 1, 3, 2)),
  adaptive(2, f32(2, 3, 3)),
  adaptive(2, f32(0, 2, 3, 3)),
  adaptive(2, bf16(1, 1, 3, 3)),
];
