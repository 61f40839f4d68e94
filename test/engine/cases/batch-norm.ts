/** Batch normalisation, forward and backward, with every epilogue and prologue. */

import type { DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import { between, cycle, type Fill, input, type KernelCase, kernelCase, type } from './case.ts';

type Steps = readonly ('add' | 'relu')[];
const STEPS: readonly Steps[] = [[], ['add'], ['relu'], ['add', 'relu']];

/** Of the values that each channel has one of. */
const statistics = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

interface Options {
  readonly steps?: Steps;
  readonly fill?: Fill;
  readonly eps?: number;
  readonly name?: string;
  /** backward: the gradient after the prologue is an output too. */
  readonly keep?: boolean;
}

function forward(
  dtype: DType,
  shape: number[],
  { steps = [], fill, eps = 1e-5, name = '' }: Options = {},
): KernelCase {
  const channels = [shape[1]!];
  const parameter = (low: number) => input(statistics(dtype), channels, between(low, 2));
  const added = steps.includes('add') ? [input(dtype, shape)] : [];
  const one = type(statistics(dtype), ...channels);
  return kernelCase(
    'batch_norm_fwd',
    `${formatShape(shape)} ${steps.join(' ')}, ${dtype}${name}`,
    { eps, epilogue: steps },
    [input(dtype, shape, fill), parameter(0.5), parameter(-2), ...added],
    [type(dtype, ...shape), one, one],
  );
}

function backward(
  dtype: DType,
  shape: number[],
  { steps = [], fill, eps = 1e-5, name = '', keep = false }: Options = {},
): KernelCase {
  const one = (low: number) => input(statistics(dtype), [shape[1]!], between(low, 2));
  const perChannel = type(statistics(dtype), shape[1]!);
  return kernelCase(
    'batch_norm_bwd',
    `${formatShape(shape)} ${steps.join(' ')}${keep ? ' kept' : ''}, ${dtype}${name}`,
    { eps, prologue: steps },
    [
      ...[input(dtype, shape), input(dtype, shape, fill), one(0.5), one(-0.5), one(0.1)],
      ...steps.map(() => input(dtype, shape)),
    ],
    [...[type(dtype, ...shape), perChannel, perChannel], ...(keep ? [type(dtype, ...shape)] : [])],
  );
}

/** Planes shorter and longer than a vector, channels side by side, one element, many threads. */
const SHAPES = [
  [2, 3, 4, 5],
  [3, 5, 7, 7],
  [4, 16, 8, 8],
  [1, 1, 1, 1],
  [7, 5],
  [9, 40],
  [300, 33],
  [6, 20, 1, 1],
  [2, 3, 4, 3, 2],
  [5, 2, 3],
  [0, 3, 4, 4],
  [2, 0, 4],
  [2, 3, 0],
  [2, 3, 90, 91],
  [8, 1, 70, 70],
  [1000, 64],
];
const ODD = [3, 5, 7, 7];
const SIDE_BY_SIDE = [9, 40];

const BOTH = [forward, backward];

export const BATCH_NORM_CASES: readonly KernelCase[] = [
  ...BOTH.flatMap((pass) => SHAPES.map((shape) => pass('float32', shape))),
  ...BOTH.flatMap((pass) =>
    STEPS.slice(1).flatMap((steps) => [
      pass('float32', ODD, { steps }),
      pass('float32', SIDE_BY_SIDE, { steps }),
    ]),
  ),
  ...STEPS.map((steps) => backward('float32', [4, 16, 40, 40], { steps, keep: true })),
  ...BOTH.flatMap((pass) =>
    (['float64', 'bfloat16'] as const).flatMap((dtype) =>
      [ODD, SIDE_BY_SIDE].flatMap((shape) =>
        ([[], ['add', 'relu']] as const).map((steps) => pass(dtype, shape, { steps })),
      ),
    ),
  ),
  backward('bfloat16', ODD, { steps: ['relu'], keep: true }),
  // A float32 mean near 1000 is itself rounded by up to 3e-5.
  ...[
    [4, 3, 20, 20],
    [64, 20],
  ].map((shape) => ({
    ...forward('float32', shape, { fill: between(1000, 1001), name: ', far from 0' }),
    tolerance: 3e-4,
  })),
  forward('float32', [4, 3, 20, 20], { fill: () => 0.5, name: ', all equal' }),
  forward('float32', [4, 3, 5, 5], { fill: (i) => (i === 7 ? NaN : i % 5), name: ', NaN' }),
  forward('float32', [4, 3, 5, 5], {
    ...{ steps: ['relu'], fill: cycle([-1, 0, 1, 2]), eps: 0.5, name: ', a large eps' },
  }),
];
