/** layer_norm_fwd and layer_norm_bwd, with and without parameters. */

import type { DType } from '../../../src/base/dtype.ts';
import { formatShape } from '../../../src/base/shape.ts';
import type { LayerNormAttrs } from '../../../src/engine/kernels.ts';
import { between, input, type KernelCase, kernelCase, type } from './case.ts';

type Parameters = Pick<LayerNormAttrs, 'weight' | 'bias'>;

const BOTH: Parameters = { weight: true, bias: true };

function layerNorm(
  dtype: DType,
  shape: number[],
  { dims = 1, weight, bias }: Parameters & { dims?: number } = BOTH,
): KernelCase[] {
  const attrs = { dims, eps: 1e-5, weight, bias };
  const leading = shape.slice(0, shape.length - dims);
  const last = shape.slice(shape.length - dims);
  const name = `${formatShape(shape)} over ${dims}, ${dtype}, weight ${weight}, bias ${bias}`;
  const x = input(dtype, shape);
  const parameter = input(dtype, last);
  const statistics = [type(dtype, ...leading), type(dtype, ...leading)];
  const gradients = [weight, bias].filter(Boolean).map(() => type(dtype, ...last));
  return [
    kernelCase(
      'layer_norm_fwd',
      name,
      attrs,
      [x, ...[weight, bias].filter(Boolean).map(() => parameter)],
      [type(dtype, ...shape), ...statistics],
    ),
    kernelCase(
      'layer_norm_bwd',
      name,
      attrs,
      [
        input(dtype, shape),
        x,
        ...(weight ? [parameter] : []),
        input(dtype, leading, between(-0.5, 0.5)),
        input(dtype, leading, between(0.5, 1.5)),
      ],
      [type(dtype, ...shape), ...gradients],
    ),
  ];
}

export const LAYER_NORM_CASES: readonly KernelCase[] = [
  ...layerNorm('float32', [6, 48]),
  ...layerNorm('float32', [5, 7, 37]),
  ...layerNorm('float32', [300, 128]),
  ...layerNorm('float32', [3, 1]),
  ...layerNorm('float32', [19]),
  ...layerNorm('float32', [2, 20_000]),
  ...layerNorm('float32', [4, 3, 5], { dims: 2, ...BOTH }),
  ...layerNorm('float32', [9, 33], { weight: true, bias: false }),
  ...layerNorm('float32', [9, 33], { weight: false, bias: true }),
  ...layerNorm('float32', [9, 33], { weight: false, bias: false }),
  ...layerNorm('float32', [0, 8]),
  ...layerNorm('float64', [11, 10]),
  ...layerNorm('bfloat16', [11, 40]),
];
