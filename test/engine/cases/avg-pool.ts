/** Average pooling and its gradient over lists of windows. */

import type { DType } from '../../../src/base/dtype.ts';
import { input, type KernelCase, kernelCase, type } from './case.ts';

/** Windows along one dimension: begin, end, divisor. */
type Windows = readonly (readonly [number, number, number])[];

interface Pooling {
  readonly channels: readonly [number, number];
  /** (H, W) */
  readonly size: readonly [number, number];
  readonly rows: Windows;
  readonly columns: Windows;
}

const halves = (size: number): Windows =>
  Array.from({ length: size / 2 }, (_, i) => [2 * i, 2 * i + 2, 2]);

const POOLINGS: Record<string, Pooling> = {
  '2x2': { channels: [2, 3], size: [8, 6], rows: halves(8), columns: halves(6) },
  overlapping: {
    ...{ channels: [2, 3], size: [5, 4] },
    rows: [
      [0, 3, 3],
      [2, 5, 3],
    ],
    columns: [
      [0, 1, 2],
      [0, 4, 5],
      [3, 4, 1],
    ],
  },
  'places outside all windows, and an empty window': {
    ...{ channels: [1, 2], size: [6, 6] },
    rows: [[1, 3, 2]],
    columns: [
      [2, 2, 1],
      [4, 6, 2],
    ],
  },
  'the whole plane': { channels: [3, 40], size: [7, 7], rows: [[0, 7, 7]], columns: [[0, 7, 7]] },
  'one element': { channels: [1, 1], size: [1, 1], rows: [[0, 1, 1]], columns: [[0, 1, 1]] },
  'no windows': { channels: [2, 2], size: [3, 3], rows: [], columns: [[0, 3, 3]] },
  'no planes': { channels: [0, 2], size: [4, 4], rows: halves(4), columns: halves(4) },
  large: { channels: [16, 16], size: [24, 24], rows: halves(24), columns: halves(24) },
};

function poolings(name: string, pooling: Pooling, dtype: DType): KernelCase[] {
  const { channels, size, rows, columns } = pooling;
  const x = [...channels, ...size];
  const y = [...channels, rows.length, columns.length];
  const column = (windows: Windows, i: 0 | 1 | 2) => windows.map((window) => window[i]);
  const attrs = {
    row_begin: column(rows, 0),
    row_end: column(rows, 1),
    row_divisor: column(rows, 2),
    column_begin: column(columns, 0),
    column_end: column(columns, 1),
    column_divisor: column(columns, 2),
  };
  const detail = `${name}, ${dtype}`;
  return [
    kernelCase('avg_pool2d_fwd', detail, attrs, [input(dtype, x)], [type(dtype, ...y)]),
    kernelCase('avg_pool2d_bwd', detail, attrs, [input(dtype, y)], [type(dtype, ...x)]),
  ];
}

export const AVG_POOL_CASES: readonly KernelCase[] = [
  ...Object.entries(POOLINGS).flatMap(([name, pooling]) => poolings(name, pooling, 'float32')),
  ...(['float64', 'bfloat16'] as const).flatMap((dtype) =>
    ['2x2', 'overlapping'].flatMap((name) => poolings(name, POOLINGS[name]!, dtype)),
  ),
];
