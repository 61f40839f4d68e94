/** Attention with several heads as a layer. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { type Named, named } from '../ops/named.ts';
import { type Attended, attendHeads } from './functional/multi-head-attention.ts';
import { xavierNormal_, xavierUniform_, zeros_ } from './init.ts';
import { Linear } from './linear.ts';
import { Module, Parameter } from './module.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  embed_dim: schemas.size,
  num_heads: schemas.size,
  dropout: schemas.probability.default(0),
  bias: z.boolean().default(true),
  add_bias_kv: z.boolean().default(false),
  add_zero_attn: z.boolean().default(false),
  kdim: schemas.size.nullable().default(null),
  vdim: schemas.size.nullable().default(null),
  batch_first: z.boolean().default(false),
});

const ARGUMENTS = [
  'query',
  'key',
  'value',
  'key_padding_mask',
  'need_weights',
  'attn_mask',
  'average_attn_weights',
  'is_causal',
] as const;

type Attend = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  key_padding_mask?: Tensor | null,
  need_weights?: boolean,
  attn_mask?: Tensor | null,
  average_attn_weights?: boolean,
  is_causal?: boolean,
) => Attended;

type Call = Named<Attend, typeof ARGUMENTS>;

/**
 * Attention with several heads (Vaswani et al. 2017). `forward(query, key, value, ...)` takes (T,
 * N, E) and (S, N, E'), with `batch_first` (N, T, E) and (N, S, E'), or no N, and further arguments
 * by name: `key_padding_mask` (N, S), `attn_mask` (T, S) or (N * num_heads, T, S), both true for
 * what is not seen or added to the scores, `need_weights`, `average_attn_weights`, `is_causal`. It
 * gives the output and the weights, or null when they are not needed; then the attention is one
 * fused op.
 * https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 *
 * @throws ArgumentError when `embed_dim` cannot be divided by `num_heads`.
 */
export class MultiheadAttention extends Module<Parameters<Call>, Attended> {
  readonly embed_dim: number;
  readonly num_heads: number;
  readonly dropout: number;
  readonly batch_first: boolean;
  readonly in_proj_weight: Parameter | null = null;
  readonly q_proj_weight: Parameter | null = null;
  readonly k_proj_weight: Parameter | null = null;
  readonly v_proj_weight: Parameter | null = null;
  readonly in_proj_bias: Parameter | null;
  readonly bias_k: Parameter | null;
  readonly bias_v: Parameter | null;
  readonly out_proj: Linear;
  readonly #add_zero_attn: boolean;

  constructor(given: z.input<typeof options>) {
    super();
    const parsed = parseOptions('MultiheadAttention', options, given);
    const { embed_dim, num_heads, bias, add_bias_kv } = parsed;
    if (embed_dim % num_heads !== 0) {
      const message = `embed_dim ${embed_dim} must be divisible by num_heads ${num_heads}`;
      throw opError(ArgumentError, 'MultiheadAttention', message);
    }
    const kdim = parsed.kdim ?? embed_dim;
    const vdim = parsed.vdim ?? embed_dim;
    this.embed_dim = embed_dim;
    this.num_heads = num_heads;
    this.dropout = parsed.dropout;
    this.batch_first = parsed.batch_first;
    this.#add_zero_attn = parsed.add_zero_attn;
    const parameter = (...shape: number[]) => new Parameter(zeros(shape));
    if (kdim === embed_dim && vdim === embed_dim) {
      this.in_proj_weight = parameter(3 * embed_dim, embed_dim);
    } else {
      this.q_proj_weight = parameter(embed_dim, embed_dim);
      this.k_proj_weight = parameter(embed_dim, kdim);
      this.v_proj_weight = parameter(embed_dim, vdim);
    }
    this.in_proj_bias = bias ? parameter(3 * embed_dim) : null;
    this.out_proj = new Linear({ in_features: embed_dim, out_features: embed_dim, bias });
    this.bias_k = add_bias_kv ? parameter(1, 1, embed_dim) : null;
    this.bias_v = add_bias_kv ? parameter(1, 1, embed_dim) : null;
    this.resetParameters();
  }

  /** Draws new initial values: Xavier's for what projects, zero biases. */
  resetParameters(): void {
    const { in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight } = this;
    for (const weight of [in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight]) {
      if (weight !== null) xavierUniform_(weight);
    }
    this.out_proj.resetParameters();
    for (const bias of [this.in_proj_bias, this.out_proj.bias]) if (bias !== null) zeros_(bias);
    for (const row of [this.bias_k, this.bias_v]) {
      if (row !== null) xavierNormal_(row);
    }
  }

  readonly #attend: Call = named<Attend, typeof ARGUMENTS>(
    'MultiheadAttention',
    ARGUMENTS,
    (
      query,
      key,
      value,
      key_padding_mask = null,
      need_weights = true,
      attn_mask = null,
      average_attn_weights = true,
      is_causal = false,
    ) => {
      const { in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias } = this;
      return attendHeads([query, key, value], this.batch_first, {
        ...{ in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias },
        ...{ bias_k: this.bias_k, bias_v: this.bias_v, num_heads: this.num_heads },
        out_proj_weight: this.out_proj.weight,
        out_proj_bias: this.out_proj.bias,
        add_zero_attn: this.#add_zero_attn,
        dropout_p: this.training ? this.dropout : 0,
        ...{ key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal },
      });
    },
  );

  override get argumentNames() {
    return ARGUMENTS;
  }

  forward(...inputs: Parameters<Call>): Attended {
    return this.#attend(...inputs);
  }
}

modules.register('MultiheadAttention', {
  schema: options,
  create: (given: z.output<typeof options>) => new MultiheadAttention(given),
});
