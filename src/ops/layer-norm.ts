/** Layer normalization (Ba et al. 2016): a fused op. */

import { computeType, isFloating } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { LayerNormAttrs } from '../engine/kernels.ts';
import { defineFused } from './fused.ts';
import { add, cast, mul, rsqrt, sub } from './pointwise.ts';
import { mean } from './reduction.ts';

const LAYER_NORM = defineFused<LayerNormAttrs>({
  name: 'layer_norm',
  kind: 'normalization',
  infer([x], { dims }) {
    const rows = x!.shape.slice(0, x!.shape.length - dims);
    return [x!, { dtype: x!.dtype, shape: rows }, { dtype: x!.dtype, shape: rows }];
  },
  composite([x, ...parameters], { dims, eps, weight, bias }) {
    const last = Array.from({ length: dims }, (_, i) => i - dims);
    const centered = sub(x!, mean(x!, last, true));
    const variance = mean(mul(centered, centered), last, true);
    const normal = mul(centered, rsqrt(add(variance, eps)));
    const scaled = weight ? mul(normal, parameters[0]!) : normal;
    return [bias ? add(scaled, parameters.at(-1)!) : scaled];
  },
  forward: ({ attrs }) => ({ kernel: 'layer_norm_fwd', attrs: kernelAttrs(attrs) }),
  backward: ({ attrs }) => ({ kernel: 'layer_norm_bwd', attrs: kernelAttrs(attrs) }),
  reads: ([x, ...parameters], [, average, rstd], { weight }) => [
    x,
    weight ? parameters[0] : undefined,
    average,
    rstd,
  ],
});

function kernelAttrs({ dims, eps, weight, bias }: LayerNormAttrs): LayerNormAttrs {
  return { dims, eps, weight, bias };
}

export interface LayerNormOptions {
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  readonly eps?: number;
}

/**
 * (x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the last
 * dimensions, whose sizes are `normalized_shape`; `weight` and `bias` have that shape. Bfloat16 is
 * computed in float32. https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 *
 * @throws ShapeError unless `x` ends in `normalized_shape` and the parameters have it.
 */
export function layerNorm(
  x: Tensor,
  normalized_shape: Shape,
  { weight, bias, eps = 1e-5 }: LayerNormOptions = {},
): Tensor {
  if (!isFloating(x.dtype)) {
    throw opError(DTypeError, 'layer_norm', `needs a floating point tensor, got ${x.dtype}`);
  }
  checkShapes(x.shape, normalized_shape, { weight, bias });
  const parameters = [weight, bias].filter((parameter) => parameter != null);
  const attrs = {
    dims: normalized_shape.length,
    eps,
    weight: weight != null,
    bias: bias != null,
  };
  const dtype = computeType(x.dtype) === 'float64' ? 'float64' : 'float32';
  const inputs = [x, ...parameters].map((input) => cast(input, dtype));
  return cast(LAYER_NORM(inputs, attrs)[0]!, x.dtype);
}

function checkShapes(
  shape: Shape,
  normalized: Shape,
  parameters: Pick<LayerNormOptions, 'weight' | 'bias'>,
): void {
  const last = shape.slice(Math.max(0, shape.length - normalized.length));
  if (normalized.length === 0 || !sameShape(last, normalized)) {
    throw opError(
      ShapeError,
      'layer_norm',
      `input ${formatShape(shape)} must end in normalized_shape ${formatShape(normalized)}`,
    );
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter == null || sameShape(parameter.shape, normalized)) continue;
    throw opError(
      ShapeError,
      'layer_norm',
      `${name} has shape ${formatShape(parameter.shape)}, needs ${formatShape(normalized)}`,
    );
  }
}
