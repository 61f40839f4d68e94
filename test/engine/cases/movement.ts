/** alias, copy_view, place_view, cat, fill and arange, over every dtype. */

import { DTYPES, type DType } from '../../../src/base/dtype.ts';
import { contiguousStrides, formatShape } from '../../../src/base/shape.ts';
import { input, type KernelCase, kernelCase, type } from './case.ts';

const OTHER_DTYPES = DTYPES.filter((dtype) => dtype !== 'float32');

/** A view of a base tensor: how a PyTorch expression addresses it. */
interface View {
  readonly name: string;
  readonly base: number[];
  readonly shape: number[];
  readonly strides: number[];
  readonly offset?: number;
  /** Elements read more than once: legal to copy from, not to place into. */
  readonly repeats?: boolean;
}

const VIEWS: readonly View[] = [
  { name: 'everything', base: [4, 5], shape: [4, 5], strides: [5, 1] },
  { name: 'transpose', base: [7, 9], shape: [9, 7], strides: [1, 9] },
  { name: 'transpose of odd blocks', base: [67, 35], shape: [35, 67], strides: [1, 35] },
  { name: 'batched transpose', base: [3, 5, 7], shape: [3, 7, 5], strides: [35, 1, 7] },
  { name: 'permute', base: [2, 3, 4, 5], shape: [4, 2, 5, 3], strides: [5, 60, 1, 20] },
  { name: 'NCHW to NHWC', base: [2, 3, 5, 7], shape: [2, 5, 7, 3], strides: [105, 7, 1, 35] },
  { name: 'flip', base: [13], shape: [13], strides: [-1], offset: 12 },
  { name: 'flip of rows', base: [4, 6], shape: [4, 6], strides: [-6, 1], offset: 18 },
  { name: 'step', base: [20], shape: [7], strides: [3], offset: 1 },
  { name: 'slice of columns', base: [6, 11], shape: [6, 4], strides: [11, 1], offset: 3 },
  { name: 'slice of rows', base: [9, 5], shape: [4, 5], strides: [5, 1], offset: 10 },
  { name: 'steps in both', base: [9, 10], shape: [5, 4], strides: [20, 3] },
  { name: 'diagonal', base: [6, 6], shape: [6], strides: [7] },
  { name: 'expand of a scalar', base: [], shape: [3, 4], strides: [0, 0], repeats: true },
  { name: 'expand of a row', base: [5], shape: [3, 5], strides: [0, 1], repeats: true },
  { name: 'expand of a column', base: [3, 1], shape: [3, 5], strides: [1, 0], repeats: true },
  { name: 'windows', base: [10], shape: [8, 3], strides: [1, 1], repeats: true },
  { name: 'one element', base: [5], shape: [], strides: [], offset: 3 },
  { name: 'size-1 dimensions', base: [6], shape: [1, 6, 1], strides: [6, 1, 1] },
  { name: 'nothing', base: [3, 4], shape: [0, 4], strides: [4, 1] },
  { name: 'of nothing', base: [0, 4], shape: [4, 0], strides: [1, 4] },
];

const LARGE_VIEWS: readonly View[] = [
  { name: 'large transpose', base: [301, 257], shape: [257, 301], strides: [1, 257] },
  { name: 'large slice', base: [400, 300], shape: [400, 211], strides: [300, 1], offset: 5 },
  { name: 'large flip', base: [70_001], shape: [70_001], strides: [-1], offset: 70_000 },
];

function copyCase({ name, base, shape, strides, offset = 0 }: View, dtype: DType): KernelCase {
  return kernelCase(
    'copy_view',
    `${name}, ${dtype}`,
    { offset, strides },
    [input(dtype, base)],
    [type(dtype, ...shape)],
  );
}

function placeCase(
  { name, base, shape, strides, offset = 0 }: View,
  dtype: DType,
  fill = 0,
): KernelCase {
  return kernelCase(
    'place_view',
    `${name}, ${dtype}, fill ${fill}`,
    { offset, strides, fill },
    [input(dtype, shape)],
    [type(dtype, ...base)],
  );
}

const places = (views: readonly View[]) => views.filter((view) => view.repeats !== true);

function catCase(dtype: DType, dim: number, ...shapes: number[][]): KernelCase {
  const out = [...shapes[0]!];
  out[dim] = shapes.reduce((total, shape) => total + shape[dim]!, 0);
  return kernelCase(
    'cat',
    `${shapes.map(formatShape).join(' ')} along ${dim}, ${dtype}`,
    { dim },
    shapes.map((shape) => input(dtype, shape)),
    [type(dtype, ...out)],
  );
}

function aliasCase(dtype: DType, from: number[], to: number[]): KernelCase {
  return kernelCase(
    'alias',
    `${formatShape(from)} as ${formatShape(to)}, ${dtype}`,
    {},
    [input(dtype, from)],
    [type(dtype, ...to)],
  );
}

/** A whole base tensor seen with its own strides, at a size that several threads share. */
const LARGE_COPY: View = {
  name: 'large copy',
  base: [70_001],
  shape: [70_001],
  strides: contiguousStrides([70_001]),
};

export const MOVEMENT_CASES: readonly KernelCase[] = [
  ...VIEWS.map((view) => copyCase(view, 'float32')),
  ...[...LARGE_VIEWS, LARGE_COPY].map((view) => copyCase(view, 'float32')),
  ...OTHER_DTYPES.flatMap((dtype) =>
    [VIEWS[1]!, VIEWS[2]!, VIEWS[8]!].map((view) => copyCase(view, dtype)),
  ),
  ...places(VIEWS).map((view) => placeCase(view, 'float32')),
  ...places(LARGE_VIEWS).map((view) => placeCase(view, 'float32')),
  ...DTYPES.flatMap((dtype) => places(VIEWS.slice(7, 10)).map((view) => placeCase(view, dtype, 1))),
  placeCase(VIEWS[8]!, 'float32', -Infinity),

  ...DTYPES.map((dtype) => catCase(dtype, 1, [3, 2], [3, 5], [3, 1])),
  catCase('float32', 0, [2, 3], [4, 3]),
  catCase('float32', 1, [2, 3, 4], [2, 1, 4]),
  catCase('float32', 0, [5]),
  catCase('float32', 0, [0], [3], [0]),
  catCase('float32', 1, [3, 0], [3, 0]),
  catCase('float32', 0, [40_000], [33_333]),
  catCase('float32', 1, [300, 128], [300, 129]),

  ...DTYPES.map((dtype) => aliasCase(dtype, [2, 6], [3, 4])),
  aliasCase('float32', [], [1, 1]),
  aliasCase('float32', [0, 3], [5, 0]),
];

export const CREATION_CASES: readonly KernelCase[] = [
  ...DTYPES.map((dtype) =>
    kernelCase('fill', `1 in ${dtype}`, { value: 1 }, [], [type(dtype, 5, 7)]),
  ),
  ...(['float32', 'float64', 'bfloat16'] as const).flatMap((dtype) =>
    [-1.5, Infinity, NaN].map((value) =>
      kernelCase('fill', `${value} in ${dtype}`, { value }, [], [type(dtype, 19)]),
    ),
  ),
  kernelCase('fill', 'a scalar', { value: -3 }, [], [type('int64')]),
  kernelCase('fill', 'nothing', { value: 1 }, [], [type('float32', 0, 3)]),
  kernelCase('fill', 'large', { value: 2.5 }, [], [type('float32', 100_003)]),

  ...DTYPES.filter((dtype) => dtype !== 'bool').map((dtype) =>
    kernelCase('arange', `3 + 2i in ${dtype}`, { start: 3, step: 2 }, [], [type(dtype, 37)]),
  ),
  kernelCase('arange', 'by 0.1', { start: -1, step: 0.1 }, [], [type('float32', 21)]),
  kernelCase('arange', 'backwards', { start: 5, step: -1 }, [], [type('int64', 11)]),
  kernelCase('arange', 'nothing', { start: 0, step: 1 }, [], [type('float32', 0)]),
  kernelCase('arange', 'large', { start: 0, step: 0.5 }, [], [type('float32', 70_001)]),
];
