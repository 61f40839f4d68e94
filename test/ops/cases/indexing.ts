/** Gathering, scattering, one-hot. */

import * as t from '../../../src/index.ts';
import { scatterSum } from '../../../src/ops/indexing.ts';
import { bf16, bool, f32, f64, i32, i64, type OpCase, opCase, u8, values } from '../case.ts';

const COLUMNS = values('int64', [2, 2], [2, 0, 1, 1]);
const ROWS = values('int32', [1, 3], [1, 0, 1]);

const GATHER: OpCase[] = [
  opCase('gather', 'dim 1, an index twice', [f32(2, 3), COLUMNS], (x, i) => x.gather(1, i), {
    torch: 'a.gather(1, b)',
  }),
  opCase('gather', 'dim 0, int32, fewer rows', [f32(2, 3), ROWS], (x, i) => x.gather(0, i), {
    torch: 'a.gather(0, b.long())',
  }),
  opCase(
    'gather',
    'a smaller index',
    [f32(3, 3), values('int64', [2, 1], [2, 0])],
    (x, i) => x.gather(-1, i),
    {
      torch: 'a.gather(-1, b)',
    },
  ),
  opCase(
    'gather',
    'a longer index',
    [f32(2), values('int64', [5], [0, 1, 1, 0, 1])],
    (x, i) => x.gather(0, i),
    {
      torch: 'a.gather(0, b)',
    },
  ),
  opCase(
    'gather',
    'three dims',
    [f32(2, 3, 2), values('int64', [2, 1, 2], [0, 2, 1, 0])],
    (x, i) => x.gather(1, i),
    {
      torch: 'a.gather(1, b)',
    },
  ),
  opCase('gather', 'empty', [f32(2, 3), values('int64', [0, 3], [])], (x, i) => x.gather(0, i), {
    torch: 'a.gather(0, b)',
  }),
  opCase('gather', 'scalars', [f32(), values('int64', [], [0])], (x, i) => x.gather(0, i), {
    torch: 'a.gather(0, b)',
  }),
  ...[f64, bf16, i64, i32, u8, bool].map((slot) =>
    opCase('gather', slot(1).dtype, [slot(2, 3), COLUMNS], (x, i) => x.gather(1, i), {
      torch: 'a.gather(1, b)',
    }),
  ),
  opCase('gather', 'viewed', [f32(3, 2), COLUMNS], (x, i) => x.t().gather(1, i.t()), {
    torch: 'a.t().gather(1, b.t())',
  }),
];

const SCATTER: OpCase[] = [
  opCase('scatter_sum', 'dim 1', [f32(2, 2), COLUMNS], (src, i) => scatterSum([2, 3], 1, i, src), {
    torch: 'torch.zeros(2, 3, dtype=a.dtype).scatter_add(1, b, a)',
  }),
  opCase(
    'scatter_sum',
    'empty',
    [f32(0, 3), values('int64', [0, 3], [])],
    (src, i) => scatterSum([2, 3], 0, i, src),
    {
      torch: 'torch.zeros(2, 3, dtype=a.dtype).scatter_add(0, b, a)',
    },
  ),
  opCase(
    'scatter_add',
    'dim 1',
    [f32(2, 3), COLUMNS, f32(2, 2)],
    (x, i, src) => x.scatterAdd(1, i, src),
    {
      torch: 'a.scatter_add(1, b, c)',
    },
  ),
  opCase(
    'scatter_add',
    'scalars',
    [f32(), values('int64', [], [0]), f32()],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b, c)',
    },
  ),
  opCase(
    'scatter_add',
    'one place many times',
    [f32(2), values('int64', [5], [0, 0, 1, 0, 0]), f32(5)],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b, c)',
    },
  ),
  opCase(
    'scatter_add',
    'dim 0, int32',
    [f32(2, 3), ROWS, f32(1, 3)],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b.long(), c)',
    },
  ),
  opCase(
    'scatter_add',
    'int64',
    [i64(3), values('int64', [2], [2, 2]), i64(2)],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b, c)',
    },
  ),
  opCase(
    'scatter_add',
    'float64',
    [f64(3), values('int64', [2], [2, 2]), f64(2)],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b, c)',
    },
  ),
  opCase(
    'scatter_add',
    'bfloat16',
    [bf16(3), values('int64', [2], [2, 0]), bf16(2)],
    (x, i, src) => x.scatterAdd(0, i, src),
    {
      torch: 'a.scatter_add(0, b, c)',
    },
  ),
];

const ONE_HOT: OpCase[] = [
  opCase('one_hot', 'matrix', [values('int64', [2, 2], [0, 2, 1, 0])], (i) => t.oneHot(i, 3), {
    torch: 'F.one_hot(a, 3)',
  }),
  opCase('one_hot', 'scalar int32', [values('int32', [], [1])], (i) => t.oneHot(i, 2), {
    torch: 'F.one_hot(a.long(), 2)',
  }),
  opCase('one_hot', 'empty', [values('int64', [0], [])], (i) => t.oneHot(i, 2), {
    torch: 'F.one_hot(a, 2)',
  }),
];

export const INDEXING = [...GATHER, ...SCATTER, ...ONE_HOT];
