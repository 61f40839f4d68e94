/** Ops that move elements: shapes, orders, parts, repetition, joining. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import { bf16, bool, f32, f64, i32, i64, type OpCase, opCase, u8, values } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

type Move = (x: Tensor) => Tensor | readonly Tensor[];

/** A movement of a (2, 3, 4) tensor: also in other dtypes and of a viewed one of that shape. */
function moved(op: string, detail: string, fn: Move, torch: string): OpCase[] {
  const cases = [opCase(op, detail, [f32(2, 3, 4)], fn, { torch })];
  const others = [f64, bf16, i64, i32, u8, bool].map((slot) =>
    opCase(op, `${detail}, ${slot(1).dtype}`, [slot(2, 3, 4)], fn, { torch }),
  );
  const through = opCase(op, `${detail}, viewed`, [f32(4, 2, 3)], (x) => fn(x.permute([1, 2, 0])), {
    torch: torch.replaceAll(/\ba\b/g, 'a.permute(1, 2, 0)'),
  });
  return [...cases, ...others, through];
}

const SHAPE: OpCase[] = [
  moved('reshape', 'to a matrix', (x) => x.reshape([6, 4]), 'a.reshape(6, 4)'),
  opCase('reshape', 'an inferred size', [f32(2, 6)], (x) => x.reshape([3, -1, 2]), {
    torch: 'a.reshape(3, -1, 2)',
  }),
  opCase('reshape', 'to the same shape', [f32(2, 3)], (x) => x.view([2, 3]), {
    torch: 'a.view(2, 3)',
  }),
  opCase('reshape', 'empty', [f32(0, 3)], (x) => x.reshape([3, 0, 2]), {
    torch: 'a.reshape(3, 0, 2)',
  }),
  opCase('reshape', 'one element to a scalar', [f32(1, 1)], (x) => x.reshape([]), {
    torch: 'a.reshape(())',
  }),
  opCase('reshape', 'twice', [f32(2, 6)], (x) => x.reshape([12]).reshape([4, 3]).exp(), {
    torch: 'a.reshape(12).reshape(4, 3).exp()',
  }),
  opCase('flatten', 'the middle', [f32(2, 3, 2, 1)], (x) => x.flatten(1, 2), {
    torch: 'a.flatten(1, 2)',
  }),
  opCase('flatten', 'all, of nothing', [f32(2, 0, 3)], (x) => [x.flatten(), x.flatten(1)], {
    torch: '(a.flatten(), a.flatten(1))',
  }),
  opCase('flatten', 'a scalar', [f32()], (x) => x.flatten(), { torch: 'a.flatten()' }),
  opCase(
    'unsqueeze',
    'front, middle, end',
    [f32(2, 3)],
    (x) => [x.unsqueeze(0), x.unsqueeze(1), x.unsqueeze(-1)],
    {
      torch: '(a.unsqueeze(0), a.unsqueeze(1), a.unsqueeze(-1))',
    },
  ),
  opCase(
    'squeeze',
    'all, one, several, none',
    [f32(1, 2, 1)],
    (x) => [x.squeeze(), x.squeeze(0), x.squeeze([0, 2]), x.squeeze(1)],
    {
      torch: '(a.squeeze(), a.squeeze(0), a.squeeze((0, 2)), a.squeeze(1))',
    },
  ),
].flat();

const ORDER: OpCase[] = [
  moved('permute', 'a rotation', (x) => x.permute([2, 0, 1]), 'a.permute(2, 0, 1)'),
  opCase('permute', 'negative dims', [f32(2, 3, 1)], (x) => x.permute([-1, 0, 1]), {
    torch: 'a.permute(-1, 0, 1)',
  }),
  opCase('permute', 'the same order', [f32(2, 3)], (x) => x.permute([0, 1]), { torch: 'a' }),
  opCase('permute', 'empty', [f32(0, 3)], (x) => x.permute([1, 0]), { torch: 'a.permute(1, 0)' }),
  opCase('permute', 'four dims', [f32(2, 1, 3, 2)], (x) => x.permute([3, 1, 0, 2]), {
    torch: 'a.permute(3, 1, 0, 2)',
  }),
  opCase('transpose', 'and back', [f32(2, 3)], (x) => x.transpose(0, 1).exp().transpose(-1, -2), {
    torch: 'a.exp()',
  }),
  opCase('transpose', 't', [f32(2, 3), f32(3), f32()], (m, v, s) => [m.t(), v.t(), s.t()], {
    torch: '(a.t(), b.t(), c.t())',
  }),
  moved('flip', 'two dims', (x) => x.flip([0, 2]), 'a.flip((0, 2))'),
  opCase('flip', 'one dim', [f32(4)], (x) => x.flip(0), { torch: 'a.flip(0)' }),
  opCase('flip', 'empty', [f32(0, 2)], (x) => x.flip([0, 1]), { torch: 'a.flip((0, 1))' }),
  opCase('flip', 'size 1', [f32(1, 2)], (x) => x.flip(0), { torch: 'a.flip(0)' }),
].flat();

const REPETITION: OpCase[] = [
  moved('expand', 'a leading dim', (x) => x.expand([2, -1, 3, 4]), 'a.expand(2, -1, 3, 4)'),
  opCase('expand', 'a dim of size 1', [f32(3, 1)], (x) => x.expand([3, 2]), {
    torch: 'a.expand(3, 2)',
  }),
  opCase('expand', 'both', [f32(3, 1)], (x) => x.expand([2, -1, 2]), {
    torch: 'a.expand(2, -1, 2)',
  }),
  opCase('expand', 'a scalar', [f32()], (x) => x.expand([2, 2]), { torch: 'a.expand(2, 2)' }),
  opCase('expand', 'to nothing', [f32(1, 3)], (x) => x.expand([0, 3]), { torch: 'a.expand(0, 3)' }),
  opCase(
    'expand',
    'read by a pointwise op',
    [f32(2, 1), f32(3)],
    (a, b) => a.expand([2, 3]).mul(b.expand([2, 3])),
    {
      torch: 'a * b',
    },
  ),
  opCase('expand', 'then a reduction', [f32(2, 1)], (x) => x.expand([2, 3]).exp().sum(1), {
    torch: 'a.expand(2, 3).exp().sum(1)',
  }),
].flat();

const PARTS: OpCase[] = [
  moved('slice', 'steps', (x) => x.slice(2, 1, Infinity, 2), 'a[:, :, 1::2]'),
  opCase(
    'slice',
    'negative bounds',
    [f32(5)],
    (x) => [x.slice(0, -3, -1), x.slice(0, -99, 2), x.slice(0, 3, 99)],
    {
      torch: '(a[-3:-1], a[-99:2], a[3:99])',
    },
  ),
  opCase(
    'slice',
    'nothing',
    [f32(3, 2)],
    (x) => [x.slice(0, 2, 1), x.slice(0, 3), x.slice(1, 0, 0)],
    {
      torch: '(a[2:1], a[3:], a[:, 0:0])',
    },
  ),
  opCase('slice', 'everything', [f32(3)], (x) => x.slice(0), { torch: 'a[:]' }),
  opCase('slice', 'of a slice', [f32(8)], (x) => x.slice(0, 1, 8, 2).slice(0, 1, 4, 2), {
    torch: 'a[1:8:2][1:4:2]',
  }),
  opCase('narrow', 'middle', [f32(4, 2)], (x) => x.narrow(0, 1, 2), { torch: 'a.narrow(0, 1, 2)' }),
  opCase('narrow', 'nothing', [f32(4)], (x) => x.narrow(0, 4, 0), { torch: 'a.narrow(0, 4, 0)' }),
  opCase('select', 'first and last', [f32(3, 2)], (x) => [x.select(0, 0), x.select(1, -1)], {
    torch: '(a.select(0, 0), a.select(1, -1))',
  }),
  opCase('select', 'to a scalar', [f32(3)], (x) => x.select(0, 1), { torch: 'a[1]' }),
  opCase('slice', 'viewed', [f32(3, 1, 4)], (x) => viewed(x).slice(1, 1, 3), {
    torch: `${TORCH_VIEWED('a')}[:, 1:3]`,
  }),
  opCase('split', 'equal parts and a rest', [f32(5, 2)], (x) => x.split(2), {
    torch: 'a.split(2)',
  }),
  opCase('split', 'given sizes', [f32(2, 4)], (x) => x.split([1, 0, 3], 1), {
    torch: 'a.split((1, 0, 3), 1)',
  }),
  opCase('split', 'nothing', [f32(0, 2)], (x) => x.split(3), { torch: 'a.split(3)' }),
  moved(
    'place',
    'pad of the last two dims',
    (x) => t.nn.functional.pad(x, [1, 0, 0, 2]),
    'F.pad(a, (1, 0, 0, 2))',
  ),
  opCase('pad', 'with a value', [f32(2)], (x) => t.nn.functional.pad(x, [1, 2], 'constant', -3.5), {
    torch: 'F.pad(a, (1, 2), value=-3.5)',
  }),
  opCase(
    'pad',
    'with infinities',
    [f32(2)],
    (x) => [
      t.nn.functional.pad(x, [1, 0], 'constant', -Infinity),
      t.nn.functional.pad(x, [1, 0], 'constant', Infinity),
    ],
    {
      torch: "(F.pad(a, (1, 0), value=-float('inf')), F.pad(a, (1, 0), value=float('inf')))",
      smooth: false,
    },
  ),
  opCase('pad', 'nothing', [f32(0, 2)], (x) => t.nn.functional.pad(x, [0, 1, 2, 0]), {
    torch: 'F.pad(a, (0, 1, 2, 0))',
  }),
  opCase('pad', 'by nothing', [f32(2, 2)], (x) => t.nn.functional.pad(x, [0, 0]), {
    torch: 'F.pad(a, (0, 0))',
  }),
].flat();

const JOINING: OpCase[] = [
  opCase('cat', 'dim 0', [f32(2, 3), f32(1, 3), f32(3, 3)], (...xs) => t.cat(xs), {
    torch: 'torch.cat((a, b, c))',
  }),
  opCase('cat', 'the last dim', [f32(2, 1), f32(2, 3)], (...xs) => t.cat(xs, -1), {
    torch: 'torch.cat((a, b), -1)',
  }),
  opCase(
    'cat',
    'with nothing in between',
    [f32(2, 2), f32(0, 2), f32(1, 2)],
    (...xs) => t.cat(xs),
    {
      torch: 'torch.cat((a, b, c))',
    },
  ),
  opCase('cat', 'one', [f32(2)], (x) => t.cat([x]), { torch: 'a' }),
  opCase('cat', 'one tensor twice', [f32(2, 2)], (x) => t.cat([x, x.exp(), x], 1), {
    torch: 'torch.cat((a, a.exp(), a), 1)',
  }),
  ...[f64, bf16, i64, i32, u8, bool].map((slot) =>
    opCase('cat', slot(1).dtype, [slot(2, 1), slot(2, 2)], (...xs) => t.cat(xs, 1), {
      torch: 'torch.cat((a, b), 1)',
    }),
  ),
  opCase('cat', 'viewed', [f32(3, 1, 4), f32(2, 1, 2)], (a, b) => t.cat([viewed(a), b], 1), {
    torch: `torch.cat((${TORCH_VIEWED('a')}, b), 1)`,
  }),
  opCase('stack', 'dims 0 and -1', [f32(2), f32(2)], (...xs) => [t.stack(xs), t.stack(xs, -1)], {
    torch: '(torch.stack((a, b)), torch.stack((a, b), -1))',
  }),
  opCase('stack', 'scalars', [f32(), f32()], (...xs) => t.stack(xs), {
    torch: 'torch.stack((a, b))',
  }),
  opCase('variable', 'detach cuts the gradient', [f32(3)], (x) => x.mul(x.detach()), {
    torch: 'a * a.detach()',
    smooth: false,
  }),
  opCase(
    'split',
    'and joined again',
    [values('float32', [4], [1, 2, 3, 4])],
    (x) => t.cat(x.split(1).reverse()),
    {
      torch: 'a.flip(0)',
    },
  ),
];

export const MOVEMENT = [...SHAPE, ...ORDER, ...REPETITION, ...PARTS, ...JOINING];
