/** Layer normalization (Ba et al. 2016): a fused op. */

import { computeType, needsFloating } from '../base/dtype.ts';
import { opError, ShapeError } from '../base/errors.ts';
import { formatShape, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { LayerNormAttrs } from '../engine/kernels.ts';
import { defineFused } from './fused.ts';
import { named } from './named.ts';
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

/**
 * (x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the last
 * dimensions, whose sizes are `normalized_shape`; `weight` and `bias` have that shape. Bfloat16 is
 * computed in float32.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 *
 * @throws ShapeError unless `input` ends in `normalized_shape` and the parameters have it.
 */
export const layerNorm = named(
  'layer_norm',
  ['input', 'normalized_shape', 'weight', 'bias', 'eps'],
  (
    input: Tensor,
    normalized_shape: Shape,
    weight: Tensor | null = null,
    bias: Tensor | null = null,
    eps = 1e-5,
  ): Tensor => {
    checkNormalized('layer_norm', input, normalized_shape, { weight, bias });
    const parameters = [weight, bias].filter((parameter) => parameter !== null);
    const attrs = {
      dims: normalized_shape.length,
      eps,
      weight: weight !== null,
      bias: bias !== null,
    };
    const dtype = computeType(input.dtype) === 'float64' ? 'float64' : 'float32';
    const inputs = [input, ...parameters].map((t) => cast(t, dtype));
    return cast(LAYER_NORM(inputs, attrs)[0]!, input.dtype);
  },
);

/** Throws unless `input` is floating and ends in `normalized`, the shape of the parameters. */
export function checkNormalized(
  op: string,
  { dtype, shape }: Tensor,
  normalized: Shape,
  parameters: Readonly<Record<string, Tensor | null>>,
): void {
  needsFloating(op, { dtype });
  const last = shape.slice(Math.max(0, shape.length - normalized.length));
  if (normalized.length === 0 || !sameShape(last, normalized)) {
    throw opError(
      ShapeError,
      op,
      `input ${formatShape(shape)} must end in normalized_shape ${formatShape(normalized)}`,
    );
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter === null || sameShape(parameter.shape, normalized)) continue;
    throw opError(
      ShapeError,
      op,
      `${name} has shape ${formatShape(parameter.shape)}, needs ${formatShape(normalized)}`,
    );
  }
}
