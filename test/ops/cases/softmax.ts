/** Softmax and its logarithm. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, values } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

function normalization(op: string, fn: (x: Tensor, dim: number) => Tensor): OpCase[] {
  const torch = (x: string, dim: number) => `torch.${op}(${x}, ${dim})`;
  return [
    opCase(op, 'the last dim', [f32(2, 4)], (x) => fn(x, -1), { torch: torch('a', -1) }),
    opCase(op, 'dim 0', [f32(3, 2)], (x) => fn(x, 0), { torch: torch('a', 0) }),
    opCase(op, 'a middle dim', [f32(2, 3, 2)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'scalar', [f32()], (x) => fn(x, 0), { torch: torch('a', 0) }),
    opCase(op, 'one element', [f32(2, 1)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'empty', [f32(0, 3)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'along an empty dim', [f32(2, 0)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'float64', [f64(2, 3)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'bfloat16', [bf16(2, 3)], (x) => fn(x, 1), { torch: torch('a', 1) }),
    opCase(op, 'viewed', [f32(3, 1, 4)], (x) => fn(viewed(x), 1), {
      torch: torch(TORCH_VIEWED('a'), 1),
    }),
    opCase(op, 'large', [values('float32', [4], [1000, 999, -1000, 1000])], (x) => fn(x, 0), {
      torch: torch('a', 0),
    }),
    opCase(
      op,
      'infinite',
      [values('float32', [3, 2], [-Infinity, 1, Infinity, 1, Number.NaN, 1])],
      (x) => fn(x, 1),
      {
        torch: torch('a', 1),
        grad: false,
      },
    ),
  ];
}

export const SOFTMAX = [
  ...normalization('softmax', t.softmax),
  ...normalization('log_softmax', t.logSoftmax),
];
