/** matmul: sizes around the blocks of a kernel, transposes, batches, dtypes. */

import type { DType } from '../../../src/base/dtype.ts';
import { input, type KernelCase, kernelCase, type } from './case.ts';

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dtype?: DType;
  readonly batch?: number[];
  readonly transpose_a?: boolean;
  readonly transpose_b?: boolean;
}

function product(options: Product): KernelCase {
  const { m, n, k, dtype = 'float32', batch = [] } = options;
  const { transpose_a = false, transpose_b = false } = options;
  const stored = (rows: number, columns: number, transposed: boolean) =>
    input(dtype, [...batch, ...(transposed ? [columns, rows] : [rows, columns])]);
  const sides = `${transpose_a ? 't' : 'n'}${transpose_b ? 't' : 'n'}`;
  return kernelCase(
    'matmul',
    `${[...batch, m, n, k].join('x')} ${sides} ${dtype}`,
    { transpose_a, transpose_b },
    [stored(m, k, transpose_a), stored(k, n, transpose_b)],
    [type(dtype, ...batch, m, n)],
  );
}

const SIZES = [1, 3, 17, 64, 130];
const FLAGS = [false, true];

const EVERY_SIZE = SIZES.flatMap((m) =>
  SIZES.flatMap((n) => SIZES.map((k) => product({ m, n, k }))),
);

const SIDES = FLAGS.flatMap((transpose_a) =>
  FLAGS.map((transpose_b) => ({ transpose_a, transpose_b })),
);

const TRANSPOSED = SIDES.slice(1).flatMap((sides) =>
  [
    { m: 17, n: 33, k: 5 },
    { m: 130, n: 64, k: 17 },
    { m: 1, n: 130, k: 64 },
    { m: 64, n: 1, k: 130 },
    { m: 3, n: 17, k: 1 },
  ].map((sizes) => product({ ...sizes, ...sides })),
);

const BATCHED = SIDES.flatMap((sides) => [
  product({ m: 7, n: 9, k: 5, batch: [4], ...sides }),
  product({ m: 17, n: 33, k: 20, batch: [2, 3], ...sides }),
]);

const OTHER_DTYPES = (['float64', 'bfloat16'] as const).flatMap((dtype) =>
  SIDES.flatMap((sides) => [
    product({ m: 17, n: 30, k: 45, dtype, ...sides }),
    product({ m: 5, n: 6, k: 7, batch: [3], dtype, ...sides }),
  ]),
);

/** More rows and columns than bfloat16's blocks have, even and odd k. */
const LONGER_BF16 = SIDES.flatMap((sides) => [
  product({ m: 350, n: 70, k: 64, dtype: 'bfloat16', ...sides }),
  product({ m: 40, n: 200, k: 131, dtype: 'bfloat16', ...sides }),
]);

export const MATMUL_CASES: readonly KernelCase[] = [
  ...EVERY_SIZE,
  ...TRANSPOSED,
  ...BATCHED,
  ...OTHER_DTYPES,
  ...LONGER_BF16,
  ...[
    { m: 4, n: 5, k: 0 },
    { m: 0, n: 5, k: 3 },
    { m: 4, n: 0, k: 3 },
  ].map(product),
  product({ m: 4, n: 5, k: 0, batch: [2], dtype: 'float64' }),
  product({ m: 4, n: 5, k: 3, batch: [0] }),
  // Longer than a kernel's blocks, one dimension at a time and together.
  product({ m: 700, n: 20, k: 30 }),
  product({ m: 20, n: 1100, k: 30 }),
  product({ m: 20, n: 40, k: 1100 }),
  product({ m: 4, n: 120, k: 400, transpose_b: true }),
  product({ m: 64, n: 200, k: 1100, transpose_b: true }),
  product({ m: 200, n: 64, k: 600, transpose_b: true }),
  product({ m: 150, n: 30, k: 90, transpose_a: true, transpose_b: true }),
  product({ m: 30, n: 150, k: 1030, transpose_a: true, transpose_b: true }),
  product({ m: 90, n: 65, k: 200, transpose_b: true, dtype: 'float64' }),
  product({ m: 150, n: 140, k: 300, transpose_a: true }),
  product({ m: 100, n: 150, k: 257, transpose_b: true, dtype: 'float64' }),
];
