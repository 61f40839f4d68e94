/**
 * Initialisers, PyTorch's defaults. They fill a tensor in place and return it.
 * https://pytorch.org/docs/stable/nn.init.html
 */

import { ArgumentError, nearestName, opError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { rand, randn } from '../ops/draws.ts';
import { named } from '../ops/named.ts';
import { add, mul } from '../ops/pointwise.ts';

export { dirac_, eye_, orthogonal_, sparse_, truncNormal_ } from './init-structured.ts';

/** Random numbers as precise as the tensor they are for. */
const precise = ({ dtype }: Tensor) =>
  ({ dtype: dtype === 'float64' ? dtype : 'float32' }) as const;

/** Fills with numbers of the uniform distribution over [a, b). */
export const uniform_ = named(
  'uniform_',
  ['tensor', 'a', 'b'],
  (tensor: Tensor, a = 0, b = 1): Tensor =>
    noGrad(() => tensor.copy_(add(mul(rand(tensor.shape, precise(tensor)), b - a), a))),
);

/** Fills with numbers of the normal distribution. */
export const normal_ = named(
  'normal_',
  ['tensor', 'mean', 'std'],
  (tensor: Tensor, mean = 0, std = 1): Tensor =>
    noGrad(() => tensor.copy_(add(mul(randn(tensor.shape, precise(tensor)), std), mean))),
);

export const constant_ = named(
  'constant_',
  ['tensor', 'val'],
  (tensor: Tensor, val: number): Tensor => noGrad(() => tensor.fill_(val)),
);

export const zeros_ = named('zeros_', ['tensor'], (tensor: Tensor): Tensor => constant_(tensor, 0));

export const ones_ = named('ones_', ['tensor'], (tensor: Tensor): Tensor => constant_(tensor, 1));

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

/** By nonlinearity, what variance is to be made up for; of leaky_relu by its negative slope. */
const GAINS = {
  ...{ linear: 1, conv1d: 1, conv2d: 1, conv3d: 1 },
  ...{ conv_transpose1d: 1, conv_transpose2d: 1, conv_transpose3d: 1 },
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  leaky_relu: (slope: number) => Math.sqrt(2 / (1 + slope * slope)),
  selu: 3 / 4,
} as const;

export type Nonlinearity = keyof typeof GAINS;

/**
 * How much a nonlinearity shrinks the standard deviation.
 * https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
 *
 * @param param the negative slope of leaky_relu; 0.01 where it is left out.
 * @throws ArgumentError for another nonlinearity.
 */
export const calculateGain = named(
  'calculate_gain',
  ['nonlinearity', 'param'],
  (nonlinearity: Nonlinearity, param: number | null = null): number => {
    if (!Object.hasOwn(GAINS, nonlinearity)) {
      const known = Object.keys(GAINS);
      const nearest = nearestName(String(nonlinearity), known);
      const hint = nearest === undefined ? `known: ${known.join(', ')}` : `is it ${nearest}?`;
      const message = `there is no nonlinearity ${nonlinearity}; ${hint}`;
      throw opError(ArgumentError, 'calculate_gain', message);
    }
    const gain = GAINS[nonlinearity];
    return typeof gain === 'number' ? gain : gain(param ?? 0.01);
  },
);

type Fan = 'fan_in' | 'fan_out';

/** gain / sqrt(fan), for the nonlinearity that follows; `a` is a leaky ReLU's negative slope. */
function kaimingStd(tensor: Tensor, a: number, mode: Fan, nonlinearity: Nonlinearity): number {
  if (mode !== 'fan_in' && mode !== 'fan_out') {
    throw opError(ArgumentError, 'init', `mode must be fan_in or fan_out, got ${mode}`);
  }
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(tensor)[mode]);
}

/** An initialiser by the standard deviation that keeps a signal's size. */
function kaiming(op: string, draw: (tensor: Tensor, std: number) => Tensor) {
  return named(
    op,
    ['tensor', 'a', 'mode', 'nonlinearity'],
    (
      tensor: Tensor,
      a = 0,
      mode: Fan = 'fan_in',
      nonlinearity: Nonlinearity = 'leaky_relu',
    ): Tensor => draw(tensor, kaimingStd(tensor, a, mode, nonlinearity)),
  );
}

/** He et al. 2015, uniform: bound = gain * sqrt(3 / fan). */
export const kaimingUniform_ = kaiming('kaiming_uniform_', (tensor, std) => {
  const bound = Math.sqrt(3) * std;
  return uniform_(tensor, -bound, bound);
});

/** He et al. 2015, normal: standard deviation = gain / sqrt(fan). */
export const kaimingNormal_ = kaiming('kaiming_normal_', (tensor, std) => normal_(tensor, 0, std));

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
