/** Distances and similarities as layers, and the bilinear layer. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { bilinear } from './functional/bilinear.ts';
import { cosineSimilarity, pairwiseDistance } from './functional/distance.ts';
import { uniform_ } from './init.ts';
import { registerLayers } from './layer-of.ts';
import { Module, Parameter } from './module.ts';
import { argumentsText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

type Pair = [x1: Tensor, x2: Tensor];

const similarityOptions = strict({
  dim: z.int().default(1),
  eps: z.number().default(1e-8),
});

/** https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html */
export class CosineSimilarity extends Module<Pair> {
  static readonly schema = similarityOptions;
  readonly dim: number;
  readonly eps: number;

  constructor(given: z.input<typeof similarityOptions> = {}) {
    super();
    const { dim, eps } = parseOptions('CosineSimilarity', similarityOptions, given);
    this.dim = dim;
    this.eps = eps;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.dim, this.eps);
  }
}

const distanceOptions = strict({
  p: z.number().default(2),
  eps: z.number().default(1e-6),
  keepdim: z.boolean().default(false),
});

/** https://pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html */
export class PairwiseDistance extends Module<Pair> {
  static readonly schema = distanceOptions;
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(given: z.input<typeof distanceOptions> = {}) {
    super();
    const { p, eps, keepdim } = parseOptions('PairwiseDistance', distanceOptions, given);
    this.norm = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.norm, this.eps, this.keepdim);
  }
}

const bilinearOptions = strict({
  in1_features: schemas.size,
  in2_features: schemas.size,
  out_features: schemas.size,
  bias: z.boolean().default(true),
});

/**
 * x1ᵀ W x2 + b: (..., in1_features), (..., in2_features) -> (..., out_features).
 * https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
 */
export class Bilinear extends Module<[input1: Tensor, input2: Tensor]> {
  static readonly schema = bilinearOptions;
  readonly in1_features: number;
  readonly in2_features: number;
  readonly out_features: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(given: z.input<typeof bilinearOptions>) {
    super();
    const options = parseOptions('Bilinear', bilinearOptions, given);
    const { in1_features, in2_features, out_features, bias } = options;
    this.in1_features = in1_features;
    this.in2_features = in2_features;
    this.out_features = out_features;
    this.weight = new Parameter(zeros([out_features, in1_features, in2_features]));
    this.bias = bias ? new Parameter(zeros([out_features])) : null;
    this.resetParameters();
  }

  /** Draws new initial values: uniform within 1 / sqrt(in1_features). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.weight.shape[1]!);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    const { in1_features, in2_features, out_features } = this;
    const sizes = { in1_features, in2_features, out_features };
    return argumentsText({ ...sizes, bias: this.bias !== null });
  }
}

registerLayers(modules, { Bilinear, CosineSimilarity, PairwiseDistance });
