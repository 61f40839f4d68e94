/** Batch norm of evaluation, which is linear, made part of the layer before it. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { generatorState, setGeneratorState } from '../../core/random.ts';
import type { Tensor } from '../../core/tensor.ts';
import { onesLike, zerosLike } from '../../ops/creation.ts';
import { reshape } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, cast, mul, rsqrt, sub } from '../../ops/pointwise.ts';
import type { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../batch-norm.ts';
import {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
} from '../conv.ts';
import { Linear } from '../linear.ts';
import { type AnyModule, Parameter } from '../module.ts';

type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d;

const CONVOLUTIONS = [Conv1d, Conv2d, Conv3d] as const;
const TRANSPOSED = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as const;
type Convolution = InstanceType<(typeof CONVOLUTIONS | typeof TRANSPOSED)[number]>;

/**
 * A layer of weight `conv_w` and bias `conv_b` with a batch norm behind it: the weight and the bias
 * of one layer.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_weights.html
 *
 * @param transpose whether the outputs are the second dimension of the weight.
 */
export const fuseConvBnWeights = named(
  'fuse_conv_bn_weights',
  ['conv_w', 'conv_b', 'bn_rm', 'bn_rv', 'bn_eps', 'bn_w', 'bn_b', 'transpose'],
  (
    conv_w: Tensor,
    conv_b: Tensor | null,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: number,
    bn_w: Tensor | null,
    bn_b: Tensor | null,
    transpose = false,
  ): [weight: Parameter, bias: Parameter] =>
    noGrad(() => {
      const scale = mul(bn_w ?? onesLike(bn_rm), rsqrt(add(bn_rv, bn_eps)));
      const outputs = transpose ? [1, -1] : [-1, 1];
      const shape = [...outputs, ...new Array<number>(conv_w.ndim - 2).fill(1)];
      const bias = mul(sub(conv_b ?? zerosLike(bn_rm), bn_rm), scale);
      const parameter = (value: Tensor, like: Tensor) =>
        new Parameter(cast(value, like.dtype), like.requires_grad);
      return [
        parameter(mul(conv_w, reshape(scale, shape)), conv_w),
        parameter(add(bias, bn_b ?? zerosLike(bn_rm)), conv_b ?? conv_w),
      ];
    }),
);

/**
 * The same of a linear layer.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_weights.html
 */
export const fuseLinearBnWeights = named(
  'fuse_linear_bn_weights',
  ['linear_w', 'linear_b', 'bn_rm', 'bn_rv', 'bn_eps', 'bn_w', 'bn_b'],
  (
    linear_w: Tensor,
    linear_b: Tensor | null,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: number,
    bn_w: Tensor | null,
    bn_b: Tensor | null,
  ): [weight: Parameter, bias: Parameter] =>
    fuseConvBnWeights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b),
);

/**
 * A convolution that gives what `conv` and then `bn` give in evaluation. Neither is changed.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
 *
 * @param transpose to be given for transposed convolutions.
 * @throws ArgumentError unless both are in evaluation mode and `bn` has running statistics.
 */
export const fuseConvBnEval = named(
  'fuse_conv_bn_eval',
  ['conv', 'bn', 'transpose'],
  (conv: Convolution, bn: BatchNorm, transpose = false): Convolution => {
    const op = 'fuse_conv_bn_eval';
    const [mean, variance] = statistics(op, conv, bn);
    const { weight, bias } = conv;
    return remade(convolutionLike(op, conv), [
      ...fuseConvBnWeights(weight, bias, mean, variance, bn.eps, bn.weight, bn.bias, transpose),
    ]);
  },
);

/**
 * A linear layer that gives what `linear` and then `bn` give in evaluation. Neither is changed.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html
 *
 * @throws ArgumentError unless both are in evaluation mode, `bn` has running statistics, and it has
 *   as many features as `linear`, or one.
 */
export const fuseLinearBnEval = named(
  'fuse_linear_bn_eval',
  ['linear', 'bn'],
  (linear: Linear, bn: BatchNorm): Linear => {
    const op = 'fuse_linear_bn_eval';
    const { in_features, out_features, weight, bias } = linear;
    if (bn.num_features !== out_features && bn.num_features !== 1) {
      const sizes = `num_features ${bn.num_features} must be out_features ${out_features} or 1`;
      throw opError(ArgumentError, op, sizes);
    }
    const [mean, variance] = statistics(op, linear, bn);
    return remade(
      () => new Linear({ in_features, out_features }),
      fuseLinearBnWeights(weight, bias, mean, variance, bn.eps, bn.weight, bn.bias),
    );
  },
);

function statistics(op: string, layer: AnyModule, bn: BatchNorm): [Tensor, Tensor] {
  if (layer.training || bn.training) {
    throw opError(ArgumentError, op, 'both modules must be in evaluation mode: call eval()');
  }
  const { running_mean, running_var } = bn;
  if (running_mean !== null && running_var !== null) return [running_mean, running_var];
  throw opError(ArgumentError, op, 'the batch norm has no running statistics');
}

/** Makes a layer of the options of `conv`, with a bias. */
function convolutionLike(op: string, conv: Convolution): () => Convolution {
  const { in_channels, out_channels, groups } = conv;
  const { kernel_size, stride, dilation, padding, output_padding, padding_mode } = conv;
  const list = (sizes: readonly number[]) => [...sizes];
  const options = {
    ...{ in_channels, out_channels, groups },
    kernel_size: list(kernel_size),
    stride: list(stride),
    dilation: list(dilation),
  };
  const Plain = CONVOLUTIONS.find((type) => conv instanceof type);
  if (Plain !== undefined) {
    const sides = typeof padding === 'object' ? list(padding) : padding;
    return () => new Plain({ ...options, padding: sides, padding_mode });
  }
  const Transposed = TRANSPOSED.find((type) => conv instanceof type);
  if (Transposed === undefined) throw opError(ArgumentError, op, 'conv must be a convolution');
  const sides = { padding: list(padding as number[]), output_padding: list(output_padding) };
  return () => new Transposed({ ...options, ...sides });
}

/** A layer in evaluation mode with these parameters; the generator's state stays what it was. */
function remade<L extends AnyModule>(make: () => L, [weight, bias]: readonly Parameter[]): L {
  const state = generatorState();
  const layer = make();
  setGeneratorState(state);
  layer.registerParameter('weight', weight!);
  layer.registerParameter('bias', bias!);
  return layer.eval();
}
