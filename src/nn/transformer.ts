/** The Transformer (Vaswani et al. 2017): stacks of layers, and encoder and decoder together. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Node } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from '../ops/creation.ts';
import { unsqueeze } from '../ops/movement.ts';
import { type Named, named } from '../ops/named.ts';
import { gt, where } from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { xavierUniform_ } from './init.ts';
import { LayerNorm } from './layer-norm.ts';
import { type AnyModule, Module } from './module.ts';
import { build, modules, schemas } from './registry.ts';
import {
  DECODER_ARGUMENTS,
  type Decode,
  layerOptions,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type WithActivation,
} from './transformer-layer.ts';

/** The nodes of masks made here, known to be causal without reading them. */
const causalMasks = new WeakSet<Node>();

/**
 * The mask (size, size) of sequences whose positions see nothing behind them: -Infinity above the
 * diagonal, 0 elsewhere.
 */
export function generateSquareSubsequentMask(size: number): Tensor {
  const places = arange(size);
  const mask = where(gt(places, unsqueeze(places, 1)), full([], -Infinity), full([], 0));
  causalMasks.add(mask.value.node);
  return mask;
}

const isCausal = (mask: Tensor | null, given: boolean | null) =>
  given ?? (mask !== null && causalMasks.has(mask.value.node));

/** A layer that can be repeated: layers of a stack start with the same values. */
interface Layer extends AnyModule {
  clone(): Layer;
}

interface StackOptions {
  readonly num_layers: number;
  readonly norm?: Module | null;
}

function repeated<L extends Layer>(layer: L, count: number): L[] {
  return Array.from({ length: count }, () => layer.clone() as L);
}

const ENCODER_ARGUMENTS = ['src', 'mask', 'src_key_padding_mask', 'is_causal'] as const;
type Encode = (
  src: Tensor,
  mask?: Tensor | null,
  src_key_padding_mask?: Tensor | null,
  is_causal?: boolean | null,
) => Tensor;
type EncodeCall = Named<Encode, typeof ENCODER_ARGUMENTS>;

/**
 * `num_layers` copies of a layer, and `norm` after the last: `forward(src, mask,
 * src_key_padding_mask, is_causal)`. PyTorch's `enable_nested_tensor` and `mask_check` are taken
 * and change nothing.
 * https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Module<Parameters<EncodeCall>> {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: Module | null;

  constructor({
    encoder_layer,
    num_layers,
    norm = null,
  }: StackOptions & {
    readonly encoder_layer: TransformerEncoderLayer;
    readonly enable_nested_tensor?: boolean;
    readonly mask_check?: boolean;
  }) {
    super();
    this.layers = repeated(encoder_layer, num_layers);
    this.norm = norm;
  }

  readonly #encode: EncodeCall = named<Encode, typeof ENCODER_ARGUMENTS>(
    'TransformerEncoder',
    ENCODER_ARGUMENTS,
    (src, mask = null, src_key_padding_mask = null, is_causal = null) => {
      const masks = { src_mask: mask, src_key_padding_mask, is_causal: isCausal(mask, is_causal) };
      const encoded = this.layers.reduce((x, layer) => layer.call(x, masks), src);
      return this.norm === null ? encoded : this.norm.call(encoded);
    },
  );

  override get argumentNames() {
    return ENCODER_ARGUMENTS;
  }

  forward(...inputs: Parameters<EncodeCall>): Tensor {
    return this.#encode(...inputs);
  }
}

type DecodeCall = Named<Decode<boolean | null>, typeof DECODER_ARGUMENTS>;

/**
 * `num_layers` copies of a layer, and `norm` after the last: `forward(tgt, memory, tgt_mask,
 * memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal)`.
 * https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
 */
export class TransformerDecoder extends Module<Parameters<DecodeCall>> {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: Module | null;

  constructor({
    decoder_layer,
    num_layers,
    norm = null,
  }: StackOptions & { readonly decoder_layer: TransformerDecoderLayer }) {
    super();
    this.layers = repeated(decoder_layer, num_layers);
    this.norm = norm;
  }

  readonly #decode: DecodeCall = named<Decode<boolean | null>, typeof DECODER_ARGUMENTS>(
    'TransformerDecoder',
    DECODER_ARGUMENTS,
    (
      tgt,
      memory,
      tgt_mask = null,
      memory_mask = null,
      tgt_key_padding_mask = null,
      memory_key_padding_mask = null,
      tgt_is_causal = null,
      memory_is_causal = false,
    ) => {
      const masks = {
        ...{ tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask },
        tgt_is_causal: isCausal(tgt_mask, tgt_is_causal),
        memory_is_causal,
      };
      const decoded = this.layers.reduce((x, layer) => layer.call(x, memory, masks), tgt);
      return this.norm === null ? decoded : this.norm.call(decoded);
    },
  );

  override get argumentNames() {
    return DECODER_ARGUMENTS;
  }

  forward(...inputs: Parameters<DecodeCall>): Tensor {
    return this.#decode(...inputs);
  }
}

const options = strict({
  d_model: schemas.size.default(512),
  nhead: schemas.size.default(8),
  num_encoder_layers: z.int().min(0).default(6),
  num_decoder_layers: z.int().min(0).default(6),
  ...layerOptions,
});

export type TransformerOptions = WithActivation<z.input<typeof options>> & {
  readonly custom_encoder?: AnyModule | null;
  readonly custom_decoder?: AnyModule | null;
};

const ARGUMENTS = [
  'src',
  'tgt',
  'src_mask',
  'tgt_mask',
  'memory_mask',
  'src_key_padding_mask',
  'tgt_key_padding_mask',
  'memory_key_padding_mask',
  'src_is_causal',
  'tgt_is_causal',
  'memory_is_causal',
] as const;
type Transform = (
  src: Tensor,
  tgt: Tensor,
  src_mask?: Tensor | null,
  tgt_mask?: Tensor | null,
  memory_mask?: Tensor | null,
  src_key_padding_mask?: Tensor | null,
  tgt_key_padding_mask?: Tensor | null,
  memory_key_padding_mask?: Tensor | null,
  src_is_causal?: boolean | null,
  tgt_is_causal?: boolean | null,
  memory_is_causal?: boolean,
) => Tensor;
type Call = Named<Transform, typeof ARGUMENTS>;

/**
 * Encoder and decoder: `forward(src, tgt, ...)`, src (S, N, E) and tgt (T, N, E), batch first if
 * `batch_first`, or without N; then the masks, best by name.
 * https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html
 *
 * @throws ShapeError when src and tgt do not fit together or have not `d_model` features.
 */
export class Transformer extends Module<Parameters<Call>> {
  readonly d_model: number;
  readonly nhead: number;
  readonly batch_first: boolean;
  readonly encoder: AnyModule;
  readonly decoder: AnyModule;

  constructor(given: TransformerOptions = {}) {
    super();
    const { custom_encoder = null, custom_decoder = null, ...rest } = given;
    const { num_encoder_layers = 6, num_decoder_layers = 6, ...others } = rest;
    const layer = { d_model: 512, nhead: 8, ...others };
    this.d_model = layer.d_model;
    this.nhead = layer.nhead;
    this.batch_first = layer.batch_first ?? false;
    const { d_model: normalized_shape, layer_norm_eps: eps = 1e-5, bias = true } = layer;
    const norm = () => new LayerNorm({ normalized_shape, eps, bias });
    this.encoder =
      custom_encoder ??
      new TransformerEncoder({
        encoder_layer: new TransformerEncoderLayer(layer),
        num_layers: num_encoder_layers,
        norm: norm(),
      });
    this.decoder =
      custom_decoder ??
      new TransformerDecoder({
        decoder_layer: new TransformerDecoderLayer(layer),
        num_layers: num_decoder_layers,
        norm: norm(),
      });
    this.resetParameters();
  }

  /** As `nn.generateSquareSubsequentMask`, where PyTorch has it. */
  static readonly generateSquareSubsequentMask = generateSquareSubsequentMask;

  /** Draws new initial values: Xavier's for all matrices. */
  resetParameters(): void {
    for (const parameter of this.parameters()) if (parameter.ndim > 1) xavierUniform_(parameter);
  }

  readonly #transform: Call = named<Transform, typeof ARGUMENTS>(
    'Transformer',
    ARGUMENTS,
    (
      src,
      tgt,
      src_mask = null,
      tgt_mask = null,
      memory_mask = null,
      src_key_padding_mask = null,
      tgt_key_padding_mask = null,
      memory_key_padding_mask = null,
      src_is_causal = null,
      tgt_is_causal = null,
      memory_is_causal = false,
    ) => {
      this.#checkSizes(src, tgt);
      const memory = this.encoder.call(src, {
        mask: src_mask,
        src_key_padding_mask,
        is_causal: src_is_causal,
      });
      return this.decoder.call(tgt, memory, {
        ...{ tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask },
        ...{ tgt_is_causal, memory_is_causal },
      });
    },
  );

  override get argumentNames() {
    return ARGUMENTS;
  }

  forward(...inputs: Parameters<Call>): Tensor {
    return this.#transform(...inputs);
  }

  #checkSizes(src: Tensor, tgt: Tensor): void {
    const batch = this.batch_first ? 0 : 1;
    const isOneBatch = src.ndim !== 3 || src.shape[batch] === tgt.shape[batch];
    const fits = [src, tgt].every((x) => x.shape.at(-1) === this.d_model);
    if (isOneBatch && fits && src.ndim === tgt.ndim) return;
    const shapes = `src ${formatShape(src.shape)}, tgt ${formatShape(tgt.shape)}`;
    const wanted = `one batch, and ${this.d_model} features each`;
    throw opError(ShapeError, 'Transformer', `${shapes} do not fit: they need ${wanted}`);
  }
}

// ---- in configs --------------------------------------------------------------------------------

const stack = {
  num_layers: schemas.size,
  norm: z
    .lazy(() => modules.spec())
    .nullable()
    .default(null),
};
const encoderOptions = strict({
  encoder_layer: z.lazy(() => modules.spec()),
  ...stack,
  enable_nested_tensor: z.boolean().default(true),
  mask_check: z.boolean().default(true),
});
const decoderOptions = strict({ decoder_layer: z.lazy(() => modules.spec()), ...stack });

modules.register('TransformerEncoder', {
  schema: encoderOptions,
  create: ({ encoder_layer, num_layers, norm }: z.output<typeof encoderOptions>, { path = [] }) =>
    new TransformerEncoder({
      encoder_layer: build<TransformerEncoderLayer>(encoder_layer, {
        path: [...path, 'encoder_layer'],
      }),
      num_layers,
      norm: norm && build(norm, { path: [...path, 'norm'] }),
    }),
});
modules.register('TransformerDecoder', {
  schema: decoderOptions,
  create: ({ decoder_layer, num_layers, norm }: z.output<typeof decoderOptions>, { path = [] }) =>
    new TransformerDecoder({
      decoder_layer: build<TransformerDecoderLayer>(decoder_layer, {
        path: [...path, 'decoder_layer'],
      }),
      num_layers,
      norm: norm && build(norm, { path: [...path, 'norm'] }),
    }),
});
modules.register('Transformer', {
  schema: options,
  create: (given: z.output<typeof options>) => new Transformer(given),
});
