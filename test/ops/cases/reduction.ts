/** Reductions, positions of extremes, and the statistics made of them. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import {
  bf16,
  bool,
  type CaseOptions,
  f32,
  f64,
  i32,
  i64,
  type OpCase,
  opCase,
  u8,
  values,
} from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

type Reduce = (x: Tensor, dim?: number | readonly number[], keepdim?: boolean) => Tensor;

/** `torch` takes the tensor and the arguments after it, as Python. */
function reduction(
  op: string,
  fn: Reduce,
  torch: (x: string, args: string) => string,
  options: CaseOptions = {},
): OpCase[] {
  const dims: [
    detail: string,
    dim: number | number[] | undefined,
    keepdim: boolean,
    args: string,
  ][] = [
    ['all', undefined, false, ''],
    ['dim 0', 0, false, ', dim=0'],
    ['dim 1', 1, false, ', dim=1'],
    ['the last dim, kept', -1, true, ', dim=-1, keepdim=True'],
    ['two dims', [0, 2], false, ', dim=(0, 2)'],
    ['two dims, kept', [-1, 1], true, ', dim=(-1, 1), keepdim=True'],
  ];
  const more = { torch: torch('a', ''), ...options };
  return [
    ...dims.map(([detail, dim, keepdim, args]) =>
      opCase(op, detail, [f32(2, 3, 2)], (x) => fn(x, dim, keepdim), {
        ...more,
        torch: torch('a', args),
      }),
    ),
    opCase(op, 'scalar', [f32()], (x) => fn(x), more),
    opCase(op, 'size 1', [f32(1, 3)], (x) => fn(x, 0), { ...more, torch: torch('a', ', dim=0') }),
    opCase(op, 'an empty kept dim', [f32(0, 3)], (x) => fn(x, 1), {
      ...more,
      torch: torch('a', ', dim=1'),
    }),
    opCase(op, 'float64', [f64(2, 3)], (x) => fn(x, 0), { ...more, torch: torch('a', ', dim=0') }),
    opCase(op, 'bfloat16', [bf16(2, 3)], (x) => fn(x, 0), {
      ...more,
      torch: torch('a', ', dim=0'),
    }),
    opCase(op, 'viewed', [f32(3, 1, 4)], (x) => fn(viewed(x), 1), {
      ...more,
      torch: torch(TORCH_VIEWED('a'), ', dim=1'),
    }),
  ];
}

const each = (op: string, torch: (x: string) => string, fn: (x: Tensor) => Tensor) =>
  [i64, i32, u8, bool].map((slot) =>
    opCase(op, slot(1).dtype, [slot(2, 3)], fn, { torch: torch('a'), grad: false }),
  );

const call = (name: string) => (x: string, args: string) => `torch.${name}(${x}${args})`;
/** PyTorch's prod takes one dimension at a time. */
const prodOf = (x: string, args: string) => `prod_of(${x}${args})`;

const NAN = values('float32', [2, 3], [1, Number.NaN, 2, Number.NaN, 5, Infinity]);
const ZEROS = values('float32', [3, 3], [2, 0, 3, 0, 0, 4, 2, -1, 0.5]);
const TIES = values('float32', [2, 4], [1, 3, 3, 0, -2, -2, -2, -2]);

const STATISTICS: OpCase[] = [
  opCase('var', 'without correction', [f32(2, 4)], (x) => x.var(1, { correction: 0 }), {
    torch: 'a.var(1, correction=0)',
  }),
  opCase(
    'var',
    'correction 2, kept',
    [f32(2, 4)],
    (x) => x.var(1, { correction: 2, keepdim: true }),
    {
      torch: 'a.var(1, correction=2, keepdim=True)',
    },
  ),
  opCase('var', 'of one element', [f32(3, 1)], (x) => x.var(1), {
    torch: 'a.var(1)',
    grad: false,
  }),
  opCase('std', 'without correction', [f32(2, 4)], (x) => x.std(1, { correction: 0 }), {
    torch: 'a.std(1, correction=0)',
  }),
  opCase('std', 'of equal elements', [values('float32', [3], [2, 2, 2])], (x) => x.std(), {
    torch: 'a.std()',
    smooth: false,
  }),
  opCase(
    'logsumexp',
    'large',
    [values('float32', [3], [1000, 1000.5, -1000])],
    (x) => x.logsumexp(0),
    {
      torch: 'a.logsumexp(0)',
    },
  ),
  opCase(
    'logsumexp',
    'infinite',
    [values('float32', [3, 2], [-Infinity, -Infinity, Infinity, 1, -Infinity, 2])],
    (x) => x.logsumexp(1),
    {
      torch: 'a.logsumexp(1)',
      grad: false,
    },
  ),
  // Sums and squares of these numbers are too large for float16; PyTorch's gradients overflow.
  ...(['mean', 'std', 'norm'] as const).map((op) =>
    opCase(
      op,
      'of large float16',
      [values('float16', [4], [3e4, 2e4, 3e4, -1e4])],
      (x) => x[op](),
      {
        torch: `a.${op}()`,
        grad: false,
      },
    ),
  ),
  opCase('mean', 'of nothing', [f32(0)], (x) => x.mean(), { torch: 'a.mean()', grad: false }),
];

function positions(op: 'argmax' | 'argmin'): OpCase[] {
  const fn = op === 'argmax' ? t.argmax : t.argmin;
  const options = { grad: false };
  return [
    opCase(op, 'all', [f32(2, 3)], (x) => fn(x), { torch: `a.${op}()`, ...options }),
    opCase(op, 'all, kept', [f32(2, 3)], (x) => fn(x, undefined, true), {
      torch: `a.${op}(keepdim=True)`,
      ...options,
    }),
    opCase(op, 'dim 0', [f32(2, 3)], (x) => fn(x, 0), { torch: `a.${op}(0)`, ...options }),
    opCase(op, 'the last dim, kept', [f32(2, 3, 2)], (x) => fn(x, -1, true), {
      torch: `a.${op}(-1, keepdim=True)`,
      ...options,
    }),
    opCase(op, 'scalar', [f32()], (x) => fn(x, 0), { torch: `a.${op}(0)`, ...options }),
    opCase(op, 'an empty kept dim', [f32(0, 3)], (x) => fn(x, 1), {
      torch: `a.${op}(1)`,
      ...options,
    }),
    opCase(op, 'the first of equal ones', [TIES], (x) => fn(x, 1), {
      expected: op === 'argmax' ? [[1, 0]] : [[3, 0]],
      ...options,
    }),
    opCase(op, 'NaN', [NAN], (x) => fn(x, 1), { torch: `a.${op}(1)`, ...options }),
    opCase(op, 'bfloat16', [bf16(3, 2)], (x) => fn(x, 0), { torch: `a.${op}(0)`, ...options }),
    opCase(op, 'float64', [f64(3, 2)], (x) => fn(x, 1), { torch: `a.${op}(1)`, ...options }),
    opCase(op, 'int64', [values('int64', [4], [3, -1, 9, 2])], (x) => fn(x), {
      torch: `a.${op}()`,
      ...options,
    }),
    opCase(op, 'viewed', [f32(3, 1, 4)], (x) => fn(viewed(x), 0), {
      torch: `${TORCH_VIEWED('a')}.${op}(0)`,
      ...options,
    }),
  ];
}

export const REDUCTION: OpCase[] = [
  reduction('sum', t.sum, call('sum')),
  reduction('prod', t.prod, prodOf),
  reduction('amax', t.amax, call('amax')),
  reduction('amin', t.amin, call('amin')),
  reduction('mean', t.mean, call('mean')),
  // One element has no spread, so the plain cases use the biased estimate.
  reduction(
    'var',
    (x, dim, keepdim = false) => x.var(dim, { correction: 0, keepdim }),
    (x, args) => `torch.var(${x}${args}, correction=0)`,
  ),
  reduction(
    'std',
    (x, dim, keepdim = false) => x.std(dim, { correction: 0, keepdim }),
    (x, args) => `torch.std(${x}${args}, correction=0)`,
    { smooth: false },
  ),
  reduction(
    'logsumexp',
    (x, dim, keepdim) => x.logsumexp(dim ?? x.shape.map((_, i) => i), keepdim),
    (x, args) => `logsumexp_of(${x}${args})`,
  ),
  each(
    'sum',
    (x) => `${x}.sum(1)`,
    (x) => x.sum(1),
  ),
  each(
    'prod',
    (x) => `${x}.prod(1)`,
    (x) => x.prod(1),
  ),
  each(
    'amax',
    (x) => `${x}.amax(1)`,
    (x) => x.amax(1),
  ),
  each(
    'amin',
    (x) => `${x}.amin(1)`,
    (x) => x.amin(1),
  ),
  opCase('sum', 'of nothing', [f32(2, 0)], (x) => [x.sum(), x.sum(1), x.prod(1)], {
    torch: '(a.sum(), a.sum(1), a.prod(1))',
  }),
  opCase('sum', 'of a broadcast tensor', [f32(3, 1)], (x) => x.expand([3, 4]).sum(0), {
    torch: 'a.expand(3, 4).sum(0)',
  }),
  opCase('sum', 'NaN and infinity', [NAN], (x) => [x.sum(1), x.amax(1), x.amin(1), x.prod(0)], {
    torch: '(a.sum(1), a.amax(1), a.amin(1), a.prod(0))',
    grad: false,
  }),
  opCase('prod', 'with zeros', [ZEROS], (x) => x.prod(1), {
    torch: 'a.prod(1)',
    twice: false,
  }),
  opCase('amax', 'ties share the gradient', [TIES], (x) => x.amax(1), {
    torch: 'a.amax(1)',
    smooth: false,
  }),
  opCase('amin', 'ties share the gradient', [TIES], (x) => x.amin(1), {
    torch: 'a.amin(1)',
    smooth: false,
  }),
  opCase(
    'sum',
    'to a shape, as gradients of broadcasts are',
    [f32(2, 3), f32(3), f32(2, 1)],
    (a, b, c) => a.mul(b).add(c),
    {
      torch: 'a * b + c',
    },
  ),
  STATISTICS,
  positions('argmax'),
  positions('argmin'),
  Object.entries({ max: t.max, min: t.min }).map(([op, fn]) =>
    opCase(op, 'of a number that is NaN', [values('float32', [], [Number.NaN])], (x) => fn(x, 0), {
      torch: `torch.${op}(a, 0)`,
      grad: false,
    }),
  ),
].flat();
