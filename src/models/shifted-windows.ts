/**
 * Attention within windows of an image that every second block shifts, for Swin transformers.
 * Liu et al. 2021, https://arxiv.org/abs/2103.14030; version 2: https://arxiv.org/abs/2111.09883
 */

import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { normalize } from '../nn/functional/distance.ts';
import { dropout } from '../nn/functional/dropout.ts';
import { truncNormal_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Buffer, Module, Parameter } from '../nn/module.ts';
import { full, zeros } from '../ops/creation.ts';
import { tensor } from '../ops/host-data.ts';
import { cat } from '../ops/joining.ts';
import { linear, matmul } from '../ops/matmul.ts';
import { pad } from '../ops/padding.ts';
import { ge, ne, where } from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { roll } from '../ops/repetition.ts';
import { softmax } from '../ops/softmax.ts';
import { displacements, relativePositionIndex, spreadTable } from './relative-position.ts';

export interface WindowOptions {
  /** Numbers for each place. */
  readonly dim: number;
  readonly num_heads: number;
  /** Height and width of a window. */
  readonly window: number;
  /** How far the windows are moved down and to the right. */
  readonly shift: number;
  readonly attention_dropout: number;
  readonly dropout: number;
}

/** (N, H, W, dim) -> the same: every place sees those of its window. */
abstract class WindowAttention extends Module {
  abstract readonly qkv: Linear;
  abstract readonly proj: Linear;

  constructor(protected readonly options: WindowOptions) {
    super();
  }

  /** (heads, L, L): what is added to the scores of a window of L places. */
  protected abstract bias(): Tensor;

  /** q, k (B, heads, L, D) -> scores (B, heads, L, L). */
  protected abstract scores(q: Tensor, k: Tensor): Tensor;

  /** (B, L, dim) -> q, k and v (B, L, 3 dim). */
  protected projected(x: Tensor): Tensor {
    return this.qkv.call(x);
  }

  forward(input: Tensor): Tensor {
    const [, height, width] = input.shape as [number, number, number, number];
    const { window, shift } = this.options;
    const missing = (size: number) => (window - (size % window)) % window;
    const padded = pad(input, [0, 0, 0, missing(width), 0, missing(height)]);
    const [rows, columns] = padded.shape.slice(1, 3) as [number, number];
    // A window that covers the whole image has nowhere to go.
    const shifts = [rows, columns].map((size) => (window >= size ? 0 : shift));
    const moved = roll(padded, { shifts: shifts.map((by) => -by), dims: [1, 2] });
    const windows = intoWindows(moved, window);
    const attended = this.#attend(windows, regionMask([rows, columns], shifts, window));
    const whole = outOfWindows(attended, padded.shape, window);
    const back = roll(whole, { shifts, dims: [1, 2] });
    return back.narrow(1, 0, height).narrow(2, 0, width);
  }

  /** x (B, L, dim), of which the mask (windows, L, L) repeats along B. */
  #attend(x: Tensor, mask: Tensor | null): Tensor {
    const { dim, num_heads: heads, attention_dropout, dropout: p } = this.options;
    const [batch, length] = x.shape as [number, number, number];
    const split = this.projected(x).reshape([batch, length, 3, heads, dim / heads]);
    const [q, k, v] = split.permute([2, 0, 3, 1, 4]).unbind(0) as [Tensor, Tensor, Tensor];
    let scores = this.scores(q, k).add(this.bias());
    if (mask !== null) {
      const apart = scores.reshape([-1, mask.shape[0]!, heads, length, length]);
      scores = apart.add(mask.unsqueeze(1)).reshape(scores.shape);
    }
    const { training } = this;
    const weights = dropout(softmax(scores, -1), { p: attention_dropout, training });
    const joined = matmul(weights, v).transpose(1, 2).reshape([batch, length, dim]);
    return dropout(this.proj.call(joined), { p, training });
  }
}

/** (N, H, W, C) -> (N * windows, window * window, C). */
function intoWindows(x: Tensor, window: number): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  return x
    .reshape([batch, height / window, window, width / window, window, channels])
    .permute([0, 1, 3, 2, 4, 5])
    .reshape([-1, window * window, channels]);
}

/** Back to `shape`. */
function outOfWindows(x: Tensor, shape: readonly number[], window: number): Tensor {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  return x
    .reshape([batch, height / window, width / window, window, window, channels])
    .permute([0, 1, 3, 2, 4, 5])
    .reshape(shape);
}

/**
 * (windows, L, L): -100 between places of a window that the shift brought together from opposite
 * edges; null where nothing is shifted.
 */
function regionMask(sizes: readonly number[], shifts: readonly number[], window: number) {
  if (shifts.every((shift) => shift === 0)) return null;
  const [rows, columns] = sizes.map((size, i) => {
    const place = arange(size);
    const isLast = ge(place, size - window).int();
    return isLast.add(ge(place, size - shifts[i]!).int());
  }) as [Tensor, Tensor];
  const regions = rows.mul(3).unsqueeze(1).add(columns).unsqueeze(0).unsqueeze(3);
  const places = intoWindows(regions, window).squeeze(2);
  return where(ne(places.unsqueeze(1), places.unsqueeze(2)), full([], -100), full([], 0));
}

const qkvOf = (dim: number) => new Linear({ in_features: dim, out_features: 3 * dim });
const projOf = (dim: number) => new Linear({ in_features: dim, out_features: dim });

/** Scaled dot products, and a learned number for each displacement. */
export class ShiftedWindowAttention extends WindowAttention {
  readonly relative_position_bias_table: Parameter;
  readonly relative_position_index: Buffer;
  readonly qkv: Linear;
  readonly proj: Linear;

  constructor(options: WindowOptions) {
    super(options);
    const { dim, num_heads, window } = options;
    const table = new Parameter(zeros([displacements(window), num_heads]));
    this.relative_position_bias_table = table;
    truncNormal_(table, { std: 0.02 });
    this.relative_position_index = new Buffer(relativePositionIndex(window).flatten());
    this.qkv = qkvOf(dim);
    this.proj = projOf(dim);
  }

  protected bias(): Tensor {
    return spreadTable(this.relative_position_bias_table, this.relative_position_index);
  }

  protected scores(q: Tensor, k: Tensor): Tensor {
    const { dim, num_heads } = this.options;
    return matmul(q.mul((dim / num_heads) ** -0.5), k.transpose(-2, -1));
  }
}

/** (1, 2 window - 1, 2 window - 1, 2): displacements on a logarithmic scale, in [-1, 1]. */
function relativeCoords(window: number): Tensor {
  const side = 2 * window - 1;
  const scaled = (displacement: number) => {
    const share = (8 * displacement) / (window - 1);
    return (Math.sign(share) * Math.log2(Math.abs(share) + 1)) / 3;
  };
  const values = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const place = Math.floor(i / 2);
    const step = i % 2 === 0 ? Math.floor(place / side) : place % side;
    return scaled(step - window + 1);
  });
  return tensor(values, { shape: [1, side, side, 2] });
}

/** Cosines with a learned scale, and a small network that gives a number to each displacement. */
export class ShiftedWindowAttentionV2 extends WindowAttention {
  readonly logit_scale: Parameter;
  readonly relative_coords_table: Buffer;
  readonly relative_position_index: Buffer;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly cpb_mlp: Sequential;

  constructor(options: WindowOptions) {
    super(options);
    const { dim, num_heads, window } = options;
    this.logit_scale = new Parameter(full([num_heads, 1, 1], Math.log(10)));
    this.relative_coords_table = new Buffer(relativeCoords(window));
    this.relative_position_index = new Buffer(relativePositionIndex(window).flatten());
    this.qkv = qkvOf(dim);
    this.proj = projOf(dim);
    this.cpb_mlp = new Sequential([
      new Linear({ in_features: 2, out_features: 512 }),
      new ReLU(),
      new Linear({ in_features: 512, out_features: num_heads, bias: false }),
    ]);
  }

  protected bias(): Tensor {
    const { num_heads } = this.options;
    const table = this.cpb_mlp.call(this.relative_coords_table).reshape([-1, num_heads]);
    return spreadTable(table, this.relative_position_index).sigmoid().mul(16);
  }

  protected scores(q: Tensor, k: Tensor): Tensor {
    const [unit, other] = [q, k].map((x) => normalize(x, { dim: -1 })) as [Tensor, Tensor];
    const scale = this.logit_scale.clamp({ max: Math.log(100) }).exp();
    return matmul(unit, other.transpose(-2, -1)).mul(scale);
  }

  /** Keys have no bias. */
  protected override projected(x: Tensor): Tensor {
    const { dim } = this.options;
    const bias = this.qkv.bias!;
    const none = zeros([dim], { dtype: bias.dtype });
    const parts = [bias.narrow(0, 0, dim), none, bias.narrow(0, 2 * dim, dim)];
    return linear(x, this.qkv.weight, cat(parts, 0));
  }
}
