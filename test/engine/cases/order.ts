/** sort, search_sorted, scan, scan_extreme, scatter: every dtype, ties, NaN, bad calls. */

import { DTYPES, type DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import type { ScanFn, ScatterFn } from '../../../src/engine/kernels.ts';
import {
  between,
  cycle,
  type Fill,
  input,
  integers,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';

const MIXED = cycle([
  3,
  Number.NaN,
  -1,
  3,
  Number.POSITIVE_INFINITY,
  0,
  -0,
  Number.NEGATIVE_INFINITY,
]);
/** Many equal elements. */
const TIES = integers(0, 3);

function sort(dtype: DType, shape: number[], descending: boolean, count: number, fill?: Fill) {
  const out = [...shape.slice(0, -1), count];
  return kernelCase(
    'sort',
    `${count} of ${dtype} ${formatShape(shape)}, ${descending ? 'descending' : 'ascending'}${fill ? ', given' : ''}`,
    { descending, count },
    [input(dtype, shape, fill)],
    [type(dtype, ...out), type('int64', ...out)],
  );
}

function search(dtype: DType, rows: number[], values: number[], right: boolean) {
  const size = rows.at(-1)!;
  return kernelCase(
    'search_sorted',
    `${formatShape(values)} in ${dtype} ${formatShape(rows)}${right ? ', right' : ''}`,
    { right },
    [input(dtype, rows, (i) => Math.floor((i % size) / 2)), input(dtype, values, integers(0, 5))],
    [type('int64', ...values)],
  );
}

function scan(fn: ScanFn, dtype: DType, shape: number[], dim: number, fill?: Fill) {
  const name = `${fn} of ${dtype} ${formatShape(shape)} along ${dim}${fill ? ', given' : ''}`;
  return kernelCase(
    'scan',
    name,
    { fn, dim },
    [input(dtype, shape, fill)],
    [type(dtype, ...shape)],
  );
}

function extreme(fn: 'amax' | 'amin', dtype: DType, shape: number[], dim: number, fill?: Fill) {
  return kernelCase(
    'scan_extreme',
    `${fn} of ${dtype} ${formatShape(shape)} along ${dim}${fill ? ', given' : ''}`,
    { fn, dim },
    [input(dtype, shape, fill)],
    [type(dtype, ...shape), type('int64', ...shape)],
  );
}

function scatter(fn: ScatterFn, dtype: DType, shape: number[], index: number[], dim: number) {
  return kernelCase(
    'scatter',
    `${fn} ${formatShape(index)} into ${dtype} ${formatShape(shape)} along ${dim}`,
    { fn, dim },
    [
      input(dtype, shape),
      input(dim === 0 ? 'int32' : 'int64', index, integers(0, shape[dim]! - 1)),
      input(dtype, index),
    ],
    [type(dtype, ...shape)],
  );
}

const NUMBERS = DTYPES.filter((dtype) => dtype !== 'bool');
const LAYOUTS: [shape: number[], dim: number][] = [
  [[5], 0],
  [[4, 3], 0],
  [[4, 3], 1],
  [[3, 4, 5], 1],
  [[1, 1], 0],
  [[0, 3], 0],
  [[3, 0], 0],
  [[40, 500], 1],
];
const FNS: ScatterFn[] = ['set', 'add', 'mul', 'amax', 'amin'];

export const ORDER_CASES: readonly KernelCase[] = [
  ...DTYPES.flatMap((dtype) => [sort(dtype, [3, 7], false, 7), sort(dtype, [3, 7], true, 3, TIES)]),
  ...[true, false].flatMap((descending) => [
    sort('float32', [2, 8], descending, 8, MIXED),
    sort('float32', [2, 8], descending, 3, MIXED),
    sort('float32', [40, 300], descending, 300, TIES),
    sort('float64', [1, 5], descending, 0),
    sort('float32', [0, 3], descending, 2),
    sort('float32', [3, 0], descending, 0),
  ]),
  ...NUMBERS.flatMap((dtype) => [
    search(dtype, [7], [9], false),
    search(dtype, [2, 6], [2, 4], true),
  ]),
  search('float32', [3, 0], [3, 2], true),
  search('float32', [20, 10], [20, 400], false),
  kernelCase(
    'search_sorted',
    'NaN',
    { right: false },
    [
      input('float32', [3], cycle([0, 1, Number.NaN])),
      input('float32', [2], cycle([2, Number.NaN])),
    ],
    [type('int64', 2)],
  ),
  ...NUMBERS.flatMap((dtype) => [scan('sum', dtype, [4, 5], 1), scan('prod', dtype, [4, 5], 0)]),
  ...LAYOUTS.flatMap(([shape, dim]) => [
    scan('sum', 'float32', shape, dim),
    scan('logsumexp', 'float32', shape, dim),
    extreme('amax', 'float32', shape, dim),
    extreme('amin', 'float32', shape, dim, TIES),
  ]),
  scan('prod', 'float32', [300, 2], 0, between(0.9, 1.1)),
  scan('logsumexp', 'float64', [8], 0, MIXED),
  scan('logsumexp', 'bfloat16', [2, 8], 1),
  scan(
    'logsumexp',
    'float32',
    [4],
    0,
    cycle([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 2]),
  ),
  ...DTYPES.map((dtype) => extreme('amax', dtype, [3, 6], 1)),
  ...(['amax', 'amin'] as const).map((fn) => extreme(fn, 'float32', [16], 0, MIXED)),
  ...FNS.flatMap((fn) => [
    ...NUMBERS.map((dtype) => scatter(fn, dtype, [4, 3], [4, 5], 1)),
    scatter(fn, 'float32', [5, 3], [2, 2], 0),
    scatter(fn, 'float32', [3], [0], 0),
  ]),
  scatter('set', 'bool', [4, 3], [4, 5], 1),
  kernelCase(
    'scatter',
    'a bad index',
    { dim: 0, fn: 'set' },
    [input('float32', [3]), input('int64', [1], cycle([3])), input('float32', [1])],
    [type('float32', 3)],
    { fails: /index 3.*out of range/ },
  ),
];

const f32 = (...shape: number[]) => input('float32', shape);
export const MALFORMED_ORDER: readonly KernelCase[] = [
  kernelCase(
    'sort',
    'too many',
    { descending: false, count: 4 },
    [f32(3)],
    [type('float32', 4), type('int64', 4)],
  ),
  kernelCase(
    'sort',
    'a number',
    { descending: false, count: 0 },
    [f32()],
    [type('float32'), type('int64')],
  ),
  kernelCase(
    'sort',
    'float indices',
    { descending: false, count: 3 },
    [f32(3)],
    [type('float32', 3), type('float32', 3)],
  ),
  kernelCase(
    'search_sorted',
    'other rows',
    { right: true },
    [f32(2, 3), f32(3, 2)],
    [type('int64', 3, 2)],
  ),
  kernelCase('scan', 'no such dimension', { dim: 1, fn: 'sum' }, [f32(3)], [type('float32', 3)]),
  kernelCase(
    'scan',
    'truth values',
    { dim: 0, fn: 'sum' },
    [input('bool', [3])],
    [type('bool', 3)],
  ),
  kernelCase(
    'scan_extreme',
    'a shorter output',
    { dim: 0, fn: 'amax' },
    [f32(3)],
    [type('float32', 2), type('int64', 3)],
  ),
  kernelCase(
    'scatter',
    'a source of another shape',
    { dim: 0, fn: 'set' },
    [f32(3), input('int64', [2]), f32(3)],
    [type('float32', 3)],
  ),
];
