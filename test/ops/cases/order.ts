/** Sorting, scanning and scattering: dtypes, ties and NaN that PyTorch's own samples leave out. */

import * as t from '../../../src/index.ts';
import { bf16, bool, f32, i32, i64, type OpCase, opCase, u8, values } from '../case.ts';

const NAN = values('float32', [6], [2, Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NaN, 0]);
const TIES = values('float32', [2, 4], [1, 0, 1, 0, 2, 2, -1, 2]);
const PLACES = values('int64', [2, 3], [1, 0, 1, 0, 0, 1]);
const rough = { grad: false };

const SORT: OpCase[] = [
  opCase('sort', 'rows', [f32(2, 4)], (x) => x.sort(), { torch: 'a.sort()' }),
  opCase('sort', 'columns, descending', [f32(3, 2)], (x) => x.sort(0, true), {
    torch: 'a.sort(0, True)',
  }),
  opCase('sort', 'ties', [TIES], (x) => [...x.sort(), ...x.sort(1, true)], {
    torch: '(*a.sort(stable=True), *torch.sort(a, dim=1, descending=True, stable=True))',
    smooth: false,
  }),
  opCase('sort', 'NaN', [NAN], (x) => [...x.sort(), x.argsort(0, true)], {
    torch: '(*a.sort(stable=True), a.argsort(descending=True, stable=True))',
    ...rough,
  }),
  ...[i64, i32, u8, bool, bf16].map((slot) =>
    opCase('sort', slot(1).dtype, [slot(5)], (x) => x.sort({ descending: true }), {
      torch: 'a.sort(descending=True, stable=True)',
    }),
  ),
  opCase('topk', 'int64, smallest', [i64(3, 4)], (x) => x.topk(2, 0, false)[0], {
    torch: 'a.topk(2, 0, False).values',
  }),
  opCase('median', 'NaN', [NAN], (x) => [x.median(), x.nanmedian(), ...x.median(0)], {
    torch: '(a.median(), a.nanmedian(), *a.median(0))',
    ...rough,
  }),
  opCase('mode', 'ties', [TIES], (x) => x.mode()[0], { torch: 'a.mode().values', smooth: false }),
];

const SCAN: OpCase[] = [
  ...(['cumsum', 'cumprod'] as const).flatMap((op) => [
    opCase(op, 'middle', [f32(2, 3, 2)], (x) => x[op](1), { torch: `a.${op}(1)` }),
    ...[i64, i32, u8, bool, bf16].map((slot) =>
      opCase(op, slot(1).dtype, [slot(4)], (x) => x[op](0), { torch: `a.${op}(0)` }),
    ),
    opCase(op, 'to float64', [i32(3)], (x) => x[op](0, { dtype: 'float64' }), {
      torch: `a.${op}(0, dtype=torch.float64)`,
    }),
  ]),
  opCase('cumprod', 'zeros', [values('float32', [5], [2, 0, 3, 0, 4])], (x) => x.cumprod(0), {
    torch: 'a.cumprod(0)',
    twice: false,
  }),
  opCase('logcumsumexp', 'columns', [f32(3, 2)], (x) => x.logcumsumexp(0), {
    torch: 'a.logcumsumexp(0)',
  }),
  ...(['cummax', 'cummin'] as const).flatMap((op) => [
    opCase(op, 'rows', [f32(2, 4)], (x) => x[op](1), { torch: `a.${op}(1)` }),
    opCase(op, 'ties', [TIES], (x) => x[op](1), { torch: `a.${op}(1)`, ...rough }),
    opCase(op, 'NaN', [NAN], (x) => x[op](0), { torch: `a.${op}(0)`, ...rough }),
  ]),
];

const SCATTER: OpCase[] = [
  opCase(
    'scatter',
    'set',
    [f32(2, 3), values('int64', [2, 2], [2, 0, 1, 0]), f32(2, 2)],
    (x, i, src) => x.scatter(1, i, src),
    {
      torch: 'a.scatter(1, b, c)',
    },
  ),
  opCase('scatter', 'a number', [i64(2, 3), PLACES], (x, i) => x.scatter(0, i, { value: 7 }), {
    torch: 'a.scatter(0, b, 7)',
  }),
  opCase('scatter', 'multiplied', [f32(2, 3), PLACES], (x, i) => x.scatter(0, i, 2, 'multiply'), {
    torch: 'a.scatter_reduce(0, b, torch.full(b.shape, 2, dtype=a.dtype), "prod")',
  }),
  ...(['sum', 'prod', 'mean', 'amax', 'amin'] as const).flatMap((reduce) =>
    [true, false].map((include_self) =>
      opCase(
        'scatter_reduce',
        `${reduce}${include_self ? '' : ' without self'}`,
        [f32(2, 3), PLACES, f32(2, 3)],
        (x, i, src) => x.scatterReduce(0, i, src, reduce, { include_self }),
        {
          torch: `a.scatter_reduce(0, b, c, "${reduce}", include_self=${include_self ? 'True' : 'False'})`,
        },
      ),
    ),
  ),
];

const INDEX: OpCase[] = [
  opCase(
    'index',
    'integers, slices, a new dimension',
    [f32(3, 4, 2)],
    (x) => x.index([-1, t.Slice(1, null, 2), null]),
    {
      torch: 'a[-1, 1::2, None]',
    },
  ),
  opCase(
    'index',
    'the rest',
    [f32(3, 4, 2)],
    (x) => [x.index(['...', 0]), x.index('...'), x.index(1)],
    {
      torch: '(a[..., 0], a[...], a[1])',
    },
  ),
  opCase(
    'index',
    'indices together and apart',
    [f32(2, 3, 4), values('int64', [2], [0, -1]), values('int64', [2, 1], [1, 0])],
    (x, i, j) => [x.index([t.Slice(), i, j]), x.index([j, t.Slice(), i]), x.index([[0, 1, 1]])],
    { torch: '(a[:, b, c], a[c, :, b], a[[0, 1, 1]])' },
  ),
  opCase(
    'index',
    'a mask',
    [f32(2, 3), values('bool', [2, 3], [1, 0, 0, 1, 1, 0]), values('bool', [3], [0, 1, 1])],
    (x, m, n) => [x.index(m), x.index([t.Slice(), n]), x.index(['...', n, null])],
    { torch: '(a[b], a[:, c], a[..., c, None])' },
  ),
  opCase(
    'index_put',
    'a slice',
    [f32(3, 4), f32(2)],
    (x, v) => x.indexPut([1, t.Slice(0, null, 2)], v),
    {
      torch: 'torch.select_scatter(a, torch.slice_scatter(a[1], b, 0, 0, 4, 2), 0, 1)',
    },
  ),
  opCase(
    'index_put',
    'added',
    [f32(3), values('int64', [4], [0, 2, 0, -1]), f32(4)],
    (x, i, v) => x.indexPut([i], v, { accumulate: true }),
    { torch: 'a.index_put((b,), c, accumulate=True)' },
  ),
];

const SEARCH: OpCase[] = [
  opCase(
    'search_sorted',
    'both sides',
    [values('float32', [4], [0, 1, 1, 2]), values('float32', [2, 2], [1, -1, 3, 0.5])],
    (rows, x) => [t.searchsorted(rows, x), t.bucketize(x, rows, true, true), t.isin(x, rows)],
    {
      torch:
        '(torch.searchsorted(a, b), torch.bucketize(b, a, out_int32=True, right=True), torch.isin(b, a))',
      ...rough,
    },
  ),
];

export const ORDER: OpCase[] = [...SEARCH, ...SORT, ...SCAN, ...SCATTER, ...INDEX];
