/** attention_fwd and attention_bwd: dense and placed by views, causal and not, at odd sizes. */

import type { DType } from '../../../src/base/dtype.ts';
import { between, input, type KernelCase, kernelCase, type } from './case.ts';

/** lse as it comes of these scores: above them, so that no weight exceeds 1. */
const ABOVE = between(5, 7);

type Sizes = [batch: number, heads: number, queries: number, keys: number, features: number];

function dense(dtype: DType, sizes: Sizes, causal: boolean): KernelCase[] {
  const [batch, heads, queries, keys, features] = sizes;
  const name = `[${sizes}] ${dtype}${causal ? ', causal' : ''}`;
  const attrs = { sizes, causal, scale: 0.8 / Math.sqrt(features), views: [] };
  const q = [batch, heads, queries, features];
  const k = [batch, heads, keys, features];
  const x = (shape: number[]) => input(dtype, shape);
  const lse = input(dtype, [batch, heads, queries], ABOVE);
  return [
    kernelCase(
      'attention_fwd',
      name,
      attrs,
      [x(q), x(k), x(k)],
      [type(dtype, ...q), type(dtype, batch, heads, queries)],
    ),
    kernelCase(
      'attention_bwd',
      name,
      attrs,
      [x(q), x(q), x(k), x(k), x(q), lse],
      [type(dtype, ...q), type(dtype, ...k), type(dtype, ...k)],
    ),
  ];
}

/** q, k and v as thirds of (B, T, 3, H, D), out as (B, T, H, D); the gradients likewise. */
function packed(dtype: DType, [batch, heads, length, , features]: Sizes): KernelCase[] {
  const width = heads * features;
  const sizes = [batch, heads, length, length, features];
  const third = (i: number) => [i * width, 3 * length * width, features, 3 * width];
  const thirds = [0, 1, 2].flatMap(third);
  const whole = [0, length * width, features, width];
  const attrs = { sizes, causal: true, scale: 0.8 / Math.sqrt(features) };
  const qkv = input(dtype, [batch, length, 3 * width]);
  const out = [batch, length, width];
  const lse = [batch, heads, length];
  return [
    kernelCase(
      'attention_fwd',
      `[${sizes}] ${dtype}, packed`,
      { ...attrs, views: [...thirds, ...whole] },
      [qkv, qkv, qkv],
      [type(dtype, ...out), type(dtype, ...lse)],
    ),
    kernelCase(
      'attention_bwd',
      `[${sizes}] ${dtype}, packed`,
      { ...attrs, views: [...whole, ...thirds, ...whole, ...thirds] },
      [input(dtype, out), qkv, qkv, qkv, input(dtype, out), input(dtype, lse, ABOVE)],
      [type(dtype, batch, length, 3 * width)],
    ),
  ];
}

export const ATTENTION_CASES: readonly KernelCase[] = [
  ...[false, true].flatMap((causal) => [
    ...dense('float32', [2, 3, 37, 37, 20], causal),
    ...dense('float32', [1, 2, 70, 300, 32], causal),
    ...dense('float32', [1, 1, 300, 150, 7], causal),
    ...dense('float32', [1, 1, 1, 1, 1], causal),
    ...dense('float64', [2, 1, 9, 40, 33], causal),
    ...dense('bfloat16', [1, 2, 17, 17, 16], causal),
  ]),
  ...dense('float32', [1, 1, 5, 6, 256], false),
  ...packed('float32', [2, 3, 45, 45, 16]),
  ...packed('float64', [1, 2, 10, 10, 3]),
];

const row = (...shape: number[]) => input('float32', shape);

/** Calls that would reach past an operand. */
export const MALFORMED_ATTENTION: readonly KernelCase[] = [
  kernelCase(
    'attention_fwd',
    'more keys than there are',
    { sizes: [1, 1, 4, 5, 8], causal: false, scale: 1, views: [] },
    [row(1, 1, 4, 8), row(1, 1, 4, 8), row(1, 1, 4, 8)],
    [type('float32', 1, 1, 4, 8), type('float32', 1, 1, 4)],
  ),
  kernelCase(
    'attention_fwd',
    'a view past the end',
    {
      sizes: [1, 1, 4, 4, 8],
      causal: false,
      scale: 1,
      views: [...[1, 32, 32, 8], ...[0, 32, 32, 8], ...[0, 32, 32, 8], ...[0, 32, 32, 8]],
    },
    [row(1, 1, 4, 8), row(1, 1, 4, 8), row(1, 1, 4, 8)],
    [type('float32', 1, 1, 4, 8), type('float32', 1, 1, 4)],
  ),
];
