/**
 * Initialisers, PyTorch's defaults. They fill a tensor in place and return it.
 * https://pytorch.org/docs/stable/nn.init.html
 */

import { ArgumentError, opError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { rand, randn } from '../ops/creation.ts';
import { named } from '../ops/named.ts';

export { dirac_, eye_, orthogonal_, sparse_, truncNormal_ } from './init-structured.ts';

/** Fills with numbers of the uniform distribution over [a, b). */
export function uniform_(tensor: Tensor, a = 0, b = 1): Tensor {
  return noGrad(() =>
    tensor.copy_(
      rand(tensor.shape)
        .mul(b - a)
        .add(a),
    ),
  );
}

/** Fills with numbers of the normal distribution. */
export function normal_(tensor: Tensor, mean = 0, std = 1): Tensor {
  return noGrad(() => tensor.copy_(randn(tensor.shape).mul(std).add(mean)));
}

export function constant_(tensor: Tensor, value: number): Tensor {
  return noGrad(() => tensor.fill_(value));
}

export function zeros_(tensor: Tensor): Tensor {
  return constant_(tensor, 0);
}

export function ones_(tensor: Tensor): Tensor {
  return constant_(tensor, 1);
}

/** Inputs and outputs of one unit: weight (out, in, ...window). */
export function fans(tensor: Tensor): { fan_in: number; fan_out: number } {
  if (tensor.ndim < 2) {
    throw opError(
      ArgumentError,
      'init',
      `fans need at least two dimensions, got ${formatShape(tensor.shape)}`,
    );
  }
  const window = numel(tensor.shape.slice(2));
  return { fan_in: tensor.shape[1]! * window, fan_out: tensor.shape[0]! * window };
}

export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leaky_relu' | 'selu';

/** How much a nonlinearity shrinks variance. */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 3 / 4 };
  if (nonlinearity === 'leaky_relu') return Math.sqrt(2 / (1 + param * param));
  return gains[nonlinearity];
}

export interface KaimingOptions {
  /** The negative slope of the leaky ReLU that follows. */
  readonly a?: number;
  readonly mode?: 'fan_in' | 'fan_out';
  readonly nonlinearity?: Nonlinearity;
}

/** He et al. 2015, uniform: bound = gain * sqrt(3 / fan). */
export function kaimingUniform_(
  tensor: Tensor,
  { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' }: KaimingOptions = {},
): Tensor {
  const bound = calculateGain(nonlinearity, a) * Math.sqrt(3 / fans(tensor)[mode]);
  return uniform_(tensor, -bound, bound);
}

/** He et al. 2015, normal: standard deviation = gain / sqrt(fan). */
export function kaimingNormal_(
  tensor: Tensor,
  { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' }: KaimingOptions = {},
): Tensor {
  return normal_(tensor, 0, calculateGain(nonlinearity, a) / Math.sqrt(fans(tensor)[mode]));
}

/** Glorot and Bengio 2010, uniform: bound = gain * sqrt(6 / (fan_in + fan_out)). */
export const xavierUniform_ = named(
  'xavier_uniform_',
  ['tensor', 'gain'],
  (tensor: Tensor, gain = 1): Tensor => {
    const { fan_in, fan_out } = fans(tensor);
    const bound = gain * Math.sqrt(6 / (fan_in + fan_out));
    return uniform_(tensor, -bound, bound);
  },
);

/** Glorot and Bengio 2010, normal: standard deviation = gain * sqrt(2 / (fan_in + fan_out)). */
export const xavierNormal_ = named(
  'xavier_normal_',
  ['tensor', 'gain'],
  (tensor: Tensor, gain = 1): Tensor => {
    const { fan_in, fan_out } = fans(tensor);
    return normal_(tensor, 0, gain * Math.sqrt(2 / (fan_in + fan_out)));
  },
);

/** What Linear and the convolutions start with: weight and, where there is one, bias. */
export function resetLinearLike(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias === null) return;
  const { fan_in } = fans(weight);
  const bound = fan_in > 0 ? 1 / Math.sqrt(fan_in) : 0;
  uniform_(bias, -bound, bound);
}
