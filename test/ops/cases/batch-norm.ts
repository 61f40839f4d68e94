/** Batch normalisation, by the batch and by running statistics. */

import { isHalfWidth } from '../../../src/base/half-width.ts';
import { full, nn, type Tensor } from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot, within } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

const { batchNorm } = nn.functional;

/** In training, without running statistics. */
function training(detail: string, slots: readonly Slot[], eps = 1e-5): OpCase {
  // PyTorch mixes 16 bits with float32 alone, and the recording takes float32 inputs as float64.
  const convert = isHalfWidth(slots[0]!.dtype) ? '.float()' : '';
  const [weight, bias] = ['b', 'c'].map((name, i) =>
    i + 1 < slots.length ? `${name}${convert}` : 'None',
  );
  return opCase(
    'batch_norm',
    detail,
    slots,
    (x, weight, bias) => batchNorm(x, null, null, { weight, bias, eps, training: true }),
    { torch: `F.batch_norm(a, None, None, ${weight}, ${bias}, True, 0.1, ${eps})` },
  );
}

const positive = (...shape: number[]) => within('positive', f32(...shape));

/** The running statistics after a batch. */
function running(x: Tensor, mean: Tensor, variance: Tensor): Tensor[] {
  const kept = [mean, variance].map((t) => t.mul(1));
  batchNorm(x, kept[0]!, kept[1]!, { training: true, momentum: 0.3 });
  return kept;
}

const RUNNING = '(lambda a, m, v: (F.batch_norm(a, m, v, None, None, True, 0.3), m, v)[1:])';

export const BATCH_NORM: readonly OpCase[] = [
  training('images', [f32(2, 3, 2, 2), f32(3), f32(3)]),
  training('vectors', [f32(4, 3), f32(3), f32(3)]),
  training('sequences', [f32(2, 2, 3), f32(2), f32(2)]),
  training('volumes', [f32(2, 2, 2, 1, 2), f32(2), f32(2)]),
  training('without parameters', [f32(3, 2, 2)]),
  training('a large eps', [f32(2, 2, 3), f32(2)], 0.5),
  training('one channel', [f32(1, 1, 3, 2), f32(1), f32(1)]),
  training('float64', [f64(3, 2, 2), f64(2), f64(2)]),
  training('bfloat16 with float32 parameters', [bf16(4, 2, 2), f32(2), f32(2)]),
  opCase(
    'batch_norm',
    'viewed',
    [f32(3, 1, 4)],
    (x) => batchNorm(viewed(x), null, null, { training: true }),
    { torch: `F.batch_norm(${TORCH_VIEWED('a')}, None, None, None, None, True)` },
  ),
  opCase(
    'batch_norm',
    'in evaluation',
    [f32(2, 3, 2, 2), f32(3), positive(3), f32(3), f32(3)],
    (x, mean, variance, weight, bias) => batchNorm(x, mean!, variance!, { weight, bias }),
    // PyTorch gives running statistics no gradient.
    { torch: 'F.batch_norm(a, b.detach(), c.detach(), d, e)', grad: false },
  ),
  opCase(
    'batch_norm',
    'gradients in evaluation',
    [f32(2, 2, 3), f32(2), f32(2)],
    (x, weight, bias) => batchNorm(x, full([2], 0.25), full([2], 2), { weight, bias }),
    { torch: 'F.batch_norm(a, a.new_full((2,), 0.25), a.new_full((2,), 2), b, c)' },
  ),
  opCase(
    'batch_norm',
    'running statistics',
    [f32(3, 2, 2), f32(2), positive(2)],
    (x, mean, variance) => running(x, mean!, variance!),
    { torch: `${RUNNING}(a, b.detach().clone(), c.detach().clone())`, grad: false },
  ),
];
