/**
 * Vision transformers with torchvision's names and state_dict keys.
 * Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929;
 * https://pytorch.org/vision/stable/models/vision_transformer.html
 */

import type { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { Tanh } from '../nn/activation.ts';
import { MultiheadAttention } from '../nn/attention.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { normal_, truncNormal_, zeros_ } from '../nn/init.ts';
import { LayerNorm } from '../nn/layer-norm.ts';
import { Linear } from '../nn/linear.ts';
import { Module, Parameter } from '../nn/module.ts';
import { schemas } from '../nn/registry.ts';
import { zeros } from '../ops/creation.ts';
import { cat } from '../ops/joining.ts';
import { feedForward } from './feed-forward.ts';
import { acceptOldKeys, modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  image_size: schemas.size
    .default(224)
    .describe('Height and width of the images, a multiple of the patch size.'),
  dropout: schemas.probability
    .default(0)
    .describe('Behind the position embedding, attention and linear layers of the encoder.'),
  attention_dropout: schemas.probability.default(0).describe('Of the weights of attention.'),
  representation_size: schemas.size
    .nullable()
    .default(null)
    .describe('The width of a hidden layer of the head, which has none by default.'),
});

export type VisionTransformerOptions = z.input<typeof options>;
type Options = z.output<typeof options>;

export interface VisionTransformerDesign {
  /** Height and width of the pieces that an image is cut into. */
  readonly patch_size: number;
  readonly num_layers: number;
  readonly num_heads: number;
  /** Numbers for each patch. */
  readonly hidden_dim: number;
  readonly mlp_dim: number;
}

const norm = (normalized_shape: number) => new LayerNorm({ normalized_shape, eps: 1e-6 });

/** (N, L, hidden_dim) -> the same. */
class EncoderBlock extends Module {
  readonly ln_1: LayerNorm;
  readonly self_attention: MultiheadAttention;
  readonly dropout: Dropout;
  readonly ln_2: LayerNorm;
  readonly mlp: Sequential;

  constructor(design: VisionTransformerDesign, { dropout: p, attention_dropout }: Options) {
    super();
    const { hidden_dim, num_heads, mlp_dim } = design;
    this.ln_1 = norm(hidden_dim);
    this.self_attention = new MultiheadAttention({
      ...{ embed_dim: hidden_dim, num_heads, dropout: attention_dropout, batch_first: true },
    });
    this.dropout = new Dropout({ p });
    this.ln_2 = norm(hidden_dim);
    this.mlp = feedForward(hidden_dim, mlp_dim, p);
  }

  forward(input: Tensor): Tensor {
    const x = this.ln_1.call(input);
    const [attended] = this.self_attention.call(x, x, x, { need_weights: false });
    const middle = this.dropout.call(attended).add(input);
    return middle.add(this.mlp.call(this.ln_2.call(middle)));
  }
}

class Encoder extends Module {
  readonly pos_embedding: Parameter;
  readonly dropout: Dropout;
  readonly layers: Sequential;
  readonly ln: LayerNorm;

  constructor(seq_length: number, design: VisionTransformerDesign, options: Options) {
    super();
    const { hidden_dim, num_layers } = design;
    this.pos_embedding = new Parameter(zeros([1, seq_length, hidden_dim]));
    normal_(this.pos_embedding, { std: 0.02 });
    this.dropout = new Dropout({ p: options.dropout });
    const blocks = Array.from({ length: num_layers }, (_, i): [string, Module] => [
      `encoder_layer_${i}`,
      new EncoderBlock(design, options),
    ]);
    this.layers = new Sequential(new Map(blocks));
    this.ln = norm(hidden_dim);
  }

  forward(input: Tensor): Tensor {
    const placed = this.dropout.call(input.add(this.pos_embedding));
    return this.ln.call(this.layers.call(placed));
  }
}

/** (N, 3, image_size, image_size) -> logits (N, num_classes). */
export class VisionTransformer extends Module {
  readonly image_size: number;
  readonly patch_size: number;
  readonly class_token: Parameter;
  readonly conv_proj: Conv2d;
  readonly encoder: Encoder;
  readonly heads: Sequential;

  /** @throws ArgumentError unless `image_size` is a multiple of the patch size. */
  constructor(design: VisionTransformerDesign, given: VisionTransformerOptions = {}) {
    super();
    const parsed = parseOptions('VisionTransformer', options, given);
    const { image_size } = parsed;
    const { patch_size, hidden_dim } = design;
    if (image_size % patch_size !== 0) {
      const message = `image_size ${image_size} must be a multiple of the patch size ${patch_size}`;
      throw opError(ArgumentError, 'VisionTransformer', message);
    }
    this.image_size = image_size;
    this.patch_size = patch_size;
    this.class_token = new Parameter(zeros([1, 1, hidden_dim]));
    const window = { kernel_size: patch_size, stride: patch_size };
    this.conv_proj = new Conv2d({ in_channels: 3, out_channels: hidden_dim, ...window });
    initialized(this.conv_proj, 3 * patch_size ** 2);
    this.encoder = new Encoder((image_size / patch_size) ** 2 + 1, design, parsed);
    this.heads = headOf(hidden_dim, parsed);
    acceptOldKeys(this, (key) =>
      key.replace(/\.mlp\.linear_([12])\./, (_, layer) => `.mlp.${3 * (Number(layer) - 1)}.`),
    );
  }

  /** (N, 3, H, W) -> (N, L, hidden_dim): what a linear layer makes of every patch. */
  #patches(x: Tensor): Tensor {
    const { image_size: side } = this;
    if (x.ndim !== 4 || x.shape[2] !== side || x.shape[3] !== side) {
      const message = `needs images (N, 3, ${side}, ${side}), got ${formatShape(x.shape)}`;
      throw opError(ShapeError, 'VisionTransformer', `${message}; image_size says their size`);
    }
    return this.conv_proj.call(x).flatten(2).permute([0, 2, 1]);
  }

  forward(x: Tensor): Tensor {
    const patches = this.#patches(x);
    const token = this.class_token.expand([x.shape[0]!, -1, -1]);
    const encoded = this.encoder.call(cat([token, patches], 1));
    return this.heads.call(encoded.select(1, 0));
  }
}

function initialized<Layer extends Conv2d | Linear>(layer: Layer, fan_in: number): Layer {
  truncNormal_(layer.weight, { std: Math.sqrt(1 / fan_in) });
  zeros_(layer.bias!);
  return layer;
}

function headOf(width: number, { representation_size, num_classes }: Options): Sequential {
  const layers = new Map<string, Module>();
  if (representation_size !== null) {
    const hidden = new Linear({ in_features: width, out_features: representation_size });
    layers.set('pre_logits', initialized(hidden, width)).set('act', new Tanh());
  }
  const in_features = representation_size ?? width;
  const head = new Linear({ in_features, out_features: num_classes });
  zeros_(head.weight);
  zeros_(head.bias!);
  return new Sequential(layers.set('head', head));
}

const BASE = { num_layers: 12, num_heads: 12, hidden_dim: 768, mlp_dim: 3072 };
const LARGE = { num_layers: 24, num_heads: 16, hidden_dim: 1024, mlp_dim: 4096 };
const HUGE = { num_layers: 32, num_heads: 16, hidden_dim: 1280, mlp_dim: 5120 };

export const { vit_b_16, vit_b_32, vit_l_16, vit_l_32, vit_h_14 } = modelFamily(
  {
    vit_b_16: { patch_size: 16, ...BASE },
    vit_b_32: { patch_size: 32, ...BASE },
    vit_l_16: { patch_size: 16, ...LARGE },
    vit_l_32: { patch_size: 32, ...LARGE },
    vit_h_14: { patch_size: 14, ...HUGE },
  },
  () => options,
  (design, given) => new VisionTransformer(design, given),
);
