/** softmax and log_softmax along every dimension. */

import type { DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import { between, cycle, type Fill, input, type KernelCase, kernelCase, type } from './case.ts';

function both(dtype: DType, shape: number[], dim: number, name = '', fill?: Fill): KernelCase[] {
  return (['softmax', 'log_softmax'] as const).map((kernel) =>
    kernelCase(
      kernel,
      `${formatShape(shape)} along ${dim}, ${dtype}${name}`,
      { dim },
      [input(dtype, shape, fill)],
      [type(dtype, ...shape)],
    ),
  );
}

export const SOFTMAX_CASES: readonly KernelCase[] = [
  ...[0, 1, 2].flatMap((dim) => both('float32', [5, 9, 7], dim)),
  ...(['float64', 'bfloat16'] as const).flatMap((dtype) =>
    [0, 1].flatMap((dim) => both(dtype, [11, 10], dim)),
  ),
  ...both('float32', [1], 0),
  ...both('float32', [4, 1], 1),
  ...both('float32', [0, 10], 1),
  ...both('float32', [3, 0], 1),
  ...both('float32', [64, 1000], 1),
  ...both('float32', [700, 10], 1),
  ...both('float32', [2, 100, 333], 1),
  ...both('float32', [70_001], 0),
  ...both('float32', [8, 10], 1, ', large logits', between(-1e4, 1e4)),
  ...both('float32', [4, 6], 1, ', masked by -inf', cycle([1, -Infinity, 2, 0.5])),
  ...both('float32', [3, 5], 1, ', NaN in one row', (i) => (i === 7 ? NaN : i / 3)),
  ...both('float32', [2, 4], 1, ', a row of -inf', (i) => (i < 4 ? -Infinity : i)),
];
