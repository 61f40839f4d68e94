/** Movements of dimensions that PyTorch's own samples leave out. */

import * as t from '../../../src/index.ts';
import { bool, f32, i64, type OpCase, opCase } from '../case.ts';

export const DIMENSIONS: OpCase[] = [
  opCase('adjoint', 'a batch', [f32(2, 3, 2)], (x) => x.adjoint(), { torch: 'torch.adjoint(a)' }),
  opCase('moveaxis', 'two', [f32(2, 3, 2)], (x) => x.moveaxis([0, 1], [-1, 0]), {
    torch: 'torch.moveaxis(a, (0, 1), (-1, 0))',
  }),
  opCase('swapaxes', 'outer', [f32(2, 3, 2)], (x) => x.swapaxes(0, -1), {
    torch: 'a.swapaxes(0, -1)',
  }),
  opCase('swapdims', 'int64', [i64(2, 3)], (x) => x.swapdims(0, 1), { torch: 'a.swapdims(0, 1)' }),
  opCase('split_copy', 'sizes', [f32(5)], (x) => t.splitCopy(x, [2, 3]), {
    torch: 'torch.split(a, [2, 3])',
  }),
  opCase('row_stack', 'vectors', [f32(2), f32(2)], (a, b) => t.rowStack([a, b]), {
    torch: 'torch.row_stack([a, b])',
  }),
  opCase('cat', 'promoted', [f32(2), i64(1), bool(1)], (a, b, c) => t.concat([a, b, c]), {
    torch: 'torch.cat([a, b, c])',
  }),
  opCase(
    'cat',
    'with nothing of another rank',
    [f32(2, 2), f32(0)],
    (a, b) => t.concatenate([b, a], 1),
    { torch: 'torch.cat([b, a], 1)' },
  ),
  opCase(
    'repeat_interleave',
    'of counts alone',
    [],
    () => t.repeatInterleave(t.tensor([2n, 0n, 1n])),
    {
      torch: 'torch.repeat_interleave(torch.tensor([2, 0, 1]))',
    },
  ),
  opCase(
    'tril_indices',
    'both triangles',
    [],
    () => [t.trilIndices(3, 4, 1), t.triuIndices(3, 2, { offset: -1, dtype: 'int32' })],
    { torch: '(torch.tril_indices(3, 4, 1), torch.triu_indices(3, 2, -1, dtype=torch.int32))' },
  ),
  opCase('tril', 'bool', [bool(3, 3)], (x) => [x.tril(-1), x.triu(1)], {
    torch: '(a.tril(-1), a.triu(1))',
  }),
];
