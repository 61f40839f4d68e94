/** reduce and arg_reduce: every function, dtype, set of dimensions, and where NaN goes. */

import { type DType, isFloating } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import type { Reduction } from '../../../src/engine/kernels.ts';
import { between, cycle, input, integers, type KernelCase, kernelCase, type } from './case.ts';

const REDUCTIONS: readonly Reduction[] = ['sum', 'prod', 'amax', 'amin'];
const ARG_REDUCTIONS = ['argmax', 'argmin'] as const;
const ALL_DTYPES: readonly DType[] = [
  ...(['float32', 'float64', 'bfloat16'] as const),
  ...(['int64', 'int32', 'uint8', 'bool'] as const),
];

/** Sums and products of small integers are int64; everything else keeps its dtype. */
function resultDtype(fn: Reduction, dtype: DType): DType {
  return (fn === 'sum' || fn === 'prod') && !isFloating(dtype) ? 'int64' : dtype;
}

function reduceCase(fn: Reduction, dtype: DType, shape: number[], dims: number[], fill?: 'NaN') {
  const out = shape.filter((_, dim) => !dims.includes(dim));
  const special = cycle([1, 2, NaN, 3, -Infinity, 4, Infinity]);
  // Products stay in range when factors are near 1, or are small integers and few.
  const factors = isFloating(dtype) ? between(0.9, 1.1) : integers(0, 2);
  const plain = fn === 'prod' ? input(dtype, shape, factors) : input(dtype, shape);
  return kernelCase(
    'reduce',
    `${fn} of ${dtype} ${formatShape(shape)} over [${dims}]${fill === undefined ? '' : ' with NaN'}`,
    { fn, dims },
    [fill === undefined ? plain : input(dtype, shape, special)],
    [type(resultDtype(fn, dtype), ...out)],
  );
}

const LAYOUTS: [shape: number[], dims: number[]][] = [
  [[37], [0]],
  [[1], [0]],
  [[5, 7], []],
  [[5, 7], [0]],
  [[5, 7], [1]],
  [
    [5, 7],
    [0, 1],
  ],
  [[4, 9, 6], [1]],
  [
    [4, 9, 6],
    [0, 2],
  ],
  [
    [4, 9, 6],
    [0, 1],
  ],
  [
    [3, 4, 5, 6],
    [0, 2, 3],
  ],
  [
    [3, 4, 5, 6],
    [1, 3],
  ],
  [[3, 1, 5], [1]],
  [[], []],
  [[3, 0, 2], [0]],
];

const LARGE: [shape: number[], dims: number[]][] = [
  [[70_003], [0]],
  [[300, 257], [0]],
  [[300, 257], [1]],
  [
    [16, 6, 28, 28],
    [0, 2, 3],
  ],
  [[2, 40_001], [1]],
  [[40_001, 2], [0]],
];

/** Nothing along a reduced dimension: the neutral element. */
const EMPTY: [shape: number[], dims: number[]][] = [
  [[0], [0]],
  [[3, 0, 2], [1]],
  [
    [0, 4],
    [0, 1],
  ],
];

const REDUCE: readonly KernelCase[] = [
  ...REDUCTIONS.flatMap((fn) =>
    LAYOUTS.map(([shape, dims]) => reduceCase(fn, 'float32', shape, dims)),
  ),
  ...REDUCTIONS.flatMap((fn) => ALL_DTYPES.map((dtype) => reduceCase(fn, dtype, [6, 11], [1]))),
  ...REDUCTIONS.flatMap((fn) => ALL_DTYPES.map((dtype) => reduceCase(fn, dtype, [11, 6], [0]))),
  ...(['sum', 'amax', 'amin'] as const).flatMap((fn) =>
    LARGE.map(([shape, dims]) => reduceCase(fn, 'float32', shape, dims)),
  ),
  ...(['float64', 'int64'] as const).map((dtype) => reduceCase('sum', dtype, [70_003], [0])),
  ...(['sum', 'prod'] as const).flatMap((fn) =>
    EMPTY.map(([shape, dims]) => reduceCase(fn, 'float32', shape, dims)),
  ),
  ...REDUCTIONS.flatMap((fn) =>
    (['float32', 'float64', 'bfloat16'] as const).flatMap((dtype) => [
      reduceCase(fn, dtype, [9, 5], [1], 'NaN'),
      reduceCase(fn, dtype, [9, 5], [0], 'NaN'),
      reduceCase(fn, dtype, [45], [0], 'NaN'),
    ]),
  ),
  kernelCase(
    'reduce',
    'sum of many equal float32 numbers keeps its accuracy',
    { fn: 'sum', dims: [0] },
    [input('float32', [1_000_000], () => 0.1)],
    [type('float32')],
  ),
];

function argCase(
  fn: 'argmax' | 'argmin',
  dtype: DType,
  shape: number[],
  dim: number,
  values?: number[],
) {
  const out = shape.filter((_, i) => i !== dim);
  return kernelCase(
    'arg_reduce',
    `${fn} of ${dtype} ${formatShape(shape)} along ${dim}${values === undefined ? '' : ` of ${values}`}`,
    { fn, dim },
    [input(dtype, shape, values && cycle(values))],
    [type('int64', ...out)],
  );
}

const ARG_REDUCE: readonly KernelCase[] = ARG_REDUCTIONS.flatMap((fn) => [
  ...ALL_DTYPES.flatMap((dtype) => [
    argCase(fn, dtype, [7, 10], 1),
    argCase(fn, dtype, [7, 10], 0),
  ]),
  argCase(fn, 'float32', [4, 9, 5], 1),
  argCase(fn, 'float32', [1], 0),
  argCase(fn, 'float32', [70_003], 0),
  argCase(fn, 'float32', [3000, 33], 1),
  argCase(fn, 'float32', [33, 3000], 0),
  argCase(fn, 'float32', [0, 4], 1),
  // The first of equals, and the first NaN.
  argCase(fn, 'float32', [4, 6], 1, [1, 3, 1, 3, 2]),
  argCase(fn, 'float32', [4, 6], 1, [2, NaN, 9, NaN, -9, 1, 0]),
  argCase(fn, 'float32', [40], 0, [1, 5, 5, -5, -5]),
  argCase(fn, 'bfloat16', [4, 6], 0, [2, NaN, 9, NaN, -9, 1, 0]),
  argCase(fn, 'float64', [4, 6], 1, [Infinity, -Infinity, 0]),
]);

export const REDUCE_CASES: readonly KernelCase[] = [...REDUCE, ...ARG_REDUCE];
