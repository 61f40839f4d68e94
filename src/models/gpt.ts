/**
 * GPT-2 (Radford et al. 2019) as nanoGPT writes it, with its state_dict keys.
 * https://github.com/karpathy/nanoGPT/blob/master/model.py
 */

import { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  Dropout,
  Embedding,
  functional,
  GELU,
  init,
  LayerNorm,
  Linear,
  Module,
  modules,
} from '../nn/index.ts';
import { arange } from '../ops/ranges.ts';

const size = z.int().min(1);
const options = strict({
  vocab_size: size.default(50304).describe('How many tokens there are.'),
  block_size: size.default(1024).describe('The longest sequence.'),
  n_layer: size.default(12).describe('Blocks of attention and feed-forward layers.'),
  n_head: size.default(12).describe('Heads of attention.'),
  n_embd: size.default(768).describe('The width: numbers for each token.'),
  dropout: z.number().min(0).max(1).default(0).describe('How likely a number is dropped.'),
  bias: z
    .boolean()
    .default(true)
    .describe('Biases in the linear layers and layer norms, as in GPT-2.'),
  tie_weights: z
    .boolean()
    .default(true)
    .describe('One matrix for the token embedding and the output layer, as in GPT-2.'),
});

export type GPTOptions = z.input<typeof options>;
type Config = z.output<typeof options>;

class CausalSelfAttention extends Module {
  readonly c_attn: Linear;
  readonly c_proj: Linear;
  readonly resid_dropout: Dropout;

  constructor(readonly config: Config) {
    super();
    const { n_embd, bias } = config;
    this.c_attn = new Linear({ in_features: n_embd, out_features: 3 * n_embd, bias });
    this.c_proj = new Linear({ in_features: n_embd, out_features: n_embd, bias });
    this.resid_dropout = new Dropout({ p: config.dropout });
  }

  /** x (B, T, C) -> (B, T, C); every position sees itself and those before it. */
  forward(x: Tensor): Tensor {
    const { n_embd, n_head, dropout } = this.config;
    const [batch, length] = x.shape as [number, number];
    const heads = (t: Tensor) =>
      t.reshape([batch, length, n_head, n_embd / n_head]).transpose(1, 2);
    const [q, k, v] = this.c_attn.call(x).split(n_embd, 2).map(heads) as [Tensor, Tensor, Tensor];
    const y = functional.scaledDotProductAttention(q, k, v, {
      dropout_p: this.training ? dropout : 0,
      is_causal: true,
    });
    const joined = y.transpose(1, 2).reshape([batch, length, n_embd]);
    return this.resid_dropout.call(this.c_proj.call(joined));
  }
}

class MLP extends Module {
  readonly c_fc: Linear;
  readonly gelu = new GELU();
  readonly c_proj: Linear;
  readonly dropout: Dropout;

  constructor({ n_embd, bias, dropout }: Config) {
    super();
    this.c_fc = new Linear({ in_features: n_embd, out_features: 4 * n_embd, bias });
    this.c_proj = new Linear({ in_features: 4 * n_embd, out_features: n_embd, bias });
    this.dropout = new Dropout({ p: dropout });
  }

  forward(x: Tensor): Tensor {
    return this.dropout.call(this.c_proj.call(this.gelu.call(this.c_fc.call(x))));
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: CausalSelfAttention;
  readonly ln_2: LayerNorm;
  readonly mlp: MLP;

  constructor(config: Config) {
    super();
    const { n_embd, bias } = config;
    this.ln_1 = new LayerNorm({ normalized_shape: n_embd, bias });
    this.attn = new CausalSelfAttention(config);
    this.ln_2 = new LayerNorm({ normalized_shape: n_embd, bias });
    this.mlp = new MLP(config);
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attn.call(this.ln_1.call(x)));
    return attended.add(this.mlp.call(this.ln_2.call(attended)));
  }
}

/** Everything but the output layer. */
class Transformer extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly drop: Dropout;
  readonly h: readonly Block[];
  readonly ln_f: LayerNorm;

  constructor(config: Config) {
    super();
    const { vocab_size, block_size, n_embd, n_layer, bias } = config;
    this.wte = new Embedding({ num_embeddings: vocab_size, embedding_dim: n_embd });
    this.wpe = new Embedding({ num_embeddings: block_size, embedding_dim: n_embd });
    this.drop = new Dropout({ p: config.dropout });
    this.h = Array.from({ length: n_layer }, () => new Block(config));
    this.ln_f = new LayerNorm({ normalized_shape: n_embd, bias });
  }

  forward(tokens: Tensor): Tensor {
    const positions = this.wpe.call(arange(tokens.shape[1]!));
    const embedded = this.drop.call(this.wte.call(tokens).add(positions));
    return this.ln_f.call(this.h.reduce((x: Tensor, block) => block.call(x), embedded));
  }
}

/**
 * Tokens (B, T), whole numbers below `vocab_size` -> logits (B, T, vocab_size) of the next token.
 * Without options it is GPT-2 small.
 */
export class GPT extends Module {
  readonly #config: Config;
  readonly transformer: Transformer;
  readonly lm_head: Linear;

  constructor(given: GPTOptions = {}) {
    super();
    const config = parseOptions('GPT', options, given);
    if (config.n_embd % config.n_head !== 0) {
      const message = `n_embd ${config.n_embd} is no multiple of n_head ${config.n_head}`;
      throw opError(ArgumentError, 'GPT', message);
    }
    this.#config = config;
    this.transformer = new Transformer(config);
    const { n_embd, vocab_size } = config;
    this.lm_head = new Linear({ in_features: n_embd, out_features: vocab_size, bias: false });
    if (config.tie_weights) Object.assign(this.transformer.wte, { weight: this.lm_head.weight });
    this.resetParameters();
  }

  /** GPT-2's initial values: those that add to the residual stream shrink with its depth. */
  resetParameters(): void {
    const std = 0.02;
    for (const [name, module] of this.namedModules()) {
      if (module instanceof LayerNorm) module.resetParameters();
      if (!(module instanceof Linear || module instanceof Embedding)) continue;
      const depth = name.endsWith('c_proj') ? Math.sqrt(2 * this.#config.n_layer) : 1;
      init.normal_(module.weight, 0, std / depth);
      if (module instanceof Linear && module.bias !== null) init.zeros_(module.bias);
    }
  }

  forward(tokens: Tensor): Tensor {
    const { block_size } = this.#config;
    if (tokens.ndim !== 2 || tokens.shape[1]! > block_size) {
      const message = `tokens ${formatShape(tokens.shape)} must be (batch, at most ${block_size})`;
      throw opError(ShapeError, 'GPT', message);
    }
    return this.lm_head.call(this.transformer.call(tokens));
  }
}

modules.register('GPT', {
  schema: options,
  summary: "GPT-2's transformer with nanoGPT's names: tokens to logits over the next one.",
  create: (given: Config) => new GPT(given),
});
