/** Layer normalization. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Shape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { ones, zeros } from '../ops/creation.ts';
import { layerNorm } from '../ops/layer-norm.ts';
import { ones_, zeros_ } from './init.ts';
import { registerLayers } from './layer-of.ts';
import { Module, Parameter } from './module.ts';
import { argumentsText, tupleText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  normalized_shape: z.union([schemas.size, z.array(schemas.size).min(1)]),
  eps: z.number().min(0).default(1e-5),
  elementwise_affine: z.boolean().default(true),
  bias: z.boolean().default(true),
});

/**
 * Brings the last dimensions, whose sizes are `normalized_shape`, to mean 0 and variance 1; then
 * weight and bias. https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  static readonly schema = options;
  readonly normalized_shape: Shape;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(given: z.input<typeof options>) {
    super();
    const parsed = parseOptions(new.target.name, options, given);
    const { normalized_shape, eps, elementwise_affine, bias } = parsed;
    const shape = typeof normalized_shape === 'number' ? [normalized_shape] : normalized_shape;
    this.normalized_shape = shape;
    this.eps = eps;
    this.weight = elementwise_affine ? new Parameter(ones(shape)) : null;
    this.bias = elementwise_affine && bias ? new Parameter(zeros(shape)) : null;
  }

  /** Sets the weight to 1 and the bias to 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  forward(input: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(input, this.normalized_shape, { weight, bias, eps });
  }

  override extraRepr(): string {
    const { normalized_shape, eps } = this;
    const [elementwise_affine, bias] = [this.weight !== null, this.bias !== null];
    return `${tupleText(normalized_shape)}, ${argumentsText({ eps, elementwise_affine, bias })}`;
  }
}

registerLayers(modules, { LayerNorm });
