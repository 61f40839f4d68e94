/** Pointwise ops of one operand, casts, `where` and the composites made of them. */

import { isFloating } from '../../../src/base/dtype.ts';
import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import { gelu } from '../../../src/ops/gelu.ts';
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

const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-30, -88, 89];

/** A tensor that reaches the op by way of a permutation, a strided slice and an expansion. */
export const viewed = (x: Tensor): Tensor =>
  x.permute([2, 0, 1]).slice(0, 1, 4, 2).expand([2, 3, 2]);
export const TORCH_VIEWED = (name: string) => `${name}.permute(2, 0, 1)[1:4:2].expand(2, 3, 2)`;

interface UnaryOptions extends CaseOptions {
  readonly domain?: Domain;
  /** Dtypes beside the floating ones. */
  readonly also?: readonly ((...shape: number[]) => Slot)[];
  /** Leave the special values out. */
  readonly finite?: boolean;
  /** False where PyTorch has no such op for bfloat16. */
  readonly halves?: boolean;
}

export function unary(
  op: string,
  fn: (x: Tensor) => Tensor,
  torch: string,
  { domain = 'any', also = [], finite = false, halves = true, ...options }: UnaryOptions = {},
): OpCase[] {
  const of = (detail: string, slot: Slot) =>
    opCase(op, detail, [within(domain, slot)], fn, { torch, ...options });
  const cases = [
    of('matrix', f32(2, 3)),
    of('scalar', f32()),
    of('one element', f32(1, 1)),
    of('empty', f32(0, 3)),
    of('float64', f64(5)),
    ...(halves ? [of('bfloat16', bf16(5))] : []),
    opCase(op, 'viewed', [within(domain, f32(3, 1, 4))], (x) => fn(viewed(x)), {
      torch: torch.replaceAll(/\ba\b/g, TORCH_VIEWED('a')),
      ...options,
    }),
    ...also.map((slot) => opCase(op, slot(5).dtype, [slot(5)], fn, { torch, grad: false })),
  ];
  if (!finite) {
    const slot = values('float32', [SPECIAL.length], SPECIAL);
    cases.push(opCase(op, 'special values', [slot], fn, { torch, grad: false }));
  }
  return cases;
}

const INTEGERS = [i64, i32, u8];
const ALL = [...INTEGERS, bool];
const FLAT = { grad: true } as const;

const UNARY: OpCase[] = [
  unary('neg', t.neg, 'torch.neg(a)', { also: INTEGERS }),
  unary('abs', t.abs, 'torch.abs(a)', { also: INTEGERS }),
  unary('sign', t.sign, 'torch.sign(a)', { also: ALL, finite: true }),
  unary('floor', t.floor, 'torch.floor(a)', { also: INTEGERS, ...FLAT }),
  unary('ceil', t.ceil, 'torch.ceil(a)', { also: INTEGERS, ...FLAT }),
  unary('round', t.round, 'torch.round(a)', { also: INTEGERS, ...FLAT }),
  unary('trunc', t.trunc, 'torch.trunc(a)', { also: INTEGERS, ...FLAT }),
  unary('isnan', t.isnan, 'torch.isnan(a)', { also: ALL, grad: false }),
  unary('isinf', t.isinf, 'torch.isinf(a)', { also: ALL, grad: false }),
  unary('logical_not', t.logicalNot, 'torch.logical_not(a)', { also: ALL, grad: false }),
  unary('exp', t.exp, 'torch.exp(a)', { also: ALL }),
  unary('expm1', t.expm1, 'torch.expm1(a)', { also: ALL }),
  unary('log', t.log, 'torch.log(a)', { also: ALL, domain: 'positive' }),
  unary('log1p', t.log1p, 'torch.log1p(a)', { also: ALL, domain: 'positive' }),
  unary('sqrt', t.sqrt, 'torch.sqrt(a)', { also: ALL, domain: 'positive' }),
  unary('rsqrt', t.rsqrt, 'torch.rsqrt(a)', { also: ALL, domain: 'positive' }),
  unary('reciprocal', t.reciprocal, 'torch.reciprocal(a)', { also: ALL, domain: 'positive' }),
  unary('sin', t.sin, 'torch.sin(a)', { also: ALL }),
  unary('cos', t.cos, 'torch.cos(a)', { also: ALL }),
  unary('tanh', t.tanh, 'torch.tanh(a)', { also: ALL }),
  unary('sigmoid', t.sigmoid, 'torch.sigmoid(a)', { also: ALL }),
  unary('gelu', (x) => gelu(x), 'torch.nn.functional.gelu(a)', { finite: true }),
  unary('gelu_tanh', (x) => gelu(x, 'tanh'), "torch.nn.functional.gelu(a, approximate='tanh')", {
    finite: true,
  }),
  unary('erf', t.erf, 'torch.erf(a)', { also: ALL }),
  unary('tan', t.tan, 'torch.tan(a)', { also: ALL, finite: true }),
  unary('asin', (x) => t.asin(x.mul(0.375)), 'torch.asin(a * 0.375)'),
  unary('acos', (x) => t.acos(x.mul(0.375)), 'torch.acos(a * 0.375)'),
  unary('atan', t.atan, 'torch.atan(a)', { also: ALL }),
  unary('sinh', t.sinh, 'torch.sinh(a)', { also: ALL }),
  unary('cosh', t.cosh, 'torch.cosh(a)', { also: ALL }),
  unary('asinh', t.asinh, 'torch.asinh(a)', { also: ALL }),
  unary('acosh', (x) => t.acosh(x.add(1)), 'torch.acosh(a + 1)', { domain: 'positive' }),
  unary('atanh', (x) => t.atanh(x.mul(0.375)), 'torch.atanh(a * 0.375)'),
  unary('exp2', t.exp2, 'torch.exp2(a)', { also: ALL }),
  unary('log2', t.log2, 'torch.log2(a)', { also: ALL, domain: 'positive' }),
  unary('log10', t.log10, 'torch.log10(a)', { also: ALL, domain: 'positive' }),
  unary('erfc', t.erfc, 'torch.erfc(a)', { also: ALL }),
  unary('erfinv', (x) => t.erfinv(x.mul(0.375)), 'torch.erfinv(a * 0.375)'),
  unary('lgamma', t.lgamma, 'torch.lgamma(a)', { domain: 'positive', finite: true }),
  unary('digamma', t.digamma, 'torch.digamma(a)', { domain: 'positive', finite: true }),
  ...[f32(2, 3), f32(), f32(0, 3), f64(5)].map((slot) =>
    opCase(
      'zeta',
      `${slot.dtype} of ${slot.shape.length} dimensions, ${slot.shape[0] ?? 1} rows`,
      [within('positive', slot)],
      (x) => t.special.zeta(3, x),
      { torch: 'torch.special.zeta(3, a)' },
    ),
  ),
  unary('div_trunc', (x) => t.div(x, 2, 'trunc'), "torch.div(a, 2, rounding_mode='trunc')", {
    also: INTEGERS,
    smooth: false,
  }),
  unary('relu', t.relu, 'torch.relu(a)', { also: INTEGERS }),
  unary('clamp', (x) => t.clamp(x, -0.5, 1), 'torch.clamp(a, -0.5, 1)', { also: ALL.slice(0, 3) }),
].flat();

const KINKS: OpCase[] = [
  ['abs', t.abs, 'torch.abs(a)'],
  ['sign', t.sign, 'torch.sign(a)'],
  ['relu', t.relu, 'torch.relu(a)'],
  ['round', t.round, 'torch.round(a)'],
  ['clamp', (x: Tensor) => t.clamp(x, 0, 1.5), 'torch.clamp(a, 0, 1.5)'],
].map(([op, fn, torch]) =>
  opCase(
    op as string,
    'at kinks and halves',
    [values('float32', [6], [0, -0, 0.5, 1.5, 2.5, -0.5])],
    fn as (x: Tensor) => Tensor,
    { torch: torch as string, smooth: false },
  ),
);

const CLAMPS: OpCase[] = [
  opCase('clamp', 'min alone', [f32(6)], (x) => t.clamp(x, 0.25), { torch: 'a.clamp(min=0.25)' }),
  opCase('clamp', 'max alone', [f32(6)], (x) => x.clamp(null, 0.25), {
    torch: 'a.clamp(max=0.25)',
  }),
  opCase('clamp', 'min above max gives max', [f32(6)], (x) => x.clamp(1, -1), {
    torch: 'a.clamp(1, -1)',
  }),
  opCase('clamp', 'integers by a fraction', [i64(6)], (x) => x.clamp(0.5), {
    torch: 'a.clamp(min=0.5)',
    grad: false,
  }),
];

const FROM = [f32, f64, bf16, i64, i32, u8, bool];

const CASTS: OpCase[] = [
  ...FROM.flatMap((from) =>
    t.DTYPES.map((to) =>
      opCase('cast', `${from().dtype} to ${to}`, [from(2, 3)], (x) => x.to(to), {
        torch: `a.to(torch.${to})`,
        // A narrower float is a staircase to finite differences.
        smooth: !isFloating(to) || to === 'float64',
        grad: from(1).dtype !== 'float64' || to === 'float64' || to === 'float32',
      }),
    ),
  ),
  opCase('type_as', 'of another tensor', [f32(2, 3), f64(1)], (x, y) => x.typeAs(y!), {
    torch: 'a.type_as(b)',
  }),
  opCase(
    'cast',
    'float to bool before it is truncated',
    [values('float32', [5], [0, -0, 0.5, -0.25, Number.NaN])],
    (x) => x.bool(),
    { torch: 'a.bool()', grad: false },
  ),
  opCase(
    'cast',
    'narrowing wraps',
    [values('int64', [4], [300, -1, 2 ** 31, -(2 ** 31) - 1])],
    (x) => [x.to('int32'), x.to('uint8'), x.to('uint8').to('float32'), x.to('int32').to('int64')],
    { torch: '(a.int(), a.byte(), a.byte().float(), a.int().long())', grad: false },
  ),
];

const WHERE: OpCase[] = [
  opCase('where', 'matrix', [bool(2, 3), f32(2, 3), f32(2, 3)], t.where, {
    torch: 'torch.where(a, b, c)',
  }),
  opCase('where', 'broadcast', [bool(3, 1), f32(2, 1, 2), f32(2)], t.where, {
    torch: 'torch.where(a, b, c)',
  }),
  opCase('where', 'scalars', [bool(), f32(), f32()], t.where, { torch: 'torch.where(a, b, c)' }),
  opCase('where', 'empty', [bool(0, 2), f32(2), f32(1)], t.where, {
    torch: 'torch.where(a, b, c)',
  }),
  opCase('where', 'float64', [bool(4), f64(4), f64(4)], t.where, { torch: 'torch.where(a, b, c)' }),
  opCase('where', 'bfloat16', [bool(4), bf16(4), bf16(4)], t.where, {
    torch: 'torch.where(a, b, c)',
  }),
  opCase('where', 'mixed dtypes', [bool(4), i64(4), f32(4)], t.where, {
    torch: 'torch.where(a, b, c)',
  }),
  opCase('where', 'numbers beside a tensor', [bool(4), f32(4)], (c, x) => t.where(c, x, 0.5), {
    torch: 'torch.where(a, b, 0.5)',
  }),
  opCase('where', 'two fractions', [bool(4)], (c) => t.where(c, 0.5, 0.5), {
    torch: 'torch.where(a, 0.5, 0.5)',
    grad: false,
  }),
  opCase('where', 'two whole numbers', [bool(4)], (c) => t.where(c, 1, 2), {
    torch: 'torch.where(a, 1, 2)',
    grad: false,
  }),
  opCase(
    'where',
    'infinities of both signs',
    [bool(4)],
    (c) => {
      const x = c.to('float32');
      return [t.where(c, Infinity, x), t.where(c, -Infinity, x), t.where(c, Number.NaN, x)];
    },
    {
      torch:
        "(torch.where(a, float('inf'), a.float()), torch.where(a, -float('inf'), a.float()), torch.where(a, float('nan'), a.float()))",
      grad: false,
    },
  ),
  opCase(
    'where',
    'integers and bools',
    [bool(4), i32(4), bool(4)],
    (c, i, b) => [t.where(c, i, b), t.where(c, b, c)],
    { torch: '(torch.where(a, b, c), torch.where(a, c, a))', grad: false },
  ),
  opCase('where', 'of one tensor twice', [bool(3), f32(3)], (c, x) => t.where(c, x, x.mul(x)), {
    torch: 'torch.where(a, b, b * b)',
  }),
];

export const POINTWISE = [...UNARY, ...KINKS, ...CLAMPS, ...CASTS, ...WHERE];
