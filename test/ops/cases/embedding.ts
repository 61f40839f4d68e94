/** Embeddings: rows of a table. */

import { embedding } from '../../../src/ops/embedding.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot, values } from '../case.ts';

const torch = (rest = '') => `torch.nn.functional.embedding(b, a${rest})`;
const index = (...numbers: number[]): Slot => values('int64', [numbers.length], numbers);

export const EMBEDDING: readonly OpCase[] = [
  opCase('embedding', 'repeated', [f32(4, 3), index(1, 3, 1, 0)], (w, i) => embedding(i!, w!), {
    torch: torch(),
  }),
  opCase(
    'embedding',
    'an index of two dimensions',
    [f64(3, 2), values('int32', [2, 2], [0, 2, 2, 1])],
    (w, i) => embedding(i!, w!),
    { torch: torch() },
  ),
  opCase(
    'embedding',
    'a padding row',
    [f32(3, 2), index(2, 1, 2)],
    (w, i) => embedding(i!, w!, { padding_idx: -1 }),
    // The row's derivative is left out on purpose.
    { torch: torch(', padding_idx=2'), smooth: false },
  ),
  opCase(
    'embedding',
    'no index',
    [f32(3, 2), values('int64', [0], [])],
    (w, i) => embedding(i!, w!),
    {
      torch: torch(),
    },
  ),
  opCase('embedding', 'bfloat16', [bf16(3, 2), index(2, 0)], (w, i) => embedding(i!, w!), {
    torch: torch(),
  }),
];
