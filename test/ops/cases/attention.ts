/** Scaled dot-product attention, fused and by ordinary ops. */

import type { Tensor } from '../../../src/index.ts';
import { scaledDotProductAttention as attention } from '../../../src/ops/attention.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot, values } from '../case.ts';

const OP = 'scaled_dot_product_attention';
const torch = (rest = '', operands = 'a, b, c') =>
  `torch.nn.functional.scaled_dot_product_attention(${operands}${rest})`;

type Options = { is_causal?: boolean; scale?: number; enable_gqa?: boolean };

function of(detail: string, slots: Slot[], options: Options, rest = ''): OpCase {
  return opCase(OP, detail, slots, (q, k, v) => attention(q!, k!, v!, options), {
    torch: torch(rest),
  });
}

const visible = values('bool', [2, 3], [1, 0, 1, 0, 1, 1]);
const masked = (q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor) =>
  attention(q, k, v, { attn_mask });

export const ATTENTION: readonly OpCase[] = [
  of('plain', [f32(1, 2, 2, 3), f32(1, 2, 3, 3), f32(1, 2, 3, 3)], {}),
  of(
    'causal',
    [f32(1, 1, 3, 2), f32(1, 1, 3, 2), f32(1, 1, 3, 2)],
    { is_causal: true },
    ', is_causal=True',
  ),
  of(
    'causal, fewer queries',
    [f64(1, 1, 2, 2), f64(1, 1, 3, 2), f64(1, 1, 3, 2)],
    { is_causal: true },
    ', is_causal=True',
  ),
  of(
    'a scale',
    [f32(2, 1, 2, 2), f32(2, 1, 2, 2), f32(2, 1, 2, 2)],
    { scale: 0.25 },
    ', scale=0.25',
  ),
  of('three dimensions', [f32(2, 2, 3), f32(2, 3, 3), f32(2, 3, 3)], {}),
  of('bfloat16', [bf16(1, 1, 2, 3), bf16(1, 1, 3, 3), bf16(1, 1, 3, 3)], {}),
  of('other features in v', [f32(1, 1, 2, 2), f32(1, 1, 3, 2), f32(1, 1, 3, 1)], {}),
  of(
    'shared heads',
    [f32(1, 4, 2, 2), f32(1, 2, 2, 2), f32(1, 2, 2, 2)],
    { enable_gqa: true },
    ', enable_gqa=True',
  ),
  opCase(OP, 'a bool mask', [f32(1, 1, 2, 2), f32(1, 1, 3, 2), f32(1, 1, 3, 2), visible], masked, {
    torch: torch(', attn_mask=d'),
  }),
  opCase(
    OP,
    'a bool mask that hides a whole row',
    [f32(1, 1, 2, 2), f32(1, 1, 2, 2), f32(1, 1, 2, 2), values('bool', [2, 2], [0, 0, 1, 1])],
    masked,
    { torch: torch(', attn_mask=d') },
  ),
  opCase(
    OP,
    'a floating mask',
    [f32(1, 1, 2, 2), f32(1, 1, 3, 2), f32(1, 1, 3, 2), f32(2, 3)],
    masked,
    { torch: torch(', attn_mask=d') },
  ),
];
