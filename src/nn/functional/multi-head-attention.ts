/** Attention with several heads: projections, heads, attention, the output's projection. */

import { isFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, type Shape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { scaledDotProductAttention } from '../../ops/attention.ts';
import { full, zeros } from '../../ops/creation.ts';
import { cat } from '../../ops/joining.ts';
import { linear, matmul } from '../../ops/matmul.ts';
import { expand, permute, reshape, squeeze, transpose, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, mul, where } from '../../ops/pointwise.ts';
import { mean } from '../../ops/reduction.ts';
import { narrow } from '../../ops/slicing.ts';
import { softmax } from '../../ops/softmax.ts';
import { dropout } from './dropout.ts';

const OP = 'multi_head_attention_forward';

/**
 * Weights and biases of the three projections; the packed ones hold those of q, k and v in turn.
 */
export interface Projections {
  readonly in_proj_weight: Tensor | null;
  readonly in_proj_bias: Tensor | null;
  readonly q_proj_weight?: Tensor | null;
  readonly k_proj_weight?: Tensor | null;
  readonly v_proj_weight?: Tensor | null;
  readonly bias_k: Tensor | null;
  readonly bias_v: Tensor | null;
  readonly out_proj_weight: Tensor;
  readonly out_proj_bias: Tensor | null;
}

export interface HeadsOptions extends Projections {
  readonly num_heads: number;
  readonly add_zero_attn: boolean;
  /** The chance that a weight is dropped; 0 outside training. */
  readonly dropout_p: number;
  /** (N, S): of positions that nobody sees; bool, true for those, or floating, added. */
  readonly key_padding_mask: Tensor | null;
  /**
   * (T, S) or (N * heads, T, S): bool, true where a query does not see a key, or floating, added.
   */
  readonly attn_mask: Tensor | null;
  readonly need_weights: boolean;
  readonly average_attn_weights: boolean;
  readonly is_causal: boolean;
  readonly static_k?: Tensor | null;
  readonly static_v?: Tensor | null;
}

/** What attention gives: the output, and the weights where they are asked for. */
export type Attended = [output: Tensor, weights: Tensor | null];

/**
 * Attention with `num_heads` heads of query (T, N, E) to key and value (S, N, E'): the output
 * (T, N, E) and, with `need_weights`, the weights (N, T, S), or (N, heads, T, S) unless they are
 * averaged. Without a batch there is no N. Prefer `nn.MultiheadAttention`, which holds the weights.
 *
 * @param key_padding_mask (N, S), true (or added -Infinity) for what nobody sees.
 * @param attn_mask (T, S) or (N * num_heads, T, S), true (or added -Infinity) where a query does
 *   not see a key. With `is_causal` it must be the causal one, which is then not looked at.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 *
 * @throws ShapeError when the sizes do not fit, ArgumentError for arguments that exclude each
 *   other.
 */
export const multiHeadAttentionForward = named(
  OP,
  [
    'query',
    'key',
    'value',
    'embed_dim_to_check',
    'num_heads',
    'in_proj_weight',
    'in_proj_bias',
    'bias_k',
    'bias_v',
    'add_zero_attn',
    'dropout_p',
    'out_proj_weight',
    'out_proj_bias',
    'training',
    'key_padding_mask',
    'need_weights',
    'attn_mask',
    'use_separate_proj_weight',
    'q_proj_weight',
    'k_proj_weight',
    'v_proj_weight',
    'static_k',
    'static_v',
    'average_attn_weights',
    'is_causal',
  ],
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: number,
    num_heads: number,
    in_proj_weight: Tensor | null,
    in_proj_bias: Tensor | null,
    bias_k: Tensor | null,
    bias_v: Tensor | null,
    add_zero_attn: boolean,
    dropout_p: number,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | null,
    training = true,
    key_padding_mask: Tensor | null = null,
    need_weights = true,
    attn_mask: Tensor | null = null,
    use_separate_proj_weight = false,
    q_proj_weight: Tensor | null = null,
    k_proj_weight: Tensor | null = null,
    v_proj_weight: Tensor | null = null,
    static_k: Tensor | null = null,
    static_v: Tensor | null = null,
    average_attn_weights = true,
    is_causal = false,
  ): Attended => {
    if (query.ndim > 0 && query.shape.at(-1) !== embed_dim_to_check) {
      const message = `query has ${query.shape.at(-1)} features, needs ${embed_dim_to_check}`;
      throw opError(ShapeError, OP, message);
    }
    const separate = use_separate_proj_weight
      ? { q_proj_weight, k_proj_weight, v_proj_weight, in_proj_weight: null }
      : { in_proj_weight };
    const biases = { in_proj_bias, bias_k, bias_v, out_proj_weight, out_proj_bias };
    return attendHeads([query, key, value], false, {
      ...separate,
      ...biases,
      ...{ num_heads, add_zero_attn, dropout_p: training ? dropout_p : 0, key_padding_mask },
      ...{ attn_mask, need_weights, average_attn_weights, is_causal, static_k, static_v },
    });
  },
);

/** The same; with `batch_first` the inputs are (N, T, E), and so is the output. */
export function attendHeads(
  inputs: readonly [query: Tensor, key: Tensor, value: Tensor],
  batch_first: boolean,
  options: HeadsOptions,
): Attended {
  checkRanks(inputs, options);
  const isBatch = inputs[0].ndim === 3;
  // One tensor that stands for several stays one, so that it is projected once.
  const seen = new Map<Tensor, Tensor>();
  const [query, key, value] = inputs.map((x) => {
    const batched = !isBatch ? unsqueeze(x, 0) : batch_first ? x : transpose(x, 0, 1);
    const known = seen.get(x) ?? batched;
    seen.set(x, known);
    return known;
  }) as [Tensor, Tensor, Tensor];
  checkSizes(query, key, value, options);
  const padding = options.key_padding_mask;
  const masks = { key_padding_mask: isBatch ? padding : padding && unsqueeze(padding, 0) };
  const [output, weights] = attendBatch(query, key, value, { ...options, ...masks });
  if (!isBatch) return [squeeze(output, 0), weights && squeeze(weights, 0)];
  return [batch_first ? output : transpose(output, 0, 1), weights];
}

/** query (N, T, E), key and value (N, S, E'). */
function attendBatch(query: Tensor, key: Tensor, value: Tensor, options: HeadsOptions): Attended {
  const { num_heads, out_proj_weight, out_proj_bias, is_causal, attn_mask } = options;
  if (is_causal && attn_mask === null) {
    throw opError(ArgumentError, OP, 'is_causal needs attn_mask, the causal one');
  }
  const [batch, length, features] = query.shape as [number, number, number];
  const [q, keys, values] = project(query, key, value, options) as [Tensor, Tensor, Tensor];
  const heads = (x: Tensor) =>
    permute(reshape(x, [batch, x.shape[1]!, num_heads, features / num_heads]), [0, 2, 1, 3]);
  const k = withZeros(fixedHeads(options.static_k, batch, num_heads) ?? heads(keys), options);
  const v = withZeros(fixedHeads(options.static_v, batch, num_heads) ?? heads(values), options);
  const [attended, weights] = attend(heads(q), k, v, options);
  const joined = reshape(permute(attended, [0, 2, 1, 3]), [batch, length, features]);
  return [linear(joined, out_proj_weight, out_proj_bias), weights];
}

/** The heads: q (N, H, T, D), k and v (N, H, S, D). */
function attend(q: Tensor, k: Tensor, v: Tensor, options: HeadsOptions): Attended {
  const { need_weights, key_padding_mask, dropout_p, is_causal } = options;
  if (!need_weights && is_causal && key_padding_mask === null) {
    return [scaledDotProductAttention(q, k, v, { dropout_p, is_causal }), null];
  }
  const attn_mask = mergedMask(q, k, options);
  if (!need_weights) return [scaledDotProductAttention(q, k, v, { attn_mask, dropout_p }), null];
  const scores = matmul(mul(q, 1 / Math.sqrt(q.shape[3]!)), transpose(k, -2, -1));
  const weights = softmax(attn_mask === null ? scores : add(scores, attn_mask), -1);
  const kept = dropout(weights, dropout_p);
  return [matmul(kept, v), options.average_attn_weights ? mean(kept, 1) : kept];
}

// ---- projections -------------------------------------------------------------------------------

/** q (N, T, E), k and v (N, S, E), with the rows `bias_k` and `bias_v` behind them. */
function project(query: Tensor, key: Tensor, value: Tensor, options: HeadsOptions): Tensor[] {
  const { in_proj_weight: packed, in_proj_bias: bias, bias_k, bias_v } = options;
  const features = query.shape[2]!;
  const part = (x: Tensor, i: number) => narrow(x, 0, i * features, features);
  const biasOf = (i: number) => bias && part(bias, i);
  let projected: Tensor[];
  if (packed !== null && query === key && key === value) {
    const all = linear(query, packed, bias);
    projected = [0, 1, 2].map((i) => narrow(all, 2, i * features, features));
  } else {
    const { q_proj_weight, k_proj_weight, v_proj_weight } = options;
    const weights = packed
      ? [0, 1, 2].map((i) => part(packed, i))
      : [q_proj_weight, k_proj_weight, v_proj_weight];
    projected = [query, key, value].map((x, i) =>
      linear(x, checkedWeight(weights[i], x), biasOf(i)),
    );
  }
  if ((bias_k === null) !== (bias_v === null)) {
    throw opError(ArgumentError, OP, 'needs both of bias_k and bias_v, or neither');
  }
  if (bias_k === null || bias_v === null) return projected;
  if (options.static_k || options.static_v) {
    throw opError(ArgumentError, OP, 'bias_k and bias_v exclude static_k and static_v');
  }
  const [q, k, v] = projected as [Tensor, Tensor, Tensor];
  const behind = (x: Tensor, row: Tensor) => {
    const rows = expand(reshape(row, [1, 1, features]), [x.shape[0]!, 1, features]);
    return cat([x, rows], 1);
  };
  return [q, behind(k, bias_k), behind(v, bias_v)];
}

function checkedWeight(weight: Tensor | null | undefined, x: Tensor): Tensor {
  if (weight == null) {
    throw opError(ArgumentError, OP, 'needs in_proj_weight, or the weights of q, k and v');
  }
  if (weight.ndim === 2 && weight.shape[1] === x.shape[2]) return weight;
  const sizes = `${formatShape(weight.shape)} does not fit input ${formatShape(x.shape)}`;
  throw opError(ShapeError, OP, `a projection ${sizes}`);
}

/** (N * H, S, D) as (N, H, S, D). */
function fixedHeads(x: Tensor | null | undefined, batch: number, heads: number) {
  if (x == null) return undefined;
  if (x.ndim !== 3 || x.shape[0] !== batch * heads) {
    const message = `static_k and static_v must be (${batch * heads}, S, D)`;
    throw opError(ShapeError, OP, `${message}, got ${formatShape(x.shape)}`);
  }
  return reshape(x, [batch, heads, ...x.shape.slice(1)]);
}

function withZeros(x: Tensor, { add_zero_attn }: HeadsOptions): Tensor {
  if (!add_zero_attn) return x;
  const [batch, heads, , features] = x.shape as [number, number, number, number];
  return cat([x, zeros([batch, heads, 1, features], { dtype: x.dtype })], 2);
}

// ---- masks -------------------------------------------------------------------------------------

/**
 * Both masks as one that is added to the scores (N, H, T, S); positions added to the keys are seen.
 */
function mergedMask(q: Tensor, k: Tensor, options: HeadsOptions): Tensor | null {
  const [batch, heads, length] = q.shape as [number, number, number, number];
  const { attn_mask, key_padding_mask } = options;
  const keys = k.shape[2]!;
  const whole = (mask: Tensor, name: string) => seenBehind(additive(mask, q, name), keys);
  const parts: Tensor[] = [];
  if (attn_mask !== null) {
    const mask = whole(attn_mask, 'attn_mask');
    parts.push(mask.ndim === 2 ? mask : reshape(mask, [batch, heads, length, keys]));
  }
  if (key_padding_mask !== null) {
    parts.push(reshape(whole(key_padding_mask, 'key_padding_mask'), [batch, 1, 1, keys]));
  }
  return parts.length === 0 ? null : parts.reduce((a, b) => add(a, b));
}

function additive(mask: Tensor, q: Tensor, name: string): Tensor {
  if (isFloating(mask.dtype)) return mask;
  if (mask.dtype === 'bool') {
    return where(mask, full([], -Infinity, { dtype: q.dtype }), full([], 0, { dtype: q.dtype }));
  }
  throw opError(DTypeError, OP, `${name} must be bool or floating, got ${mask.dtype}`);
}

function seenBehind(mask: Tensor, keys: number): Tensor {
  const missing = keys - mask.shape.at(-1)!;
  if (missing === 0) return mask;
  return cat([mask, zeros([...mask.shape.slice(0, -1), missing], { dtype: mask.dtype })], -1);
}

// ---- checks ------------------------------------------------------------------------------------

function checkRanks(inputs: readonly Tensor[], options: HeadsOptions): void {
  const rank = inputs[0]!.ndim;
  const { key_padding_mask: padding, attn_mask: mask } = options;
  if ((rank !== 2 && rank !== 3) || inputs.some((x) => x.ndim !== rank)) {
    const shapes = inputs.map((x) => formatShape(x.shape)).join(', ');
    throw opError(ShapeError, OP, `query, key and value must all be 2-D or 3-D, got ${shapes}`);
  }
  if (padding !== null && padding.ndim !== rank - 1) {
    const message = `key_padding_mask must be ${rank - 1}-D, got ${formatShape(padding.shape)}`;
    throw opError(ShapeError, OP, message);
  }
  if (mask !== null && mask.ndim !== 2 && mask.ndim !== 3) {
    throw opError(ShapeError, OP, `attn_mask must be 2-D or 3-D, got ${formatShape(mask.shape)}`);
  }
}

/** Of query (N, T, E), key and value (N, S, E'). */
function checkSizes(query: Tensor, key: Tensor, value: Tensor, options: HeadsOptions): void {
  const { num_heads, in_proj_weight, attn_mask: mask, key_padding_mask: padding } = options;
  const [batch, length, features] = query.shape as [number, number, number];
  const size = key.shape[1]!;
  const compared = (shape: Shape) => (in_proj_weight === null ? shape.slice(0, 2) : shape);
  if (!sameShape(compared(key.shape), compared(value.shape)) || key.shape[0] !== batch) {
    const shapes = [query, key, value].map((x) => formatShape(x.shape));
    const message = `key ${shapes[1]} and value ${shapes[2]} do not fit query ${shapes[0]}`;
    throw opError(ShapeError, OP, `${message}, batch first`);
  }
  if (features % num_heads !== 0) {
    throw opError(ShapeError, OP, `${features} features cannot be divided by ${num_heads} heads`);
  }
  const wanted = mask?.ndim === 3 ? [batch * num_heads, length, size] : [length, size];
  if (mask !== null && !sameShape(mask.shape, wanted)) {
    const message = `attn_mask must be ${formatShape(wanted)}, got ${formatShape(mask.shape)}`;
    throw opError(ShapeError, OP, message);
  }
  const rows = padding?.ndim === 1 ? [size] : [batch, size];
  if (padding !== null && !sameShape(padding.shape, rows)) {
    const message = `key_padding_mask must be ${formatShape(rows)}, got`;
    throw opError(ShapeError, OP, `${message} ${formatShape(padding.shape)}`);
  }
}
