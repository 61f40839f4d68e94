/** Integers bit by bit, shifts, divisors; and what floats are made of. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import { bf16, f32, f64, i32, i64, type OpCase, opCase, type Slot, u8, values } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

type Binary = (a: Tensor, b: Tensor) => Tensor;
const FLAGS: [Slot, Slot] = [values('bool', [4], [0, 0, 1, 1]), values('bool', [4], [0, 1, 0, 1])];
const LARGE = [0, 1, -1, 2 ** 40 + 3, -(2 ** 40), 2 ** 31 - 1, -(2 ** 31), 255, -128];
const SHIFTS = [0, 1, 63, 7, 31, 32, 64, -1, 8];

function integers(op: string, fn: Binary, name = `torch.${op}`): OpCase[] {
  const torch = `${name}(a, b)`;
  const of = (detail: string, a: Slot, b: Slot) =>
    opCase(op, detail, [a, b], fn, { torch, grad: false });
  return [
    of('matrices', i64(2, 3), i64(2, 3)),
    of('broadcast both ways', i64(2, 1, 3), i64(2, 1)),
    of('scalars', i64(), i64()),
    of('empty', i64(0, 3), i64(1, 3)),
    of('int32', i32(7), i32(7)),
    of('uint8', values('uint8', [4], [200, 255, 3, 128]), u8(4)),
    of('uint8 and int32', u8(4), i32(4)),
    of('large', values('int64', [9], LARGE), values('int64', [9], SHIFTS)),
    of('large int32', values('int32', [5], LARGE.slice(-4).concat(7)), i32(5)),
    opCase(op, 'viewed', [i64(3, 1, 4), i64(2)], (a, b) => fn(viewed(a), b), {
      torch: `${name}(${TORCH_VIEWED('a')}, b)`,
      grad: false,
    }),
  ];
}

/** Functions that take a number on either side. */
function withNumbers(op: string, fn: (a: never, b: never) => Tensor): OpCase[] {
  const call = fn as (a: Tensor | number, b: Tensor | number) => Tensor;
  return [
    ...integers(op, call),
    opCase(op, 'number on the right', [i32(5)], (x) => call(x, 3), {
      torch: `torch.${op}(a, 3)`,
      grad: false,
    }),
    opCase(op, 'number on the left', [u8(5)], (x) => call(6, x), {
      torch: `torch.${op}(6, a)`,
      grad: false,
    }),
  ];
}

const bools = (op: string, fn: Binary) =>
  opCase(op, 'bools', FLAGS, fn, { torch: `torch.${op}(a, b)`, grad: false });

const NOT = [i64(2, 3), i32(), u8(5), values('bool', [2], [1, 0]), i64(0, 2)].map((slot, i) =>
  opCase('bitwise_not', `${slot.dtype} ${i}`, [slot], (x) => t.bitwiseNot(x), {
    torch: 'torch.bitwise_not(a)',
    grad: false,
  }),
);

const FLOATS = [0, -0, 1, -0.75, 1e30, -3e-30, Infinity, -Infinity, Number.NaN, 0.5];
const TOWARDS = [1, 0, 2, -1, 1e30, 5, 0, Infinity, 1, 0.25];
const frexp = (x: Tensor) => t.frexp(x);
const neighbour: Binary = (a, b) => t.nextafter(a, b);

const PARTS: OpCase[] = [
  ...[f32(2, 3), f32(), f32(0, 3), f64(5), bf16(5)].flatMap((slot, i) => [
    opCase('frexp_mantissa', `${slot.dtype} ${i}`, [slot], frexp, {
      torch: 'tuple(torch.frexp(a))',
    }),
    opCase('nextafter', `${slot.dtype} ${i}`, [slot, slot], neighbour, {
      torch: 'torch.nextafter(a, b)',
    }),
  ]),
  opCase('frexp_exponent', 'special values', [values('float32', [10], FLOATS)], frexp, {
    torch: 'tuple(torch.frexp(a))',
    grad: false,
  }),
  opCase(
    'nextafter',
    'special values',
    // In float32 the reference would give the neighbours in float64.
    [values('float64', [10], FLOATS), values('float64', [10], TOWARDS)],
    neighbour,
    { torch: 'torch.nextafter(a, b)', grad: false },
  ),
  ...(['bfloat16', 'float16'] as const).map((dtype) =>
    opCase(
      `nextafter_${dtype}`,
      'its own numbers alone',
      [values(dtype, [6], [1, -1, 0, 0, 2, 3]), values(dtype, [6], [2, -2, 1, -1, 1, 3])],
      // The distances, which a comparison within 1 percent could not tell in the neighbours.
      (a, b) => t.nextafter(a, b).sub(a).mul(1024),
      { torch: '(torch.nextafter(a, b) - a) * 1024', smooth: false },
    ),
  ),
];

export const BITWISE: OpCase[] = [
  ...withNumbers('bitwise_and', t.bitwiseAnd),
  ...withNumbers('bitwise_or', t.bitwiseOr),
  ...withNumbers('bitwise_xor', t.bitwiseXor),
  ...withNumbers('bitwise_left_shift', t.bitwiseLeftShift),
  ...withNumbers('bitwise_right_shift', t.bitwiseRightShift),
  ...integers('gcd', t.gcd),
  ...integers('lcm', t.lcm),
  bools('bitwise_and', t.bitwiseAnd),
  bools('bitwise_or', t.bitwiseOr),
  bools('bitwise_xor', t.bitwiseXor),
  ...NOT,
  ...PARTS,
];
