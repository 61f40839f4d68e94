/** One layer of a Transformer's encoder or decoder. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { gelu } from '../ops/gelu.ts';
import { type Named, named } from '../ops/named.ts';
import { add, relu } from '../ops/pointwise.ts';
import { MultiheadAttention } from './attention.ts';
import { Dropout } from './dropout.ts';
import { LayerNorm } from './layer-norm.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';
import { modules, schemas } from './registry.ts';

export const layerOptions = {
  dim_feedforward: schemas.size.default(2048),
  dropout: schemas.probability.default(0.1),
  activation: z.enum(['relu', 'gelu']).default('relu'),
  layer_norm_eps: z.number().min(0).default(1e-5),
  batch_first: z.boolean().default(false),
  norm_first: z.boolean().default(false),
  bias: z.boolean().default(true),
};
const options = strict({ d_model: schemas.size, nhead: schemas.size, ...layerOptions });

/** In code the activation may be any function of a tensor. */
export type WithActivation<Options> = Omit<Options, 'activation'> & {
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
};
export type TransformerLayerOptions = WithActivation<z.input<typeof options>>;

function activationOf(name: TransformerLayerOptions['activation']): (x: Tensor) => Tensor {
  if (typeof name === 'function') return name;
  if (name === undefined || name === 'relu') return relu;
  if (name === 'gelu') return (x) => gelu(x);
  const message = `activation must be relu, gelu or a function, got ${name}`;
  throw opError(ArgumentError, 'TransformerEncoderLayer', message);
}

interface Masks {
  readonly attn_mask: Tensor | null;
  readonly key_padding_mask: Tensor | null;
  readonly is_causal: boolean;
}

/** What both kinds of layers are made of: attention to itself, and a feed-forward part. */
abstract class TransformerLayer<Inputs extends readonly unknown[]> extends Module<Inputs> {
  // Parameters come in the order of the fields, PyTorch's.
  readonly self_attn: MultiheadAttention;
  readonly multihead_attn?: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3?: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly norm_first: boolean;
  protected readonly options: () => TransformerLayerOptions;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(given: TransformerLayerOptions, isDecoder: boolean) {
    super();
    const { d_model, dim_feedforward = 2048, bias = true } = given;
    this.options = () => given;
    this.norm_first = given.norm_first ?? false;
    this.#activation = activationOf(given.activation);
    this.self_attn = this.attention();
    if (isDecoder) this.multihead_attn = this.attention();
    const [d, hidden] = [d_model, dim_feedforward];
    this.linear1 = new Linear({ in_features: d, out_features: hidden, bias });
    this.linear2 = new Linear({ in_features: hidden, out_features: d, bias });
    [this.norm1, this.norm2] = [this.norm(), this.norm()];
    if (isDecoder) this.norm3 = this.norm();
    [this.dropout, this.dropout1, this.dropout2] = [this.drop(), this.drop(), this.drop()];
  }

  /** A layer of the same kind with the same values. */
  abstract clone(): this;

  protected attention(): MultiheadAttention {
    const { d_model, nhead, dropout = 0.1, bias = true, batch_first = false } = this.options();
    return new MultiheadAttention({
      embed_dim: d_model,
      num_heads: nhead,
      ...{ dropout, bias, batch_first },
    });
  }

  protected norm(): LayerNorm {
    const { d_model, layer_norm_eps: eps = 1e-5, bias = true } = this.options();
    return new LayerNorm({ normalized_shape: d_model, eps, bias });
  }

  protected drop(): Dropout {
    return new Dropout({ p: this.options().dropout ?? 0.1 });
  }

  /** The parts one after the other, each with a residual and a norm before or after it. */
  protected chain(x: Tensor, parts: readonly (readonly [LayerNorm, (x: Tensor) => Tensor])[]) {
    return parts.reduce(
      (value, [norm, part]) =>
        this.norm_first ? add(value, part(norm.call(value))) : norm.call(add(value, part(value))),
      x,
    );
  }

  protected attend(attention: MultiheadAttention, x: Tensor, memory: Tensor, masks: Masks): Tensor {
    return attention.call(x, memory, memory, { ...masks, need_weights: false })[0];
  }

  protected feedForward(x: Tensor): Tensor {
    const hidden = this.dropout.call(this.#activation(this.linear1.call(x)));
    return this.linear2.call(hidden);
  }
}

const ENCODER_ARGUMENTS = ['src', 'src_mask', 'src_key_padding_mask', 'is_causal'] as const;
type Encode = (
  src: Tensor,
  src_mask?: Tensor | null,
  src_key_padding_mask?: Tensor | null,
  is_causal?: boolean,
) => Tensor;
type EncodeCall = Named<Encode, typeof ENCODER_ARGUMENTS>;

/**
 * Self-attention and a feed-forward part: `forward(src, src_mask, src_key_padding_mask,
 * is_causal)`, src (S, N, E), (N, S, E) if `batch_first`, or (S, E).
 * https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
 */
export class TransformerEncoderLayer extends TransformerLayer<Parameters<EncodeCall>> {
  constructor(given: TransformerLayerOptions) {
    super(given, false);
  }

  readonly #encode: EncodeCall = named<Encode, typeof ENCODER_ARGUMENTS>(
    'TransformerEncoderLayer',
    ENCODER_ARGUMENTS,
    (src, src_mask = null, src_key_padding_mask = null, is_causal = false) => {
      const masks = { attn_mask: src_mask, key_padding_mask: src_key_padding_mask, is_causal };
      return this.chain(src, [
        [this.norm1, (x) => this.dropout1.call(this.attend(this.self_attn, x, x, masks))],
        [this.norm2, (x) => this.dropout2.call(this.feedForward(x))],
      ]);
    },
  );

  override get argumentNames() {
    return ENCODER_ARGUMENTS;
  }

  forward(...inputs: Parameters<EncodeCall>): Tensor {
    return this.#encode(...inputs);
  }

  override clone(): this {
    return copyValues(this, new TransformerEncoderLayer(this.options()) as this);
  }
}

/** What a decoder's layer and a stack of them take. */
export const DECODER_ARGUMENTS = [
  'tgt',
  'memory',
  'tgt_mask',
  'memory_mask',
  'tgt_key_padding_mask',
  'memory_key_padding_mask',
  'tgt_is_causal',
  'memory_is_causal',
] as const;
/** A stack also takes `tgt_is_causal` null: whether it is shows in the mask. */
export type Decode<Causal = boolean> = (
  tgt: Tensor,
  memory: Tensor,
  tgt_mask?: Tensor | null,
  memory_mask?: Tensor | null,
  tgt_key_padding_mask?: Tensor | null,
  memory_key_padding_mask?: Tensor | null,
  tgt_is_causal?: Causal,
  memory_is_causal?: boolean,
) => Tensor;
type DecodeCall = Named<Decode, typeof DECODER_ARGUMENTS>;

/**
 * Self-attention, attention to the encoder's output and a feed-forward part: `forward(tgt, memory,
 * tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal,
 * memory_is_causal)`.
 * https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
 */
export class TransformerDecoderLayer extends TransformerLayer<Parameters<DecodeCall>> {
  declare readonly multihead_attn: MultiheadAttention;
  declare readonly norm3: LayerNorm;
  readonly dropout3: Dropout;

  constructor(given: TransformerLayerOptions) {
    super(given, true);
    this.dropout3 = this.drop();
  }

  readonly #decode: DecodeCall = named<Decode, typeof DECODER_ARGUMENTS>(
    'TransformerDecoderLayer',
    DECODER_ARGUMENTS,
    (
      tgt,
      memory,
      tgt_mask = null,
      memory_mask = null,
      tgt_key_padding_mask = null,
      memory_key_padding_mask = null,
      tgt_is_causal = false,
      memory_is_causal = false,
    ) => {
      const own = {
        attn_mask: tgt_mask,
        key_padding_mask: tgt_key_padding_mask,
        is_causal: tgt_is_causal,
      };
      const other = {
        attn_mask: memory_mask,
        key_padding_mask: memory_key_padding_mask,
        is_causal: memory_is_causal,
      };
      return this.chain(tgt, [
        [this.norm1, (x) => this.dropout1.call(this.attend(this.self_attn, x, x, own))],
        [this.norm2, (x) => this.dropout2.call(this.attend(this.multihead_attn, x, memory, other))],
        [this.norm3, (x) => this.dropout3.call(this.feedForward(x))],
      ]);
    },
  );

  override get argumentNames() {
    return DECODER_ARGUMENTS;
  }

  forward(...inputs: Parameters<DecodeCall>): Tensor {
    return this.#decode(...inputs);
  }

  override clone(): this {
    return copyValues(this, new TransformerDecoderLayer(this.options()) as this);
  }
}

function copyValues<M extends Module<never>>(from: M, to: M): M {
  to.loadStateDict(from.stateDict());
  return to.train(from.training);
}

modules.register('TransformerEncoderLayer', {
  schema: options,
  create: (given: z.output<typeof options>) => new TransformerEncoderLayer(given),
});
modules.register('TransformerDecoderLayer', {
  schema: options,
  create: (given: z.output<typeof options>) => new TransformerDecoderLayer(given),
});
