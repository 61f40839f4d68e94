/** Constants, ranges and random numbers. */

import * as t from '../../../src/index.ts';
import { bf16, bool, f32, i32, i64, type OpCase, opCase } from '../case.ts';

/** (word >> 8) / 2^24 of the words that Random123 publishes for Philox4x32-10 at zero. */
const FIRST_OF_SEED_0 = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map(
  (word) => (word >>> 8) / 2 ** 24,
);

const constants: OpCase[] = t.DTYPES.flatMap((dtype) => [
  opCase('full', dtype, [], () => t.full([2, 2], 3, { dtype }), {
    torch: `torch.full((2, 2), 3, dtype=torch.${dtype})`,
  }),
  opCase(
    'full',
    `2.5 in ${dtype}, read as float64`,
    [],
    () => t.full([2], 2.5, { dtype }).double(),
    {
      torch: `torch.full((2,), 2.5).to(torch.${dtype}).double()`,
    },
  ),
]);

export const CREATION: OpCase[] = [
  ...constants,
  opCase('full', 'scalar and empty', [], () => [t.full([], 7), t.full([0, 2], 7)], {
    torch: '(torch.full((), 7.0), torch.full((0, 2), 7.0))',
  }),
  opCase(
    'full',
    'numbers that are not finite',
    [],
    () => [Number.NaN, Infinity, -Infinity, -0].map((x) => t.full([2], x).reciprocal()),
    {
      torch:
        "[torch.full((2,), x).reciprocal() for x in (float('nan'), float('inf'), -float('inf'), -0.0)]",
    },
  ),
  opCase(
    'full',
    'an integer that wraps',
    [],
    () => t.full([2], 300, { dtype: 'uint8' }).to('int64'),
    {
      torch: 'torch.full((2,), 300).to(torch.uint8).long()',
    },
  ),
  ...(['bfloat16', 'float16'] as const).map((dtype) =>
    opCase('full', `a tenth in ${dtype}`, [], () => t.full([2], 0.1, { dtype }).to('float32'), {
      torch: `torch.full((2,), 0.1, dtype=torch.${dtype}).float()`,
    }),
  ),
  opCase(
    'zeros',
    'and ones, and like',
    [bf16(2), i64(2), bool(2)],
    (a, b, c) => [
      t.zeros([2]),
      t.ones([2, 1]),
      t.zerosLike(a),
      t.onesLike(b),
      t.onesLike(c),
      t.zerosLike(b, { dtype: 'float32' }),
    ],
    {
      torch:
        '(torch.zeros(2), torch.ones(2, 1), torch.zeros_like(a), torch.ones_like(b), torch.ones_like(c), torch.zeros_like(b, dtype=torch.float32))',
      grad: false,
    },
  ),
  opCase(
    'arange',
    'whole numbers',
    [],
    () => [t.arange(4), t.arange(2, 7, 2), t.arange(3, -3, -2)],
    {
      torch: '(torch.arange(4), torch.arange(2, 7, 2), torch.arange(3, -3, -2))',
    },
  ),
  opCase(
    'arange',
    'fractions',
    [],
    () => [t.arange(0, 1, 0.25), t.arange(1.5), t.arange(0, -1, -0.375)],
    {
      torch: '(torch.arange(0, 1, 0.25), torch.arange(1.5), torch.arange(0, -1, -0.375))',
    },
  ),
  opCase('arange', 'nothing', [], () => [t.arange(0), t.arange(3, 3)], {
    torch: '(torch.arange(0), torch.arange(3, 3))',
  }),
  ...(['float64', 'float32', 'bfloat16', 'float16', 'int32', 'uint8'] as const).map((dtype) =>
    opCase('arange', dtype, [], () => t.arange(0, 6, 2, { dtype }), {
      torch: `torch.arange(0, 6, 2, dtype=torch.${dtype})`,
    }),
  ),
  opCase(
    'linspace',
    'five, one, none',
    [],
    () => [t.linspace(-1, 2, 5), t.linspace(3, 4, 1), t.linspace(3, 4, 0)],
    {
      torch: '(torch.linspace(-1, 2, 5), torch.linspace(3, 4, 1), torch.linspace(3, 4, 0))',
    },
  ),
  opCase('linspace', 'backwards in float64', [], () => t.linspace(1, -1, 7, { dtype: 'float64' }), {
    torch: 'torch.linspace(1, -1, 7, dtype=torch.float64)',
  }),
  opCase('eye', 'three, one, none', [], () => [t.eye(3), t.eye(1), t.eye(0)], {
    torch: '(torch.eye(3), torch.eye(1), torch.eye(0))',
  }),
  opCase(
    'eye',
    'int64 and bool',
    [],
    () => [t.eye(2, { dtype: 'int64' }), t.eye(2, { dtype: 'bool' })],
    {
      torch: '(torch.eye(2, dtype=torch.int64), torch.eye(2, dtype=torch.bool))',
    },
  ),
  opCase(
    'philox',
    'the first uniform numbers of seed 0',
    [],
    () => {
      t.manualSeed(0);
      return t.rand([4], { dtype: 'float64' });
    },
    { expected: [FIRST_OF_SEED_0] },
  ),
  opCase(
    'philox',
    'empty and scalar shapes',
    [],
    () => [t.rand([0, 2]), t.randn([0]), t.rand([]).mul(0)],
    {
      expected: [[], [], [0]],
    },
  ),
  opCase(
    'philox',
    'gradients pass random masks',
    [f32(2, 3), i32(1)],
    (x) => {
      t.manualSeed(5);
      return x.mul(t.rand([2, 3], { dtype: x.dtype }).ge(0.5).to(x.dtype)).mul(0);
    },
    { expected: [[0, 0, 0, 0, 0, 0]] },
  ),
];
