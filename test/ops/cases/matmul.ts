/** Matrix products and `linear`. */

import { grad, matmul, type Tensor } from '../../../src/index.ts';
import { linear } from '../../../src/ops/matmul.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot } from '../case.ts';

const product = (detail: string, a: Slot, b: Slot) =>
  opCase('matmul', detail, [a, b], (x, y) => matmul(x, y), { torch: 'torch.matmul(a, b)' });

const fully = (detail: string, x: Slot, weight: Slot, bias?: Slot) =>
  bias === undefined
    ? opCase('linear', detail, [x, weight], (a, w) => linear(a, w), { torch: 'F.linear(a, b)' })
    : opCase('linear', detail, [x, weight, bias], (a, w, b) => linear(a, w, b), {
        torch: 'F.linear(a, b, c)',
      });

export const MATMUL: OpCase[] = [
  product('matrices', f32(2, 3), f32(3, 4)),
  product('vectors', f32(3), f32(3)),
  product('a vector and a matrix', f32(3), f32(3, 2)),
  product('a matrix and a vector', f32(2, 3), f32(3)),
  product('stacks', f32(2, 2, 3), f32(2, 3, 2)),
  product('broadcast stacks', f32(2, 1, 2, 3), f32(3, 3, 1)),
  product('a stack and one matrix', f32(2, 2, 3), f32(3, 2)),
  product('one matrix and a stack', f32(2, 3), f32(2, 3, 2)),
  product('a stack and a vector', f32(2, 2, 3), f32(3)),
  product('a vector and a stack', f32(2), f32(2, 2, 3)),
  product('size 1', f32(1, 1), f32(1, 1)),
  product('no rows', f32(0, 3), f32(3, 2)),
  product('no columns', f32(2, 3), f32(3, 0)),
  product('nothing to sum', f32(2, 0), f32(0, 3)),
  product('no matrices', f32(0, 2, 3), f32(0, 3, 2)),
  product('float64', f64(2, 3), f64(3, 2)),
  product('bfloat16', bf16(2, 3), bf16(3, 2)),
  opCase('matmul', 'of transposed tensors', [f32(3, 2), f32(4, 3)], (a, b) => a.t().matmul(b.t()), {
    torch: 'a.t() @ b.t()',
  }),
  opCase(
    'matmul',
    'of a slice and an expansion',
    [f32(4, 3), f32(3, 1)],
    (a, b) => a.slice(0, 0, 4, 2).matmul(b.expand([3, 2])),
    {
      torch: 'a[::2] @ b.expand(3, 2)',
    },
  ),
  opCase('matmul', 'of a matrix with itself', [f32(3, 3)], (a) => a.matmul(a), { torch: 'a @ a' }),
  opCase(
    'matmul',
    'the gradient of the left',
    [f32(2, 3), f32(3, 2)],
    (a, b) => leftGradient(a, b),
    {
      torch: 'torch.ones(2, 2, dtype=a.dtype) @ b.t()',
      grad: false,
    },
  ),
  fully('a batch', f32(4, 3), f32(2, 3), f32(2)),
  fully('without bias', f32(4, 3), f32(2, 3)),
  fully('a vector', f32(3), f32(2, 3), f32(2)),
  fully('more dims', f32(2, 2, 3), f32(2, 3), f32(2)),
  fully('an empty batch', f32(0, 3), f32(2, 3), f32(2)),
  fully('float64', f64(2, 3), f64(2, 3), f64(2)),
  fully('bfloat16', bf16(2, 3), bf16(2, 3), bf16(2)),
];

/** d sum(a b) / d a with a in a leaf of its own. */
function leftGradient(a: Tensor, b: Tensor): Tensor {
  const leaf = a.detach().requires_grad_();
  return grad(leaf.matmul(b).sum(), [leaf])[0]!;
}
