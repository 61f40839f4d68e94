/** Layer normalization. */

import { layerNorm } from '../../../src/nn/functional/index.ts';
import { bf16, f32, f64, type OpCase, opCase } from '../case.ts';
import { TORCH_VIEWED, viewed } from './pointwise.ts';

const torch = (x: string, shape: string, parameters: string) =>
  `torch.nn.functional.layer_norm(${x}, ${shape}, ${parameters})`;

export const LAYER_NORM: readonly OpCase[] = [
  opCase(
    'layer_norm',
    'weight and bias',
    [f32(3, 4), f32(4), f32(4)],
    (x, weight, bias) => layerNorm(x, [4], { weight, bias }),
    { torch: torch('a', '[4]', 'b, c') },
  ),
  opCase('layer_norm', 'plain', [f32(2, 3)], (x) => layerNorm(x, [3]), {
    torch: torch('a', '[3]', 'None, None'),
  }),
  opCase(
    'layer_norm',
    'weight alone, another eps',
    [f64(2, 3), f64(3)],
    (x, weight) => layerNorm(x, [3], { weight, eps: 0.5 }),
    { torch: torch('a', '[3]', 'b, None, 0.5') },
  ),
  opCase(
    'layer_norm',
    'two dimensions of four',
    [f32(2, 1, 3, 2), f32(3, 2), f32(3, 2)],
    (x, weight, bias) => layerNorm(x, [3, 2], { weight, bias }),
    { torch: torch('a', '[3, 2]', 'b, c') },
  ),
  opCase('layer_norm', 'no rows', [f32(0, 3)], (x) => layerNorm(x, [3]), {
    torch: torch('a', '[3]', 'None, None'),
  }),
  opCase('layer_norm', 'one element', [f32(3, 1)], (x) => layerNorm(x, [1]), {
    torch: torch('a', '[1]', 'None, None'),
  }),
  opCase(
    'layer_norm',
    'bfloat16',
    [bf16(3, 4), bf16(4), bf16(4)],
    (x, weight, bias) => layerNorm(x, [4], { weight, bias }),
    { torch: torch('a', '[4]', 'b, c') },
  ),
  opCase('layer_norm', 'viewed', [f32(3, 1, 4)], (x) => layerNorm(viewed(x), [2]), {
    torch: torch(TORCH_VIEWED('a'), '[2]', 'None, None'),
  }),
];
