/**
 * Swin transformers, version 1 and 2, with torchvision's names and state_dict keys.
 * Liu et al. 2021, https://arxiv.org/abs/2103.14030; 2022, https://arxiv.org/abs/2111.09883;
 * https://pytorch.org/vision/stable/models/swin_transformer.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { truncNormal_, zeros_ } from '../nn/init.ts';
import { LayerNorm } from '../nn/layer-norm.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { Flatten, Permute } from '../nn/shape.ts';
import { StochasticDepth } from '../nn/vision-blocks.ts';
import { pad } from '../ops/padding.ts';
import { feedForward } from './feed-forward.ts';
import {
  ShiftedWindowAttention,
  ShiftedWindowAttentionV2,
  type WindowOptions,
} from './shifted-windows.ts';
import { modelFamily, numClasses } from './torchvision.ts';

const optionsOf = ({ stochastic_depth_prob: p }: SwinTransformerDesign) =>
  strict({
    num_classes: numClasses,
    dropout: schemas.probability.default(0).describe('Behind attention and linear layers.'),
    attention_dropout: schemas.probability.default(0).describe('Of the weights of attention.'),
    stochastic_depth_prob: schemas.probability
      .default(p)
      .describe('How likely the last block is skipped for a sample; the first never is.'),
  });

export type SwinTransformerOptions = z.input<ReturnType<typeof optionsOf>>;
type Options = z.output<ReturnType<typeof optionsOf>>;

export interface SwinTransformerDesign {
  readonly version: 1 | 2;
  /** Height and width of the pieces that an image is cut into. */
  readonly patch_size: number;
  /** Numbers for each patch in the first stage; each stage has twice those of the one before. */
  readonly embed_dim: number;
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  readonly num_heads: readonly number[];
  /** Height and width of the windows. */
  readonly window_size: number;
  readonly stochastic_depth_prob: number;
}

const norm = (normalized_shape: number) => new LayerNorm({ normalized_shape });

/** (N, H, W, dim) -> the same. Version 2 normalises behind attention and linear layers. */
class SwinTransformerBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn: ShiftedWindowAttention | ShiftedWindowAttentionV2;
  readonly stochastic_depth: StochasticDepth;
  readonly norm2: LayerNorm;
  readonly mlp: Sequential;
  readonly #normsFirst: boolean;

  constructor(version: 1 | 2, options: WindowOptions, p: number) {
    super();
    const { dim, dropout } = options;
    this.#normsFirst = version === 1;
    this.norm1 = norm(dim);
    this.attn =
      version === 1 ? new ShiftedWindowAttention(options) : new ShiftedWindowAttentionV2(options);
    this.stochastic_depth = new StochasticDepth({ p, mode: 'row' });
    this.norm2 = norm(dim);
    this.mlp = feedForward(dim, 4 * dim, dropout);
  }

  #branch(x: Tensor, norm: LayerNorm, layer: Module): Tensor {
    const change = this.#normsFirst ? layer.call(norm.call(x)) : norm.call(layer.call(x));
    return x.add(this.stochastic_depth.call(change));
  }

  forward(x: Tensor): Tensor {
    return this.#branch(this.#branch(x, this.norm1, this.attn), this.norm2, this.mlp);
  }
}

/** (N, H, W, dim) -> (N, H / 2, W / 2, 2 dim), rounded up. */
class PatchMerging extends Module {
  readonly reduction: Linear;
  readonly norm: LayerNorm;
  readonly #normsFirst: boolean;

  constructor(version: 1 | 2, dim: number) {
    super();
    this.#normsFirst = version === 1;
    this.reduction = new Linear({ in_features: 4 * dim, out_features: 2 * dim, bias: false });
    this.norm = norm((version === 1 ? 4 : 2) * dim);
  }

  forward(x: Tensor): Tensor {
    const merged = fourInOne(x);
    return this.#normsFirst
      ? this.reduction.call(this.norm.call(merged))
      : this.norm.call(this.reduction.call(merged));
  }
}

/** (N, H, W, C) -> (N, H / 2, W / 2, 4 C): column by column, with zeros where a size is odd. */
function fourInOne(x: Tensor): Tensor {
  const [, rows, columns] = x.shape as [number, number, number, number];
  const even = pad(x, [0, 0, 0, columns % 2, 0, rows % 2]);
  const [batch, height, width, channels] = even.shape as [number, number, number, number];
  return even
    .reshape([batch, height / 2, 2, width / 2, 2, channels])
    .permute([0, 1, 3, 4, 2, 5])
    .reshape([batch, height / 2, width / 2, 4 * channels]);
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class SwinTransformer extends Module {
  readonly features: Sequential;
  readonly norm: LayerNorm;
  readonly permute = new Permute({ dims: [0, 3, 1, 2] });
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly flatten = new Flatten();
  readonly head: Linear;

  constructor(design: SwinTransformerDesign, given: SwinTransformerOptions = {}) {
    super();
    const options = parseOptions('SwinTransformer', optionsOf(design), given);
    const { embed_dim, depths } = design;
    const width = embed_dim * 2 ** (depths.length - 1);
    this.features = new Sequential(featuresOf(design, options));
    this.norm = norm(width);
    this.head = new Linear({ in_features: width, out_features: options.num_classes });
    for (const module of this.modules()) {
      if (!(module instanceof Linear)) continue;
      truncNormal_(module.weight, { std: 0.02 });
      if (module.bias !== null) zeros_(module.bias);
    }
  }

  forward(x: Tensor): Tensor {
    const features = this.permute.call(this.norm.call(this.features.call(x)));
    return this.head.call(this.flatten.call(this.avgpool.call(features)));
  }
}

/** The patches, then the stages with a merging between them. */
function featuresOf(design: SwinTransformerDesign, options: Options): Module[] {
  const { version, patch_size, embed_dim, depths, num_heads, window_size: window } = design;
  const { dropout, attention_dropout, stochastic_depth_prob } = options;
  const patches = { kernel_size: patch_size, stride: patch_size };
  const layers: Module[] = [
    new Sequential([
      new Conv2d({ in_channels: 3, out_channels: embed_dim, ...patches }),
      new Permute({ dims: [0, 2, 3, 1] }),
      norm(embed_dim),
    ]),
  ];
  const total = depths.reduce((sum, depth) => sum + depth, 0);
  let placed = 0;
  for (const [stage, depth] of depths.entries()) {
    const dim = embed_dim * 2 ** stage;
    const common = { dim, num_heads: num_heads[stage]!, window, dropout, attention_dropout };
    const blocks = Array.from({ length: depth }, (_, i) => {
      const shift = i % 2 === 0 ? 0 : Math.floor(window / 2);
      const p = (stochastic_depth_prob * placed++) / (total - 1);
      return new SwinTransformerBlock(version, { ...common, shift }, p);
    });
    layers.push(new Sequential(blocks));
    if (stage < depths.length - 1) layers.push(new PatchMerging(version, dim));
  }
  return layers;
}

type Size = Omit<SwinTransformerDesign, 'version' | 'patch_size' | 'window_size'>;

const SHALLOW = { depths: [2, 2, 6, 2] };
const DEEP = { depths: [2, 2, 18, 2] };
const NARROW = { embed_dim: 96, num_heads: [3, 6, 12, 24] };
const WIDE = { embed_dim: 128, num_heads: [4, 8, 16, 32] };

const TINY: Size = { ...NARROW, ...SHALLOW, stochastic_depth_prob: 0.2 };
const SMALL: Size = { ...NARROW, ...DEEP, stochastic_depth_prob: 0.3 };
const BASE: Size = { ...WIDE, ...DEEP, stochastic_depth_prob: 0.5 };

const first = { version: 1, patch_size: 4, window_size: 7 } as const;
const second = { version: 2, patch_size: 4, window_size: 8 } as const;

const DESIGNS = {
  swin_t: { ...first, ...TINY },
  swin_s: { ...first, ...SMALL },
  swin_b: { ...first, ...BASE },
  swin_v2_t: { ...second, ...TINY },
  swin_v2_s: { ...second, ...SMALL },
  swin_v2_b: { ...second, ...BASE },
} as const satisfies Record<string, SwinTransformerDesign>;

export const { swin_t, swin_s, swin_b, swin_v2_t, swin_v2_s, swin_v2_b } = modelFamily(
  DESIGNS,
  optionsOf,
  (design: SwinTransformerDesign, given) => new SwinTransformer(design, given),
);
