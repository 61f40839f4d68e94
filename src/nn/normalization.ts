/** Normalisation layers beside batch norm and layer norm. */

import { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { ones, zeros } from '../ops/creation.ts';
import { reshape } from '../ops/movement.ts';
import { add, div, gt, mul, pow, where } from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { narrow } from '../ops/slicing.ts';
import {
  groupNorm,
  localResponseNorm,
  rmsNorm,
  sumOverChannels,
} from './functional/normalization.ts';
import { ones_, zeros_ } from './init.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { Module, Parameter } from './module.ts';
import { argumentsText, floatText, tupleText } from './module-text.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const groupOptions = strict({
  num_groups: schemas.size,
  /** May be left out where the input is known. */
  num_channels: schemas.size.optional(),
  eps: z.number().default(1e-5),
  affine: z.boolean().default(true),
  bias: z.boolean().default(true),
});

/**
 * (N, num_channels, ...) -> the same, normalised over each group of channels.
 * https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 */
export class GroupNorm extends Module {
  readonly num_groups: number;
  readonly num_channels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(given: z.input<typeof groupOptions> & { num_channels: number }) {
    super();
    const options = parseOptions('GroupNorm', groupOptions, given);
    this.num_groups = options.num_groups;
    this.num_channels = given.num_channels;
    this.eps = options.eps;
    if (this.num_channels % this.num_groups !== 0) {
      const message = `num_channels ${this.num_channels} must be divisible by num_groups`;
      throw opError(ArgumentError, 'GroupNorm', `${message} ${this.num_groups}`);
    }
    const { affine, bias } = options;
    this.weight = affine ? new Parameter(ones([this.num_channels])) : null;
    this.bias = affine && bias ? new Parameter(zeros([this.num_channels])) : null;
  }

  /** Sets the weight to 1 and the bias to 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  forward(input: Tensor): Tensor {
    return groupNorm(input, this.num_groups, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    const { num_groups, num_channels, eps } = this;
    const [affine, bias] = [this.weight !== null, this.bias !== null];
    return `${num_groups}, ${num_channels}, ${argumentsText({ eps, affine, bias })}`;
  }
}

const rmsOptions = strict({
  normalized_shape: z.union([schemas.size, z.array(schemas.size).min(1)]),
  /** By default the precision of the numbers. */
  eps: z.number().nullable().default(null),
  elementwise_affine: z.boolean().default(true),
});

/**
 * Brings the last dimensions, whose sizes are `normalized_shape`, to mean square 1; then the
 * weight.
 * https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
 */
export class RMSNorm extends Module {
  readonly normalized_shape: readonly number[];
  readonly eps: number | null;
  readonly weight: Parameter | null;

  constructor(given: z.input<typeof rmsOptions>) {
    super();
    const options = parseOptions('RMSNorm', rmsOptions, given);
    const shape = options.normalized_shape;
    this.normalized_shape = typeof shape === 'number' ? [shape] : shape;
    this.eps = options.eps;
    const { elementwise_affine } = options;
    this.weight = elementwise_affine ? new Parameter(ones(this.normalized_shape)) : null;
  }

  /** Sets the weight to 1. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
  }

  forward(input: Tensor): Tensor {
    return rmsNorm(input, this.normalized_shape, this.weight, this.eps);
  }

  override extraRepr(): string {
    const { normalized_shape, eps } = this;
    const elementwise_affine = this.weight !== null;
    return `${tupleText(normalized_shape)}, ${argumentsText({ eps, elementwise_affine })}`;
  }
}

const number = (value: number) => z.number().default(value);
const responseOptions = strict({
  size: schemas.size,
  alpha: number(1e-4),
  beta: number(0.75),
  k: number(1),
});

/** https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html */
export class LocalResponseNorm extends layerOf(
  responseOptions,
  ({ size, alpha, beta, k }, x) => localResponseNorm(x, size, alpha, beta, k),
  ({ size, k, ...rest }) => `${size}, ${argumentsText(rest)}, k=${floatText(k)}`,
) {}

/**
 * As LocalResponseNorm, but over the same number of channels on both sides, always with the first
 * one, and over images only.
 * https://pytorch.org/docs/stable/generated/torch.nn.CrossMapLRN2d.html
 */
export class CrossMapLRN2d extends layerOf(
  responseOptions,
  ({ size, alpha, beta, k }, x) => {
    if (x.ndim !== 4) {
      const message = `input must be (N, C, H, W), got ${formatShape(x.shape)}`;
      throw opError(ShapeError, 'CrossMapLRN2d', message);
    }
    const reach = Math.floor((size - 1) / 2);
    const squares = mul(x, x);
    // PyTorch's running sum never lets go of the first channel.
    const isLater = reshape(gt(arange(x.shape[1]!), reach), [1, -1, 1, 1]);
    const first = where(isLater, narrow(squares, 1, 0, 1), 0);
    const sums = add(sumOverChannels(squares, reach, reach), first);
    return div(x, pow(add(mul(sums, alpha / size), k), beta));
  },
  ({ size, ...rest }) => `${size}, ${argumentsText(rest)}`,
) {}

modules.register('GroupNorm', {
  schema: groupOptions,
  create: (given: z.output<typeof groupOptions>, { input }) => {
    const found = input?.shape.at(1);
    const num_channels = inferredSize('GroupNorm', 'num_channels', given.num_channels, found);
    return new GroupNorm({ ...given, num_channels });
  },
});
modules.register('RMSNorm', { schema: rmsOptions, create: (given) => new RMSNorm(given) });
registerLayers(modules, { CrossMapLRN2d, LocalResponseNorm });
