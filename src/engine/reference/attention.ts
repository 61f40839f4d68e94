/** Scaled dot-product attention and its gradient, one query at a time. */

import type { AttentionAttrs } from '../kernels.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

/** Reads and writes one operand by (batch, head, position, feature). */
type Place = (b: number, h: number, t: number) => number;

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
}

function sizesOf({ sizes }: AttentionAttrs): Sizes {
  check(sizes.length === 5 && sizes.every((size) => size >= 1), `sizes are [${sizes}]`);
  const [batch, heads, queries, keys, features] = sizes as [number, number, number, number, number];
  return { batch, heads, queries, keys, features };
}

/** Where each operand has its rows. `lengths` are their numbers of positions. */
function placesOf(attrs: AttentionAttrs, lengths: readonly number[]): Place[] {
  const { heads, features } = sizesOf(attrs);
  const { views } = attrs;
  check(views.length === 0 || views.length === 4 * lengths.length, `views are [${views}]`);
  return lengths.map((length, i) => {
    const dense = [0, heads * length * features, length * features, features];
    const [offset, batch, head, position] = views.length === 0 ? dense : views.slice(4 * i);
    return (b, h, t) => offset! + b * batch! + h * head! + t * position!;
  });
}

function checkInside(
  attrs: AttentionAttrs,
  places: readonly Place[],
  lengths: readonly number[],
  elements: readonly number[],
): void {
  const { batch, heads, features } = sizesOf(attrs);
  for (const [i, place] of places.entries()) {
    const last = place(batch - 1, heads - 1, lengths[i]! - 1) + features - 1;
    const first = place(0, 0, 0);
    check(first >= 0 && last < elements[i]!, `view ${i} reaches past its operand`);
  }
}

const numelOf = ({ shape }: { shape: readonly number[] }) => shape.reduce((n, size) => n * size, 1);

function dot(a: Float64Array, i: number, b: Float64Array, j: number, count: number): number {
  let sum = 0;
  for (let d = 0; d < count; d++) sum += a[i + d]! * b[j + d]!;
  return sum;
}

/** to[j..] += factor * from[i..] */
function addScaled(
  factor: number,
  from: Float64Array,
  i: number,
  to: Float64Array,
  j: number,
  count: number,
): void {
  for (let d = 0; d < count; d++) to[j + d]! += factor * from[i + d]!;
}

function forEachQuery(
  { batch, heads, queries }: Sizes,
  body: (b: number, h: number, query: number, row: number) => void,
): void {
  for (let row = 0; row < batch * heads * queries; row++) {
    const head = Math.floor(row / queries);
    body(Math.floor(head / heads), head % heads, row % queries, row);
  }
}

const visible = ({ keys }: Sizes, causal: boolean, query: number) =>
  causal ? Math.min(keys, query + 1) : keys;

/** q, k, v -> out, lse */
export function attentionForward(call: KernelCall<'attention_fwd'>): Run {
  const { attrs } = call;
  arity(call, 3, 2);
  checkFloating(call);
  const sizes = sizesOf(attrs);
  const { queries, keys, features } = sizes;
  const lengths = [queries, keys, keys, queries];
  const places = placesOf(attrs, lengths);
  checkInside(attrs, places, lengths, [...call.inputs, call.outputs[0]!].map(numelOf));
  checkShape('lse', call.outputs[1]!.shape, [sizes.batch, sizes.heads, queries]);
  const [atQ, atK, atV, atOut] = places as [Place, Place, Place, Place];
  return ([q, k, v], [out, lse]) => {
    forEachQuery(sizes, (b, h, query, row) => {
      const seen = visible(sizes, attrs.causal, query);
      const scores = Array.from(
        { length: seen },
        (_, key) => attrs.scale * dot(q!, atQ(b, h, query), k!, atK(b, h, key), features),
      );
      const max = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - max), 0);
      lse![row] = max + Math.log(total);
      for (const [key, score] of scores.entries()) {
        const p = Math.exp(score - max) / total;
        addScaled(p, v!, atV(b, h, key), out!, atOut(b, h, query), features);
      }
    });
  };
}

/** g, q, k, v, out, lse -> dq, dk, dv, or all three in one */
export function attentionBackward(call: KernelCall<'attention_bwd'>): Run {
  const { attrs } = call;
  const joined = call.outputs.length === 1;
  arity(call, 6, joined ? 1 : 3);
  checkFloating(call);
  const sizes = sizesOf(attrs);
  const { queries, keys, features } = sizes;
  const lengths = [queries, queries, keys, keys, queries, queries, keys, keys];
  const places = placesOf(attrs, lengths);
  const written = joined ? Array(3).fill(call.outputs[0]!) : call.outputs;
  checkInside(attrs, places, lengths, [...call.inputs.slice(0, 5), ...written].map(numelOf));
  checkShape('lse', call.inputs[5]!.shape, [sizes.batch, sizes.heads, queries]);
  const [atG, atQ, atK, atV, atOut, atDq, atDk, atDv] = places as [
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
  ];
  return (inputs, outputs) => {
    const [g, q, k, v, out, lse] = inputs as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [dq, dk, dv] = joined ? [outputs[0]!, outputs[0]!, outputs[0]!] : outputs;
    forEachQuery(sizes, (b, h, query, row) => {
      const [from, gradient] = [atQ(b, h, query), atG(b, h, query)];
      const delta = dot(g, gradient, out, atOut(b, h, query), features);
      for (let key = 0; key < visible(sizes, attrs.causal, query); key++) {
        const [ofKey, ofValue] = [atK(b, h, key), atV(b, h, key)];
        const p = Math.exp(attrs.scale * dot(q, from, k, ofKey, features) - lse[row]!);
        const ds = attrs.scale * p * (dot(g, gradient, v, ofValue, features) - delta);
        addScaled(p, g, gradient, dv!, atDv(b, h, key), features);
        addScaled(ds, k, ofKey, dq!, atDq(b, h, query), features);
        addScaled(ds, q, from, dk!, atDk(b, h, key), features);
      }
    });
  };
}
