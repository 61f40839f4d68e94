/** Products of matrices, and attention. */

import type { GraphBuilder } from '../builder.ts';
import { isFixed } from '../size.ts';
import type { Call, Translator, Translators } from '../translator.ts';

export interface MatmulAttrs {
  readonly transpose_a: boolean;
  readonly transpose_b: boolean;
}

/** A product of two matrices, with a bias for each column if there is one. */
export function gemm(call: Call<MatmulAttrs>, builder: GraphBuilder, bias?: string): string {
  const { transpose_a, transpose_b } = call.attrs;
  const operands = bias === undefined ? call.inputs : [...call.inputs, bias];
  return builder.emit('Gemm', operands, {
    transA: Number(transpose_a),
    transB: Number(transpose_b),
  });
}

const swapped = (builder: GraphBuilder, x: string, rank: number) => {
  const perm = Array.from({ length: rank }, (_, i) => i);
  return builder.transpose(x, [...perm.slice(0, -2), rank - 1, rank - 2]);
};

const matmul: Translator = (call: Call<MatmulAttrs>, builder) => {
  const { transpose_a, transpose_b } = call.attrs;
  const rank = call.output.shape.length;
  if (rank === 2) return gemm(call, builder);
  const [a, b] = call.inputs as [string, string];
  return builder.emit('MatMul', [
    transpose_a ? swapped(builder, a, rank) : a,
    transpose_b ? swapped(builder, b, rank) : b,
  ]);
};

/** softmax(scale q kᵀ) v of q (B, H, Q, D) and k, v (B, H, K, D). */
const attention: Translator = (call: Call<{ causal: boolean; scale: number }>, builder) => {
  const [q, k, v] = call.inputs as [string, string, string];
  const { dtype } = call.output;
  const { causal, scale } = call.attrs;
  const products = builder.emit('MatMul', [q, builder.transpose(k, [0, 1, 3, 2])]);
  const scores = builder.emit('Mul', [products, builder.scalar(dtype, scale)]);
  const masked = causal
    ? builder.emit('Where', [causalMask(call, builder), scores, builder.scalar(dtype, -Infinity)])
    : scores;
  return builder.emit('MatMul', [builder.emit('Softmax', [masked], { axis: -1 }), v]);
};

/** bool (Q, K): true where query i sees key j: j <= i. */
function causalMask(call: Call, builder: GraphBuilder): string {
  const queries = call.type(0).shape[2]!;
  const keys = call.type(1).shape[2]!;
  if (isFixed(queries) && isFixed(keys)) {
    const sees = Array.from({ length: queries * keys }, (_, at) =>
      Number(at % keys <= Math.floor(at / keys)),
    );
    return builder.numbers('bool', sees, [queries, keys]);
  }
  throw call.refuse('causal attention along the batch');
}

export const products: Translators = { matmul, scaled_dot_product_attention: attention };
