/**
 * MaxViT with torchvision's name and state_dict keys.
 * Tu et al. 2022, https://arxiv.org/abs/2204.01697;
 * https://pytorch.org/vision/stable/models/maxvit.html
 */

import type { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { GELU, Tanh } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { normal_, zeros_ } from '../nn/init.ts';
import { LayerNorm } from '../nn/layer-norm.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { Flatten } from '../nn/shape.ts';
import { Conv2dNormActivation } from '../nn/vision-blocks.ts';
import { MaxVitLayer } from './maxvit-layer.ts';
import { modelFamily, numClasses } from './torchvision.ts';

const optionsOf = ({ stochastic_depth_prob: p }: MaxVitDesign) =>
  strict({
    num_classes: numClasses,
    input_size: schemas.pair
      .default(224)
      .describe('Height and width of the images, in torchvision a pair.'),
    stochastic_depth_prob: schemas.probability
      .default(p)
      .describe('How likely the last layer is skipped for a sample; the first never is.'),
    mlp_dropout: schemas.probability.default(0).describe('Behind the feed-forward layers.'),
    attention_dropout: schemas.probability.default(0).describe('Behind attention.'),
  });

export type MaxVitOptions = z.input<ReturnType<typeof optionsOf>>;
type Options = z.output<ReturnType<typeof optionsOf>>;

export interface MaxVitDesign {
  readonly stem_channels: number;
  /** Height and width of the windows, and of the grids. */
  readonly partition_size: number;
  readonly block_channels: readonly number[];
  readonly block_layers: readonly number[];
  /** Features of each head of attention. */
  readonly head_dim: number;
  readonly stochastic_depth_prob: number;
}

const norm_layer = (num_features: number) =>
  new BatchNorm2d({ num_features, eps: 1e-3, momentum: 0.01 });

/** Halves height and width, then keeps them. */
class MaxVitBlock extends Module {
  constructor(readonly layers: readonly MaxVitLayer[]) {
    super();
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.call(value), x);
  }
}

type Size = readonly [height: number, width: number];

/** (N, 3, ...input_size) -> logits (N, num_classes). */
export class MaxVit extends Module {
  readonly input_size: Size;
  readonly stem: Sequential;
  readonly blocks: readonly MaxVitBlock[];
  readonly classifier: Sequential;

  /** @throws ArgumentError unless windows fit into the planes of every block. */
  constructor(design: MaxVitDesign, given: MaxVitOptions = {}) {
    super();
    const options = parseOptions('MaxVit', optionsOf(design), given);
    const { input_size: size, num_classes } = options;
    this.input_size = typeof size === 'number' ? [size, size] : size;
    this.stem = stemOf(design.stem_channels);
    this.blocks = blocksOf(design, options, this.input_size);
    const width = design.block_channels.at(-1)!;
    this.classifier = new Sequential([
      new AdaptiveAvgPool2d({ output_size: 1 }),
      new Flatten(),
      new LayerNorm({ normalized_shape: width }),
      new Linear({ in_features: width, out_features: width }),
      new Tanh(),
      new Linear({ in_features: width, out_features: num_classes, bias: false }),
    ]);
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d || module instanceof Linear)) continue;
      normal_(module.weight, { std: 0.02 });
      if (module.bias !== null) zeros_(module.bias);
    }
  }

  forward(x: Tensor): Tensor {
    const [height, width] = this.input_size;
    if (x.ndim !== 4 || x.shape[2] !== height || x.shape[3] !== width) {
      const message = `needs images (N, 3, ${height}, ${width}), got ${formatShape(x.shape)}`;
      throw opError(ShapeError, 'MaxVit', `${message}; input_size says their size`);
    }
    const features = this.blocks.reduce((value, block) => block.call(value), this.stem.call(x));
    return this.classifier.call(features);
  }
}

function stemOf(channels: number): Sequential {
  const first = { in_channels: 3, out_channels: channels, stride: 2, norm_layer };
  const second = { in_channels: channels, out_channels: channels };
  return new Sequential([
    new Conv2dNormActivation({ ...first, activation_layer: () => new GELU() }),
    new Conv2dNormActivation({ ...second, norm_layer: null, activation_layer: null }),
  ]);
}

const halved = (size: Size): Size => [Math.ceil(size[0] / 2), Math.ceil(size[1] / 2)];

function blocksOf(design: MaxVitDesign, options: Options, input_size: Size): MaxVitBlock[] {
  const { partition_size, block_channels, block_layers, head_dim, stem_channels } = design;
  const { stochastic_depth_prob, mlp_dropout, attention_dropout } = options;
  const total = block_layers.reduce((sum, count) => sum + count, 0);
  let placed = 0;
  let inputs = stem_channels;
  let plane = halved(input_size);
  return block_channels.map((outputs, block) => {
    plane = halved(plane);
    checkPartition(plane, partition_size, block);
    const layers = Array.from({ length: block_layers[block]! }, (_, i) => {
      const p = (stochastic_depth_prob * placed++) / (total - 1);
      const sizes = { inputs: i === 0 ? inputs : outputs, outputs, stride: i === 0 ? 2 : 1 };
      const attention = { head_dim, partition_size, mlp_dropout, attention_dropout };
      return new MaxVitLayer({ ...sizes, ...attention, p, norm_layer });
    });
    inputs = outputs;
    return new MaxVitBlock(layers);
  });
}

function checkPartition(size: Size, partition: number, block: number): void {
  if (size.every((side) => side % partition === 0)) return;
  const message = `input_size gives block ${block} planes of ${formatShape(size)}`;
  throw opError(ArgumentError, 'MaxVit', `${message}, which windows of ${partition} do not fill`);
}

const DESIGNS = {
  maxvit_t: {
    stem_channels: 64,
    partition_size: 7,
    block_channels: [64, 128, 256, 512],
    block_layers: [2, 2, 5, 2],
    head_dim: 32,
    stochastic_depth_prob: 0.2,
  },
} as const satisfies Record<string, MaxVitDesign>;

export const { maxvit_t } = modelFamily(
  DESIGNS,
  optionsOf,
  (design: MaxVitDesign, given) => new MaxVit(design, given),
);
