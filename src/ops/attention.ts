/** Scaled dot-product attention (Vaswani et al. 2017): a fused op. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { broadcastShapes, formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AttentionAttrs } from '../engine/kernels.ts';
import { dropElements } from './dropout.ts';
import { defineFused } from './fused.ts';
import { matmul } from './matmul.ts';
import { matrixOperand } from './mixed.ts';
import { expand, reshape, transpose, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, eq, le, mul, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { amax } from './reduction.ts';
import { softmax } from './softmax.ts';

interface CausalAttrs {
  readonly causal: boolean;
  readonly scale: number;
}

/** Of q (B, H, Q, D) and k, v (B, H, K, D). */
const ATTENTION = defineFused<CausalAttrs>({
  name: 'scaled_dot_product_attention',
  kind: 'matmul',
  infer([q]) {
    return [q!, { dtype: q!.dtype, shape: q!.shape.slice(0, -1) }];
  },
  composite: ([q, k, v], { causal, scale }) => [
    weigh(q!, k!, v!, { scale, mask: causal ? causalMask(q!, k!) : undefined }),
  ],
  forward: ({ inputs: [q, k], attrs }) => ({
    kernel: 'attention_fwd',
    attrs: kernelAttrs(q!.shape, k!.shape, attrs),
  }),
  backward: ({ inputs: [, q, k], attrs }) => ({
    kernel: 'attention_bwd',
    attrs: kernelAttrs(q!.shape, k!.shape, attrs),
  }),
  flops: ([q, k]) => 4 * numel(q!.shape) * k!.shape[2]!,
});

function kernelAttrs(q: Shape, k: Shape, { causal, scale }: CausalAttrs): AttentionAttrs {
  const [batch, heads, queries, features] = q as [number, number, number, number];
  return { sizes: [batch, heads, queries, k[2]!, features], causal, scale, views: [] };
}

/** True where query i sees key j: j <= i. */
function causalMask(q: Tensor, k: Tensor): Tensor {
  return le(arange(k.shape.at(-2)!), unsqueeze(arange(q.shape.at(-2)!), 1));
}

interface Weighing {
  readonly scale: number;
  /** bool: true where a query sees a key; floating: added to the scores. */
  readonly mask?: Tensor;
  readonly dropout_p?: number;
}

/** softmax(scale q kᵀ + mask) v by ordinary ops. A query that sees nothing gives zeros. */
function weigh(q: Tensor, k: Tensor, v: Tensor, { scale, mask, dropout_p = 0 }: Weighing): Tensor {
  const scores = mul(matmul(q, transpose(k, -2, -1)), scale);
  return matmul(dropped(probabilities(scores, mask), dropout_p), v);
}

function probabilities(scores: Tensor, mask: Tensor | undefined): Tensor {
  if (mask === undefined) return softmax(scores, -1);
  const masked = mask.dtype === 'bool' ? where(mask, scores, -Infinity) : add(scores, mask);
  if (masked.shape.at(-1) === 0) return softmax(masked, -1);
  const blind = eq(amax(masked.detach(), -1, true), -Infinity);
  return where(blind, 0, softmax(where(blind, 0, masked), -1));
}

function dropped(weights: Tensor, p: number): Tensor {
  if (p === 0) return weights;
  return p === 1 ? mul(weights, 0) : dropElements(weights, p);
}

/**
 * softmax(scale q kᵀ + mask) v: q (..., H, Q, D), k (..., H, K, D), v (..., H, K, E) ->
 * (..., H, Q, E). Without a mask and dropout the weights are never all in memory.
 *
 * @param attn_mask bool: true where a query sees a key; floating: added to the scores. Broadcasts.
 * @param dropout_p the chance that a weight is dropped; give 0 outside training.
 * @param is_causal query i sees keys 0..i.
 * @param scale by default 1 / sqrt(the number of features).
 * @param enable_gqa k and v may have fewer heads, each for several neighbouring heads of q.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 *
 * @throws ShapeError when the sizes do not fit, ArgumentError for both a mask and `is_causal`.
 */
export const scaledDotProductAttention = named(
  'scaled_dot_product_attention',
  ['query', 'key', 'value', 'attn_mask', 'dropout_p', 'is_causal', 'scale', 'enable_gqa'],
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | null = null,
    dropout_p = 0,
    is_causal = false,
    scale: number | null = null,
    enable_gqa = false,
  ): Tensor => {
    const [q, k, v] = [query, key, value].map(matrixOperand) as [Tensor, Tensor, Tensor];
    checkOptions(q, attn_mask, dropout_p, is_causal);
    const [keys, values] = enable_gqa ? [k, v].map((x) => repeatHeads(q, x)) : [k, v];
    checkSizes(q, keys!, values!);
    const factor = scale ?? 1 / Math.sqrt(q.shape.at(-1)!);
    if (attn_mask === null && dropout_p === 0 && isDense(q, keys!, values!)) {
      const operands = [q, keys!, values!].map(withHeads);
      return reshape(ATTENTION(operands, { causal: is_causal, scale: factor })[0]!, q.shape);
    }
    const mask = attn_mask ?? (is_causal ? causalMask(q, keys!) : undefined);
    return weigh(q, keys!, values!, { scale: factor, mask, dropout_p });
  },
);

/** Can the kernel take them? Equal leading dimensions and features, nothing empty. */
function isDense(q: Tensor, k: Tensor, v: Tensor): boolean {
  const leading = q.shape.slice(0, -2);
  const fits = [k, v].every((x) => sameShape(x.shape.slice(0, -2), leading));
  return fits && sameShape(k.shape, v.shape) && numel(q.shape) > 0 && numel(k.shape) > 0;
}

/** (..., H, T, D) as four dimensions. */
function withHeads(x: Tensor): Tensor {
  if (x.ndim === 4) return x;
  const [heads = 1] = x.shape.slice(0, -2).slice(-1);
  return reshape(x, [numel(x.shape.slice(0, -3)), heads, ...x.shape.slice(-2)]);
}

/** Every head as often as it takes to have as many as `q`. */
function repeatHeads(q: Tensor, x: Tensor): Tensor {
  const [heads, own] = [q.shape.at(-3) ?? 1, x.shape.at(-3) ?? 1];
  if (own === 0 || heads % own !== 0) {
    const message = `${heads} heads of q are no multiple of ${own} heads`;
    throw opError(ShapeError, 'scaled_dot_product_attention', message);
  }
  if (heads === own) return x;
  const lead = x.shape.slice(0, -3);
  const last = x.shape.slice(-2);
  const repeated = expand(unsqueeze(x, -3), [...lead, own, heads / own, ...last]);
  return reshape(repeated, [...lead, heads, ...last]);
}

function checkOptions(
  q: Tensor,
  attn_mask: Tensor | null,
  dropout_p: number,
  is_causal: boolean,
): void {
  const name = 'scaled_dot_product_attention';
  if (!isFloating(q.dtype)) {
    throw opError(DTypeError, name, `needs floating point tensors, got ${q.dtype}`);
  }
  if (attn_mask !== null && is_causal) {
    throw opError(ArgumentError, name, 'takes attn_mask or is_causal, not both');
  }
  if (attn_mask !== null && attn_mask.dtype !== 'bool' && !isFloating(attn_mask.dtype)) {
    throw opError(DTypeError, name, `attn_mask must be bool or floating, got ${attn_mask.dtype}`);
  }
  if (!(dropout_p >= 0 && dropout_p <= 1)) {
    throw opError(ArgumentError, name, `dropout_p must be between 0 and 1, got ${dropout_p}`);
  }
}

function checkSizes(q: Tensor, k: Tensor, v: Tensor): void {
  const name = 'scaled_dot_product_attention';
  const fits =
    [q, k, v].every((x) => x.ndim >= 2 && x.dtype === q.dtype) &&
    q.shape.at(-1) === k.shape.at(-1) &&
    k.shape.at(-2) === v.shape.at(-2);
  if (!fits) {
    const shapes = [q, k, v].map((x) => `${x.dtype} ${formatShape(x.shape)}`);
    throw opError(
      ShapeError,
      name,
      `q ${shapes[0]}, k ${shapes[1]}, v ${shapes[2]} do not fit: one dtype, q and k with equal ` +
        'features, k and v with equal lengths',
    );
  }
  broadcastShapes(name, ...[q, k, v].map((x) => x.shape.slice(0, -2)));
}
