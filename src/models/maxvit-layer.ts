/** A layer of MaxViT: a convolution, attention within windows, attention across a grid. */

import type { Tensor } from '../core/tensor.ts';
import { GELU, SiLU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { truncNormal_ } from '../nn/init.ts';
import { LayerNorm } from '../nn/layer-norm.ts';
import { Linear } from '../nn/linear.ts';
import { Buffer, Module, Parameter } from '../nn/module.ts';
import { AvgPool2d } from '../nn/pooling.ts';
import { Identity } from '../nn/shape.ts';
import { Conv2dNormActivation, SqueezeExcitation, StochasticDepth } from '../nn/vision-blocks.ts';
import { zeros } from '../ops/creation.ts';
import { matmul } from '../ops/matmul.ts';
import { softmax } from '../ops/softmax.ts';
import { displacements, relativePositionIndex, spreadTable } from './relative-position.ts';

export interface MaxVitLayerOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly head_dim: number;
  readonly partition_size: number;
  readonly mlp_dropout: number;
  readonly attention_dropout: number;
  /** The chance that a sample skips each of the parts. */
  readonly p: number;
  readonly norm_layer: (num_features: number) => Module;
}

/** Widens, filters each channel on its own, weighs the channels, narrows; added to the input. */
class MBConv extends Module {
  readonly proj: Module;
  readonly stochastic_depth: Module;
  readonly layers: Sequential;

  constructor({ inputs, outputs, stride, p, norm_layer }: MaxVitLayerOptions) {
    super();
    this.proj = projection(inputs, outputs, stride);
    this.stochastic_depth = p === 0 ? new Identity() : new StochasticDepth({ p, mode: 'row' });
    const wide = 4 * outputs;
    const activation_layer = () => new GELU();
    const layer = (in_channels: number, kernel_size: number, window = {}) =>
      new Conv2dNormActivation({
        ...{ in_channels, out_channels: wide, kernel_size, norm_layer, activation_layer },
        ...window,
      });
    const squeeze = { input_channels: wide, squeeze_channels: Math.floor(outputs / 4) };
    this.layers = new Sequential(
      new Map<string, Module>([
        ['pre_norm', norm_layer(inputs)],
        ['conv_a', layer(inputs, 1)],
        ['conv_b', layer(wide, 3, { stride, groups: wide })],
        ['squeeze_excitation', new SqueezeExcitation({ ...squeeze, activation: () => new SiLU() })],
        ['conv_c', new Conv2d({ in_channels: wide, out_channels: outputs, kernel_size: 1 })],
      ]),
    );
  }

  forward(x: Tensor): Tensor {
    const change = this.stochastic_depth.call(this.layers.call(x));
    return this.proj.call(x).add(change);
  }
}

/** What brings the input to the shape of the output. */
function projection(in_channels: number, out_channels: number, stride: number): Module {
  if (stride === 1 && in_channels === out_channels) return new Identity();
  const conv = new Conv2d({ in_channels, out_channels, kernel_size: 1 });
  const pool = new AvgPool2d({ kernel_size: 3, stride, padding: 1 });
  return new Sequential(stride === 1 ? [conv] : [pool, conv]);
}

/** (N, groups, L, dim) -> the same: the L places of a group, a square window, see each other. */
class RelativePositionalMultiHeadAttention extends Module {
  readonly to_qkv: Linear;
  readonly merge: Linear;
  readonly relative_position_bias_table: Parameter;
  readonly relative_position_index: Buffer;
  readonly #heads: number;

  constructor(dim: number, head_dim: number, window: number) {
    super();
    this.#heads = Math.floor(dim / head_dim);
    this.to_qkv = new Linear({ in_features: dim, out_features: 3 * dim });
    this.merge = new Linear({ in_features: dim, out_features: dim });
    const table = new Parameter(zeros([displacements(window), this.#heads]));
    this.relative_position_bias_table = table;
    truncNormal_(table, { std: 0.02 });
    this.relative_position_index = new Buffer(relativePositionIndex(window));
  }

  forward(x: Tensor): Tensor {
    const [batch, groups, length, dim] = x.shape as [number, number, number, number];
    const sizes = [batch, groups, length, 3, this.#heads, dim / this.#heads];
    const split = this.to_qkv.call(x).reshape(sizes).permute([3, 0, 1, 4, 2, 5]);
    const [q, k, v] = split.unbind(0) as [Tensor, Tensor, Tensor];
    const bias = spreadTable(this.relative_position_bias_table, this.relative_position_index);
    // As in torchvision, by the features of all heads together.
    const scores = matmul(q, k.mul(dim ** -0.5).transpose(-2, -1)).add(bias);
    const attended = matmul(softmax(scores, -1), v);
    return this.merge.call(attended.permute([0, 1, 3, 2, 4]).reshape(x.shape));
  }
}

/** (N, C, H, W) -> the same: attention and a feed-forward part within groups of places. */
class PartitionAttentionLayer extends Module {
  readonly attn_layer: Sequential;
  readonly mlp_layer: Sequential;
  readonly stochastic_dropout: StochasticDepth;
  readonly #options: MaxVitLayerOptions;

  /** @param kind groups of neighbours, or of places that lie as far apart as the grid is wide. */
  constructor(
    readonly kind: 'window' | 'grid',
    options: MaxVitLayerOptions,
  ) {
    super();
    const { outputs: dim, head_dim, partition_size, attention_dropout, mlp_dropout } = options;
    this.#options = options;
    this.attn_layer = new Sequential([
      new LayerNorm({ normalized_shape: dim }),
      new RelativePositionalMultiHeadAttention(dim, head_dim, partition_size),
      new Dropout({ p: attention_dropout }),
    ]);
    this.mlp_layer = new Sequential([
      new LayerNorm({ normalized_shape: dim }),
      new Linear({ in_features: dim, out_features: 4 * dim }),
      new GELU(),
      new Linear({ in_features: 4 * dim, out_features: dim }),
      new Dropout({ p: mlp_dropout }),
    ]);
    this.stochastic_dropout = new StochasticDepth({ p: options.p, mode: 'row' });
  }

  forward(x: Tensor): Tensor {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    const size = this.#options.partition_size;
    const [rows, columns] = [height / size, width / size];
    // Neighbours: (rows, size, columns, size); far apart: (size, rows, size, columns).
    const isGrid = this.kind === 'grid';
    const planes = isGrid ? [size, rows, size, columns] : [rows, size, columns, size];
    const [order, back] = isGrid ? [GRID, GRID_BACK] : [WINDOW, WINDOW_BACK];
    let groups = x
      .reshape([batch, channels, ...planes])
      .permute(order)
      .reshape([batch, rows * columns, size * size, channels]);
    groups = groups.add(this.stochastic_dropout.call(this.attn_layer.call(groups)));
    groups = groups.add(this.stochastic_dropout.call(this.mlp_layer.call(groups)));
    return groups
      .reshape([batch, rows, columns, size, size, channels])
      .permute(back)
      .reshape(x.shape);
  }
}

/** To (N, rows, columns, size, size, C), and back. */
const WINDOW = [0, 2, 4, 3, 5, 1];
const WINDOW_BACK = [0, 5, 1, 3, 2, 4];
const GRID = [0, 3, 5, 2, 4, 1];
const GRID_BACK = [0, 5, 3, 1, 4, 2];

/** (N, inputs, H, W) -> (N, outputs, H', W'), both multiples of `partition_size`. */
export class MaxVitLayer extends Module {
  readonly layers: Sequential;

  constructor(options: MaxVitLayerOptions) {
    super();
    this.layers = new Sequential(
      new Map<string, Module>([
        ['MBconv', new MBConv(options)],
        ['window_attention', new PartitionAttentionLayer('window', options)],
        ['grid_attention', new PartitionAttentionLayer('grid', options)],
      ]),
    );
  }

  forward(x: Tensor): Tensor {
    return this.layers.call(x);
  }
}
