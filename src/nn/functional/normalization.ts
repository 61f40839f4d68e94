/** Normalisations made of the fused ones and of ordinary ops. */

import { needsFloating } from '../../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { finfo } from '../../base/finfo.ts';
import { formatShape, numel, type Shape } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import { checkNormalized, layerNorm } from '../../ops/layer-norm.ts';
import { expand, reshape } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { pad } from '../../ops/padding.ts';
import { add, cast, div, mul, pow, rsqrt } from '../../ops/pointwise.ts';
import { mean, sum } from '../../ops/reduction.ts';
import { slidingWindows } from '../../ops/sliding.ts';
import { batchNorm } from './batch-norm.ts';

/** (C) seen as (1, C, 1, ...), to be broadcast over x. */
function perChannel(op: string, name: string, values: Tensor, x: Tensor): Tensor {
  if (values.ndim !== 1 || values.shape[0] !== x.shape[1]) {
    const sizes = `${name} ${formatShape(values.shape)} does not fit input ${formatShape(x.shape)}`;
    throw opError(ShapeError, op, sizes);
  }
  return reshape(
    values,
    x.shape.map((_, dim) => (dim === 1 ? -1 : 1)),
  );
}

/**
 * x (N, C, ...): brings each group of C / `num_groups` channels of an element to mean 0 and
 * variance 1; then weight (C) and bias (C). Wu and He 2018.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
 *
 * @throws ShapeError for fewer than two dimensions, or parameters that do not fit; ArgumentError
 *   where the channels cannot be divided.
 */
export const groupNorm = named(
  'group_norm',
  ['input', 'num_groups', 'weight', 'bias', 'eps'],
  (
    input: Tensor,
    num_groups: number,
    weight: Tensor | null = null,
    bias: Tensor | null = null,
    eps = 1e-5,
  ): Tensor => {
    needsFloating('group_norm', input);
    if (input.ndim < 2) {
      const message = `input must be (N, C, ...), got ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'group_norm', message);
    }
    const [n, channels] = input.shape as [number, number, ...number[]];
    if (!Number.isInteger(num_groups) || num_groups < 1 || channels % num_groups !== 0) {
      const message = `${channels} channels cannot be divided into ${num_groups} groups`;
      throw opError(ArgumentError, 'group_norm', `${message}: input ${formatShape(input.shape)}`);
    }
    const size = numel(input.shape.slice(1)) / num_groups;
    const groups = layerNorm(reshape(input, [n, num_groups, size]), [size], null, null, eps);
    const normal = reshape(groups, input.shape);
    const scaled =
      weight === null ? normal : mul(normal, perChannel('group_norm', 'weight', weight, input));
    const shifted =
      bias === null ? scaled : add(scaled, perChannel('group_norm', 'bias', bias, input));
    return cast(shifted, input.dtype);
  },
);

/**
 * x (N, C, ...): brings each channel of each element to mean 0 and variance 1, or without
 * `use_input_stats` by `running_mean` (C) and `running_var` (C); otherwise these, where there are
 * some, follow the mean over the batch.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
 *
 * @throws ArgumentError where a channel has one value only, or statistics are missing.
 */
export const instanceNorm = named(
  'instance_norm',
  ['input', 'running_mean', 'running_var', 'weight', 'bias', 'use_input_stats', 'momentum', 'eps'],
  (
    input: Tensor,
    running_mean: Tensor | null = null,
    running_var: Tensor | null = null,
    weight: Tensor | null = null,
    bias: Tensor | null = null,
    use_input_stats = true,
    momentum: number | Tensor = 0.1,
    eps = 1e-5,
  ): Tensor => {
    if (!use_input_stats) {
      return batchNorm(input, running_mean, running_var, weight, bias, false, momentum, eps);
    }
    needsFloating('instance_norm', input);
    if (input.ndim < 2 || numel(input.shape.slice(2)) === 1) {
      const found = formatShape(input.shape);
      const message = `needs more than one value per channel, got input ${found}`;
      throw opError(ArgumentError, 'instance_norm', message);
    }
    const [n, channels, ...sizes] = input.shape as [number, number, ...number[]];
    const repeated = (t: Tensor | null) =>
      t && reshape(expand(reshape(t, [1, channels]), [n, channels]), [n * channels]);
    // As many channels as there are channels in the batch, so that each has its own statistics.
    const [means, variances] = noGrad(() => [running_mean, running_var].map(repeated)) as [
      Tensor | null,
      Tensor | null,
    ];
    const y = batchNorm(
      reshape(input, [1, n * channels, ...sizes]),
      means,
      variances,
      ...([repeated(weight), repeated(bias)] as const),
      ...([true, momentum, eps] as const),
    );
    noGrad(() => {
      running_mean?.copy_(mean(reshape(means!, [n, channels]), 0));
      running_var?.copy_(mean(reshape(variances!, [n, channels]), 0));
    });
    return reshape(y, input.shape);
  },
);

/**
 * x / sqrt(mean(x^2) + eps) * weight over the last dimensions, whose sizes are `normalized_shape`.
 * Zhang and Sennrich 2019. Without `eps` it is the precision of the computation.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html
 *
 * @throws ShapeError unless `input` ends in `normalized_shape` and the weight has it.
 */
export const rmsNorm = named(
  'rms_norm',
  ['input', 'normalized_shape', 'weight', 'eps'],
  (
    input: Tensor,
    normalized_shape: Shape,
    weight: Tensor | null = null,
    eps: number | null = null,
  ): Tensor => {
    checkNormalized('rms_norm', input, normalized_shape, { weight });
    const dtype = input.dtype === 'float64' ? 'float64' : 'float32';
    const x = cast(input, dtype);
    const last = normalized_shape.map((_, i) => i - normalized_shape.length);
    const scale = rsqrt(add(mean(mul(x, x), last, true), eps ?? finfo(dtype).eps));
    const normal = mul(x, scale);
    return cast(weight === null ? normal : mul(normal, cast(weight, dtype)), input.dtype);
  },
);

/** Sums over `before` channels before to `after` channels after each of x (N, C, ...). */
export function sumOverChannels(x: Tensor, before: number, after: number): Tensor {
  const [n, channels] = x.shape as [number, number, ...number[]];
  const flat = reshape(x, [n, channels, numel(x.shape.slice(2))]);
  const windows = slidingWindows(pad(flat, [0, 0, before, after]), {
    ...{ first: 1, kernel: [before + after + 1], stride: [1], dilation: [1], taps_at: 1 },
  });
  return reshape(sum(windows, 1), x.shape);
}

/**
 * x (N, C, ...) / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta.
 * Krizhevsky et al. 2012.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
 *
 * @throws ShapeError for fewer than three dimensions.
 */
export const localResponseNorm = named(
  'local_response_norm',
  ['input', 'size', 'alpha', 'beta', 'k'],
  (input: Tensor, size: number, alpha = 1e-4, beta = 0.75, k = 1): Tensor => {
    needsFloating('local_response_norm', input);
    if (input.ndim < 3) {
      const message = `input must be (N, C, L, ...), got ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'local_response_norm', message);
    }
    if (!Number.isInteger(size) || size < 1) {
      throw opError(ArgumentError, 'local_response_norm', `size must be positive, got ${size}`);
    }
    if (input.numel() === 0) return input;
    const before = Math.floor(size / 2);
    const squares = sumOverChannels(mul(input, input), before, size - 1 - before);
    return div(input, pow(add(mul(squares, alpha / size), k), beta));
  },
);
