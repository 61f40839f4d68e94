/** Building blocks of `torchvision.ops` that its models share. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import { mul } from '../ops/pointwise.ts';
import { ReLU, Sigmoid } from './activation.ts';
import { BatchNorm2d } from './batch-norm.ts';
import { Sequential } from './container.ts';
import { Conv2d } from './conv.ts';
import { stochasticDepth } from './functional/dropout.ts';
import { LayerNorm } from './layer-norm.ts';
import { type AnyModule, Module } from './module.ts';
import { AdaptiveAvgPool2d } from './pooling.ts';
import { type BuildContext, build, inferredSize, modules, schemas } from './registry.ts';

const page = (name: string) =>
  `https://pytorch.org/vision/stable/generated/torchvision.ops.${name}.html`;

// ---- stochastic depth --------------------------------------------------------------------------

const depthOptions = strict({
  p: schemas.probability.describe('How likely a sample is dropped.'),
  mode: z.enum(['batch', 'row']).describe('`row`: each sample on its own; `batch`: all together.'),
});

/**
 * Drops samples of (N, ...) in training, and scales the others by 1 / (1 - p): on the branch of a
 * residual connection it drops the branch (Huang et al. 2016, https://arxiv.org/abs/1603.09382).
 * https://pytorch.org/vision/stable/generated/torchvision.ops.StochasticDepth.html
 */
export class StochasticDepth extends Module {
  static readonly schema = depthOptions;
  readonly p: number;
  readonly mode: 'batch' | 'row';

  constructor(given: z.input<typeof depthOptions>) {
    super();
    const { p, mode } = parseOptions('StochasticDepth', depthOptions, given);
    this.p = p;
    this.mode = mode;
  }

  forward(input: Tensor): Tensor {
    return stochasticDepth(input, this.p, this.mode, this.training);
  }

  override extraRepr(): string {
    return `p=${this.p}, mode=${this.mode}`;
  }
}

// ---- squeeze and excitation --------------------------------------------------------------------

/** Makes a layer without parameters. */
type Activation = () => AnyModule;

export interface SqueezeExcitationOptions {
  readonly input_channels: number;
  readonly squeeze_channels: number;
  /** Between the two convolutions. Default: ReLU. */
  readonly activation?: Activation;
  /** Of the factors. Default: Sigmoid. */
  readonly scale_activation?: Activation;
}

/**
 * Multiplies each channel of (N, C, H, W) by a factor that follows from the means of all channels
 * (Hu et al. 2017, https://arxiv.org/abs/1709.01507).
 * https://pytorch.org/vision/stable/generated/torchvision.ops.SqueezeExcitation.html
 */
export class SqueezeExcitation extends Module {
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;
  readonly activation: AnyModule;
  readonly scale_activation: AnyModule;

  constructor({
    input_channels: outer,
    squeeze_channels: inner,
    activation = () => new ReLU(),
    scale_activation = () => new Sigmoid(),
  }: SqueezeExcitationOptions) {
    super();
    this.fc1 = new Conv2d({ in_channels: outer, out_channels: inner, kernel_size: 1 });
    this.fc2 = new Conv2d({ in_channels: inner, out_channels: outer, kernel_size: 1 });
    this.activation = activation();
    this.scale_activation = scale_activation();
  }

  forward(input: Tensor): Tensor {
    const squeezed = this.activation.call(this.fc1.call(this.avgpool.call(input)));
    return mul(this.scale_activation.call(this.fc2.call(squeezed)), input);
  }
}

// ---- convolution, normalisation, activation ----------------------------------------------------

const convolution = strict({
  in_channels: schemas.size.optional().describe('Follows from the input where it is known.'),
  out_channels: schemas.size,
  kernel_size: schemas.sizes(2).default(3),
  stride: schemas.sizes(2).default(1),
  padding: z
    .union([schemas.sizes(2, 0), z.enum(['valid', 'same'])])
    .nullable()
    .default(null)
    .describe('null keeps height and width, but for the stride.'),
  groups: schemas.size.default(1),
  dilation: schemas.sizes(2).default(1),
  bias: z.boolean().nullable().default(null).describe('null: only without a normalisation.'),
});

export type Conv2dNormActivationOptions = z.input<typeof convolution> & {
  readonly in_channels: number;
  /** Makes the normalisation of so many channels, or null for none. Default: BatchNorm2d. */
  readonly norm_layer?: ((num_features: number) => AnyModule) | null;
  /** Makes the activation, or null for none. Default: ReLU. */
  readonly activation_layer?: Activation | null;
};

/**
 * A convolution, a normalisation and an activation: (N, in_channels, H, W) -> (N, out_channels, H',
 * W').
 * https://pytorch.org/vision/stable/generated/torchvision.ops.Conv2dNormActivation.html
 */
export class Conv2dNormActivation extends Sequential {
  readonly out_channels: number;

  constructor({ norm_layer, activation_layer, ...given }: Conv2dNormActivationOptions) {
    const options = parseOptions('Conv2dNormActivation', convolution, given);
    const { in_channels } = given;
    const { out_channels, kernel_size, dilation } = options;
    const padding = options.padding ?? keepingPadding(kernel_size, dilation);
    const bias = options.bias ?? norm_layer === null;
    const layers: AnyModule[] = [new Conv2d({ ...options, in_channels, padding, bias })];
    const norm = norm_layer === undefined ? batchNorm : norm_layer;
    if (norm !== null) layers.push(norm(out_channels));
    const activation = activation_layer === undefined ? () => new ReLU() : activation_layer;
    if (activation !== null) layers.push(activation());
    super(layers);
    this.out_channels = out_channels;
  }
}

const batchNorm = (num_features: number) => new BatchNorm2d({ num_features });

type Pair = number | readonly number[];

/** Half of what the window covers, in height and width. */
function keepingPadding(kernel_size: Pair, dilation: Pair): [number, number] {
  const side = (i: 0 | 1) => {
    const [size, step] = [kernel_size, dilation].map((x) => (typeof x === 'number' ? x : x[i]!));
    return Math.floor((size! - 1) / 2) * step!;
  };
  return [side(0), side(1)];
}

// ---- layer norm of channels --------------------------------------------------------------------

/**
 * (N, C, H, W) -> the same: every pixel's channels brought to mean 0 and variance 1, then weight
 * and bias. `normalized_shape` is C.
 * https://github.com/pytorch/vision/blob/main/torchvision/models/convnext.py
 */
export class LayerNorm2d extends LayerNorm {
  override forward(input: Tensor): Tensor {
    return super.forward(input.permute([0, 2, 3, 1])).permute([0, 3, 1, 2]);
  }
}

// ---- specs -------------------------------------------------------------------------------------

/** An activation in a spec. */
const activation = (type: string) => z.lazy(() => modules.spec()).default({ type });

/** Builds the activation at `key` of a spec. */
function activationOf(spec: unknown, key: string, { path = [] }: BuildContext): Activation {
  return () => build<AnyModule>(spec, { path: [...path, key] });
}

const channelsOf = ({ input }: BuildContext) => input?.shape.at(-3);

const squeezeSpec = strict({
  input_channels: schemas.size.optional().describe('Follows from the input where it is known.'),
  squeeze_channels: schemas.size.describe('Channels between the two convolutions.'),
  activation: activation('ReLU').describe('Between the two convolutions.'),
  scale_activation: activation('Sigmoid').describe('Of the factors.'),
});

const convolutionSpec = strict({
  ...convolution.shape,
  norm_layer: z
    .lazy(() => modules.spec())
    .nullable()
    .default({ type: 'BatchNorm2d' })
    .describe('The normalisation, its channels left out; null for none.'),
  activation_layer: activation('ReLU').nullable().describe('null for none.'),
});

modules.register('StochasticDepth', {
  schema: depthOptions,
  page: page('StochasticDepth'),
  create: (given) => new StochasticDepth(given),
});
modules.register('SqueezeExcitation', {
  schema: squeezeSpec,
  page: page('SqueezeExcitation'),
  create(given: z.output<typeof squeezeSpec>, context) {
    const { input_channels, squeeze_channels } = given;
    const found = channelsOf(context);
    return new SqueezeExcitation({
      input_channels: inferredSize('SqueezeExcitation', 'input_channels', input_channels, found),
      squeeze_channels,
      activation: activationOf(given.activation, 'activation', context),
      scale_activation: activationOf(given.scale_activation, 'scale_activation', context),
    });
  },
});
modules.register('Conv2dNormActivation', {
  schema: convolutionSpec,
  page: page('Conv2dNormActivation'),
  create(given: z.output<typeof convolutionSpec>, context) {
    const { in_channels, norm_layer, activation_layer, ...options } = given;
    const found = channelsOf(context);
    return new Conv2dNormActivation({
      ...options,
      in_channels: inferredSize('Conv2dNormActivation', 'in_channels', in_channels, found),
      norm_layer: norm_layer && normOf(norm_layer, context),
      activation_layer:
        activation_layer && activationOf(activation_layer, 'activation_layer', context),
    });
  },
});
modules.register('LayerNorm2d', {
  schema: LayerNorm2d.schema,
  summary: 'Layer normalisation of the channels of every pixel.',
  page: 'https://github.com/pytorch/vision/blob/main/torchvision/models/convnext.py',
  create: (given) => new LayerNorm2d(given),
});

/** Builds the normalisation in a spec, which learns its channels from an input of one pixel. */
function normOf(spec: unknown, { path = [] }: BuildContext) {
  return (channels: number) => {
    const input = new Tensor(placeholder({ dtype: 'float32', shape: [1, channels, 1, 1] }, 0));
    return build<AnyModule>(spec, { input, path: [...path, 'norm_layer'] });
  };
}
