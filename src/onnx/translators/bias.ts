/**
 * What one ONNX node computes and torchts computes by an addition behind another op: products and
 * convolutions with a bias, and batch normalisation by running statistics.
 */

import type { GraphBuilder } from '../builder.ts';
import { isFixed, sameSize } from '../size.ts';
import { type TracedNode, type TracedValue, typeOf } from '../trace.ts';
import { Call, onlyUse } from '../translator.ts';
import { convolution } from './convolution.ts';
import { gemm } from './matmul.ts';

/** The node of `a + b`, if there is one for both together. */
export function withBias(call: Call, builder: GraphBuilder): string | undefined {
  const [a, b] = call.node.inputs as [TracedValue, TracedValue];
  return batchNorm(call, builder) ?? product(a, b, builder) ?? convolved(a, b, builder);
}

/** a b + c of matrices. */
function product(a: TracedValue, bias: TracedValue, builder: GraphBuilder): string | undefined {
  const node = onlyUse(a, 'matmul');
  const { shape } = typeOf(bias);
  if (node === undefined || typeOf(a).shape.length !== 2 || shape.length !== 1) return undefined;
  if (!sameSize(shape[0]!, typeOf(a).shape[1]!)) return undefined;
  return gemm(new Call(node, builder), builder, builder.nameOf(bias));
}

/** A convolution and one value for each channel. */
function convolved(a: TracedValue, b: TracedValue, builder: GraphBuilder): string | undefined {
  const node = onlyUse(a, 'conv2d') ?? onlyUse(a, 'conv2d_backward_data');
  const bias = perChannel(b, 4);
  if (node === undefined || bias === undefined) return undefined;
  if (!sameSize(typeOf(bias).shape[0]!, typeOf(a).shape[1]!)) return undefined;
  return convolution(new Call(node, builder), builder, builder.nameOf(bias));
}

/** The vector (C) that is seen as (C, 1, ...) or (1, C, 1, ...) by a value of `rank` dimensions. */
function perChannel(value: TracedValue | undefined, rank: number): TracedValue | undefined {
  if (value === undefined) return undefined;
  const { shape } = typeOf(value);
  const seen = [...new Array<number>(Math.max(rank - shape.length, 0)).fill(1), ...shape];
  const isVector = seen.length === rank && seen.every((size, dim) => dim === 1 || size === 1);
  if (!isVector || value.node.op !== 'reshape') return undefined;
  const [from] = value.node.inputs;
  return from !== undefined && typeOf(from).shape.length === 1 ? from : undefined;
}

/** ((x - mean) * (rsqrt(variance + eps) * weight)) + bias, as `batchNormEval` computes it. */
function batchNorm({ node }: Call, builder: GraphBuilder): string | undefined {
  const [scaled, shift] = node.inputs;
  const rank = node.outputs[0]!.shape.length;
  const product = onlyUse(scaled, 'mul');
  const centred = onlyUse(product?.inputs[0], 'sub');
  const factor = perChannel(product?.inputs[1], rank);
  const mean = perChannel(centred?.inputs[1], rank);
  const bias = perChannel(shift, rank);
  const x = centred?.inputs[0];
  if (factor?.node.op !== 'mul' || mean === undefined || bias === undefined) return undefined;
  const [inverse, weight] = factor.node.inputs as [TracedValue, TracedValue];
  const spread = inverse.node.op === 'rsqrt' ? inverse.node.inputs[0] : undefined;
  const epsilon = constantOf(spread?.node.inputs[1]?.node);
  const variance = spread?.node.op === 'add' ? spread.node.inputs[0] : undefined;
  if (x === undefined || variance === undefined || epsilon === undefined) return undefined;
  const vectors = [weight, bias, mean, variance];
  const channels = typeOf(x).shape[1]!;
  const fits = vectors.every((vector) => {
    const { shape, dtype } = typeOf(vector);
    return shape.length === 1 && sameSize(shape[0]!, channels) && dtype === typeOf(x).dtype;
  });
  if (!fits) return undefined;
  const names = [x, ...vectors].map((value) => builder.nameOf(value));
  return builder.emit('BatchNormalization', names, { epsilon: { float: epsilon } });
}

function constantOf(node: TracedNode | undefined): number | undefined {
  if (node?.op !== 'full' || node.outputs[0]!.shape.length !== 0) return undefined;
  const { value } = node.attrs as { value: number };
  return isFixed(value) ? value : undefined;
}
