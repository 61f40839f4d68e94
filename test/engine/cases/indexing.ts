/** gather and scatter_add: every dimension, repeated indices, bad indices. */

import { DTYPES, type DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import { cycle, type Fill, input, integers, type KernelCase, kernelCase, type } from './case.ts';

type Choice = { dtype?: 'int32' | 'int64'; fill?: Fill; fails?: RegExp };

/** `shape` is the tensor addressed: gather's x, scatter_add's output. */
function gather(dtype: DType, shape: number[], index: number[], dim: number, choice: Choice = {}) {
  const { dtype: indexDtype = 'int64', fill = integers(0, shape[dim]! - 1), fails } = choice;
  return kernelCase(
    'gather',
    `${formatShape(index)} of ${dtype} ${formatShape(shape)} along ${dim}, ${indexDtype}${fails ? ', bad index' : ''}`,
    { dim },
    [input(dtype, shape), input(indexDtype, index, fill)],
    [type(dtype, ...index)],
    fails && { fails },
  );
}

function scatter(dtype: DType, shape: number[], index: number[], dim: number, choice: Choice = {}) {
  const { dtype: indexDtype = 'int64', fill = integers(0, shape[dim]! - 1), fails } = choice;
  return kernelCase(
    'scatter_add',
    `${formatShape(index)} into ${dtype} ${formatShape(shape)} along ${dim}, ${indexDtype}${fails ? ', bad index' : ''}`,
    { dim },
    [input(dtype, index), input(indexDtype, index, fill)],
    [type(dtype, ...shape)],
    fails && { fails },
  );
}

const LAYOUTS: [shape: number[], index: number[], dim: number][] = [
  [[9], [20], 0],
  [[5, 7], [5, 3], 1],
  [[5, 7], [11, 7], 0],
  [[4, 5, 6], [4, 9, 6], 1],
  [[4, 5, 6], [2, 5, 3], 0], // smaller than the tensor outside dim
  [[4, 5, 6], [4, 2, 8], 2],
  [[1], [1], 0],
  [[3, 4], [3, 0], 1],
  [[0, 4], [0, 2], 1],
  [[64, 10], [64, 1], 1],
  [[30_000], [70_001], 0],
  [[300, 40], [300, 250], 1],
];

const BAD = { fails: /index -?\d+.*out of range/ };

export const INDEXING_CASES: readonly KernelCase[] = [
  ...DTYPES.map((dtype) => gather(dtype, [6, 5], [6, 9], 1)),
  // There is no adding of truth values.
  ...DTYPES.filter((dtype) => dtype !== 'bool').map((dtype) => scatter(dtype, [6, 5], [6, 9], 1)),
  ...[gather, scatter].flatMap((make) => [
    ...LAYOUTS.map(([shape, index, dim]) => make('float32', shape, index, dim)),
    ...LAYOUTS.slice(0, 4).map(([shape, index, dim]) =>
      make('float32', shape, index, dim, { dtype: 'int32' }),
    ),
    make('float32', [3, 4], [3, 6], 1, { fill: cycle([2]) }),
    make('float32', [3, 4], [3, 2], 1, { ...BAD, fill: cycle([0, 1, 4]) }),
    make('float32', [3, 4], [3, 2], 1, { ...BAD, fill: cycle([0, -1]), dtype: 'int32' }),
    make('float32', [0], [2], 0, { ...BAD, fill: cycle([0]) }),
  ]),
];
