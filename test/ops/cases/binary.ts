/** Pointwise ops of two operands: every kind of operand, broadcasting, promotion. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import {
  bf16,
  bool,
  type CaseOptions,
  type Domain,
  f32,
  f64,
  i32,
  i64,
  type OpCase,
  opCase,
  type Slot,
  u8,
  values,
  within,
} from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

type Operand = Tensor | number;
/** A function of two tensors; one of both may be a number where `numbers` says so. */
type Binary = (a: never, b: never) => Tensor;

interface BinaryOptions extends CaseOptions {
  readonly domain?: Domain;
  readonly bools?: boolean;
  /** The number that the op is given as an operand, and on which sides it takes one. */
  readonly number?: number;
  readonly numbers?: 'both' | 'right' | 'none';
}

function binary(
  op: string,
  binaryFn: Binary,
  torch: (a: string, b: string) => string,
  { domain = 'any', bools = true, number = 1.5, numbers = 'both', ...options }: BinaryOptions = {},
): OpCase[] {
  const fn = binaryFn as (a: Operand, b: Operand) => Tensor;
  const of = (detail: string, a: Slot, b: Slot, more: CaseOptions = {}) =>
    opCase(op, detail, [within(domain, a), within(domain, b)], fn, {
      torch: torch('a', 'b'),
      ...options,
      ...more,
    });
  const integers = values('int64', [5], [1, 2, 3, 5, 4]);
  const right = opCase(op, 'number on the right', [within(domain, f32(4))], (x) => fn(x, number), {
    torch: torch('a', `torch.full((), ${number}, dtype=a.dtype)`),
    ...options,
  });
  const left = opCase(op, 'number on the left', [within(domain, f32(4))], (x) => fn(number, x), {
    torch: torch(`torch.full((), ${number}, dtype=a.dtype)`, 'a'),
    ...options,
  });
  return [
    of('matrices', f32(2, 3), f32(2, 3)),
    of('broadcast both ways', f32(2, 1, 3), f32(2, 1)),
    of('broadcast of one element', f32(1, 1), f32(2, 2)),
    of('scalars', f32(), f32()),
    of('scalar tensor on the left', f32(), f32(3)),
    of('empty', f32(0, 3), f32(1, 3)),
    of('float64', f64(5), f64(5)),
    of('bfloat16', bf16(5), bf16(5)),
    of('float32 and float64', f32(4), f64(4)),
    of('bfloat16 and float32', bf16(4), f32(4)),
    of('int32 and float32', values('int32', [4], [1, 2, 3, domain === 'any' ? -2 : 4]), f32(4)),
    of('int64', values('int64', [5], [7, 3, 0, 6, 1]), integers, { grad: false }),
    of('uint8 and int32', u8(4), values('int32', [4], [1, 2, 3, 2]), { grad: false }),
    of('float vector and int64 scalar', f32(3), values('int64', [], [2])),
    ...(bools
      ? [of('bools', bool(6), values('bool', [6], [1, 0, 1, 1, 0, 0]), { grad: false })]
      : []),
    ...(numbers === 'none' ? [] : [right]),
    ...(numbers === 'both' ? [left] : []),
    opCase(
      op,
      'viewed',
      [within(domain, f32(3, 1, 4)), within(domain, f32(2))],
      (a, b) => fn(viewed(a), b),
      {
        torch: torch(TORCH_VIEWED('a'), 'b'),
        ...options,
      },
    ),
    opCase(op, 'a tensor with itself', [within(domain, f32(4))], (x) => fn(x, x), {
      torch: torch('a', 'a'),
      ...options,
      smooth: false,
    }),
  ];
}

const call = (name: string) => (a: string, b: string) => `torch.${name}(${a}, ${b})`;
const NO_GRAD = { grad: false } as const;
const OF_TENSORS = { numbers: 'none' } as const;
const SPECIAL_PAIRS = [
  values('float32', [7], [0, 1, -1, Number.NaN, Infinity, -Infinity, 0]),
  values('float32', [7], [0, 0, 0, 1, Infinity, 2, -0]),
];

const special = (op: string, fn: Binary, torch: string) =>
  opCase(op, 'special values', SPECIAL_PAIRS, fn as (a: Tensor, b: Tensor) => Tensor, {
    torch,
    grad: false,
  });

export const BINARY: OpCase[] = [
  binary('add', t.add, call('add')),
  binary('sub', t.sub, call('sub'), { bools: false }),
  binary('mul', t.mul, call('mul')),
  binary('div', t.div, call('div'), { domain: 'positive', bools: false }),
  binary('pow', t.pow, call('pow'), { domain: 'positive', bools: false }),
  binary('atan2', t.atan2, call('atan2'), { bools: false, ...OF_TENSORS }),
  binary('maximum', t.maximum, call('maximum'), OF_TENSORS),
  binary('minimum', t.minimum, call('minimum'), OF_TENSORS),
  binary('fmod', t.fmod, call('fmod'), { bools: false, numbers: 'right' }),
  binary('eq', t.eq, call('eq'), { ...NO_GRAD, numbers: 'right' }),
  binary('ne', t.ne, call('ne'), { ...NO_GRAD, numbers: 'right' }),
  binary('lt', t.lt, call('lt'), { ...NO_GRAD, numbers: 'right' }),
  binary('le', t.le, call('le'), { ...NO_GRAD, numbers: 'right' }),
  binary('gt', t.gt, call('gt'), { ...NO_GRAD, numbers: 'right' }),
  binary('ge', t.ge, call('ge'), { ...NO_GRAD, numbers: 'right' }),
  binary('logical_and', t.logicalAnd, call('logical_and'), { ...NO_GRAD, ...OF_TENSORS }),
  binary('logical_or', t.logicalOr, call('logical_or'), { ...NO_GRAD, ...OF_TENSORS }),
  binary('logical_xor', t.logicalXor, call('logical_xor'), { ...NO_GRAD, ...OF_TENSORS }),
  special('div', t.div, 'torch.div(a, b)'),
  special('maximum', t.maximum, 'torch.maximum(a, b)'),
  special('minimum', t.minimum, 'torch.minimum(a, b)'),
  special('eq', t.eq, 'torch.eq(a, b)'),
  special('ne', t.ne, 'torch.ne(a, b)'),
  special('lt', t.lt, 'torch.lt(a, b)'),
  special('ge', t.ge, 'torch.ge(a, b)'),
  special('pow', t.pow, 'torch.pow(a, b)'),
  special('atan2', t.atan2, 'torch.atan2(a, b)'),
  special('fmod', t.fmod, 'torch.fmod(a, b)'),
  special('logical_and', t.logicalAnd, 'torch.logical_and(a, b)'),
  opCase(
    'maximum',
    'ties share the gradient',
    [values('float32', [3], [1, 2, 3]), values('float32', [3], [1, 3, 2])],
    (a, b) => t.maximum(a!, b!),
    {
      torch: 'torch.maximum(a, b)',
      smooth: false,
    },
  ),
  opCase(
    'minimum',
    'ties share the gradient',
    [values('float32', [3], [1, 2, 3]), values('float32', [3], [1, 3, 2])],
    (a, b) => t.minimum(a!, b!),
    {
      torch: 'torch.minimum(a, b)',
      smooth: false,
    },
  ),
  ...[0, 1, 2, 3, -1, 0.5].map((exponent) =>
    opCase(
      'pow',
      `to the number ${exponent}`,
      [within('positive', f32(4))],
      (x) => x.pow(exponent),
      {
        torch: `a.pow(${exponent})`,
      },
    ),
  ),
  opCase(
    'pow',
    'whole powers of zero and negatives',
    [values('float32', [4], [0, -1.5, -2, 3])],
    (x) => [x.pow(2), x.pow(3), x.pow(1)],
    {
      torch: '(a.pow(2), a.pow(3), a.pow(1))',
    },
  ),
  opCase('pow', 'integers to an integer', [values('int64', [4], [2, -3, 0, 7])], (x) => x.pow(3), {
    torch: 'a.pow(3)',
    grad: false,
  }),
  opCase(
    'add',
    'bools seen as numbers',
    [bool(4), values('bool', [4], [1, 1, 0, 0])],
    (a, b) => a.add(b).to('float32'),
    {
      torch: '(a + b).float()',
      grad: false,
    },
  ),
  opCase(
    'add',
    'whole and fractional numbers to integers',
    [i64(3), i32(3), u8(3), bool(3)],
    (a, b, c, d) => [a, b, c, d].flatMap((x) => [x.add(2), x.add(0.5)]),
    {
      torch: '[y for x in (a, b, c, d) for y in (x + 2, x + 0.5)]',
      grad: false,
    },
  ),
  opCase(
    'fmod',
    'integers of both signs',
    [values('int64', [4], [7, -7, 7, -7]), values('int64', [4], [3, 3, -3, -3])],
    (a, b) => t.fmod(a!, b!),
    {
      torch: 'torch.fmod(a, b)',
      grad: false,
    },
  ),
].flat();
