/** gather_rows and scatter_rows: repeated indices, bad indices, a padding row. */

import type { DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import { cycle, type Fill, input, integers, type KernelCase, kernelCase, type } from './case.ts';

interface Choice {
  readonly by?: 'int32' | 'int64';
  readonly fill?: Fill;
  readonly padding?: number;
  readonly fails?: RegExp;
}

function rows(
  dtype: DType,
  [count, ...row]: [number, ...number[]],
  index: number[],
  { by = 'int64', fill = integers(0, count - 1), padding = -1, fails }: Choice = {},
): KernelCase[] {
  const name =
    `${formatShape(index)} ${by} of ${dtype} ${formatShape([count, ...row])}` +
    `${padding < 0 ? '' : `, padding ${padding}`}${fails ? `, bad ${fails.source.slice(0, 8)}` : ''}`;
  const options = fails && { fails };
  const table = [count, ...row];
  const chosen = [...index, ...row];
  const gather = kernelCase(
    'gather_rows',
    name,
    {},
    [input(dtype, table), input(by, index, fill)],
    [type(dtype, ...chosen)],
    options,
  );
  const scatter = kernelCase(
    'scatter_rows',
    name,
    { padding },
    [input(dtype, chosen), input(by, index, fill)],
    [type(dtype, ...table)],
    options,
  );
  return dtype === 'int64' ? [gather] : [gather, scatter];
}

export const EMBEDDING_CASES: readonly KernelCase[] = [
  ...rows('float32', [10, 7], [4, 5]),
  ...rows('float32', [65, 128], [16, 32], { by: 'int32' }),
  ...rows('float32', [5, 33], [400], { padding: 2 }),
  ...rows('float32', [3], [8]),
  ...rows('float32', [4, 2, 3], [5]),
  ...rows('float32', [4, 3], [0]),
  ...rows('float32', [1, 1], []),
  ...rows('float64', [6, 5], [3, 3]),
  ...rows('bfloat16', [6, 40], [9]),
  ...rows('int64', [6, 2], [9]),
  ...rows('float32', [4, 3], [5], { fill: cycle([0, 4]), fails: /index 4 is out of range/ }),
  ...rows('float32', [4, 3], [5], { fill: cycle([0, -1]), fails: /index -1 is out of range/ }),
];
