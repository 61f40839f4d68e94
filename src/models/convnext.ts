/**
 * ConvNeXt with torchvision's names and state_dict keys.
 * Liu et al. 2022, https://arxiv.org/abs/2201.03545;
 * https://pytorch.org/vision/stable/models/convnext.html
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { GELU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { truncNormal_, zeros_ } from '../nn/init.ts';
import { LayerNorm } from '../nn/layer-norm.ts';
import { Linear } from '../nn/linear.ts';
import { Module, Parameter } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { Flatten, Permute } from '../nn/shape.ts';
import { Conv2dNormActivation, LayerNorm2d, StochasticDepth } from '../nn/vision-blocks.ts';
import { full } from '../ops/creation.ts';
import { modelFamily, numClasses } from './torchvision.ts';

const optionsOf = ({ stochastic_depth_prob: p }: ConvNeXtDesign) =>
  strict({
    num_classes: numClasses,
    stochastic_depth_prob: schemas.probability
      .default(p)
      .describe('How likely the last block is skipped for a sample; the first never is.'),
    layer_scale: z
      .number()
      .default(1e-6)
      .describe('What every block is multiplied by when training starts.'),
  });

export type ConvNeXtOptions = z.input<ReturnType<typeof optionsOf>>;

export interface ConvNeXtDesign {
  /** Channels and blocks of each stage. */
  readonly stages: readonly (readonly [channels: number, blocks: number])[];
  readonly stochastic_depth_prob: number;
}

const eps = 1e-6;
const norm_layer = (normalized_shape: number) => new LayerNorm2d({ normalized_shape, eps });

/** A filter of each channel, then two linear layers on every pixel; added to the input. */
class CNBlock extends Module {
  readonly layer_scale: Parameter;
  readonly block: Sequential;
  readonly stochastic_depth: StochasticDepth;

  constructor(dim: number, layer_scale: number, p: number) {
    super();
    const window = { kernel_size: 7, padding: 3, groups: dim };
    this.block = new Sequential([
      new Conv2d({ in_channels: dim, out_channels: dim, ...window }),
      new Permute({ dims: [0, 2, 3, 1] }),
      new LayerNorm({ normalized_shape: dim, eps }),
      new Linear({ in_features: dim, out_features: 4 * dim }),
      new GELU(),
      new Linear({ in_features: 4 * dim, out_features: dim }),
      new Permute({ dims: [0, 3, 1, 2] }),
    ]);
    this.layer_scale = new Parameter(full([dim, 1, 1], layer_scale));
    this.stochastic_depth = new StochasticDepth({ p, mode: 'row' });
  }

  forward(x: Tensor): Tensor {
    const change = this.layer_scale.mul(this.block.call(x));
    return this.stochastic_depth.call(change).add(x);
  }
}

/** (N, 3, H, W) -> logits (N, num_classes); H and W are at least 32. */
export class ConvNeXt extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly classifier: Sequential;

  constructor(design: ConvNeXtDesign, given: ConvNeXtOptions = {}) {
    super();
    const options = parseOptions('ConvNeXt', optionsOf(design), given);
    this.features = new Sequential(featuresOf(design, options));
    const [last] = design.stages.at(-1)!;
    const head = new Linear({ in_features: last, out_features: options.num_classes });
    this.classifier = new Sequential([norm_layer(last), new Flatten(), head]);
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d || module instanceof Linear)) continue;
      truncNormal_(module.weight, { std: 0.02 });
      zeros_(module.bias!);
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.avgpool.call(this.features.call(x)));
  }
}

type Options = z.output<ReturnType<typeof optionsOf>>;

/** The stem, then the stages, with a layer between them that halves height and width. */
function featuresOf({ stages }: ConvNeXtDesign, options: Options): Module[] {
  const { layer_scale, stochastic_depth_prob } = options;
  const patches = { kernel_size: 4, stride: 4, padding: 0, bias: true };
  const stem = { in_channels: 3, out_channels: stages[0]![0], ...patches };
  const layers: Module[] = [
    new Conv2dNormActivation({ ...stem, norm_layer, activation_layer: null }),
  ];
  const total = stages.reduce((sum, [, blocks]) => sum + blocks, 0);
  let placed = 0;
  for (const [i, [channels, count]] of stages.entries()) {
    const blocks = Array.from({ length: count }, () => {
      const p = (stochastic_depth_prob * placed++) / (total - 1);
      return new CNBlock(channels, layer_scale, p);
    });
    layers.push(new Sequential(blocks));
    const next = stages[i + 1];
    if (next === undefined) continue;
    const halving = { in_channels: channels, out_channels: next[0], kernel_size: 2, stride: 2 };
    layers.push(new Sequential([norm_layer(channels), new Conv2d(halving)]));
  }
  return layers;
}

/** A design by the channels of its first stage and the blocks of its third. */
function design(width: number, third: number, stochastic_depth_prob: number): ConvNeXtDesign {
  const blocks = [3, 3, third, 3];
  return { stages: blocks.map((count, i) => [width << i, count]), stochastic_depth_prob };
}

export const { convnext_tiny, convnext_small, convnext_base, convnext_large } = modelFamily(
  {
    convnext_tiny: design(96, 9, 0.1),
    convnext_small: design(96, 27, 0.4),
    convnext_base: design(128, 27, 0.5),
    convnext_large: design(192, 27, 0.5),
  },
  optionsOf,
  (made, given) => new ConvNeXt(made, given),
);
