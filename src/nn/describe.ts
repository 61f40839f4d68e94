/** What a model is before anything is computed: layers, shapes, parameters, operations. */

import type { DType } from '../base/dtype.ts';
import type { Shape } from '../base/shape.ts';
import { type Node, valueType } from '../core/graph.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import type { ValueType } from '../engine/program.ts';
import type { AnyModule, Module } from './module.ts';
import { build } from './registry.ts';
import { holdsTokens } from './token-input.ts';

/** One row of `torchts validate`'s table. */
export interface LayerDescription {
  /** Where the layer stands in the spec: `['layers', 2]`; empty for the whole model. */
  readonly path: readonly (string | number)[];
  readonly type: string;
  readonly output_shape: Shape;
  readonly parameters: number;
  /** Floating-point operations of one forward pass for this input. */
  readonly flops: number;
}

export interface ModelDescription {
  readonly model: Module;
  /** Innermost layers first; the whole model is the last row. */
  readonly layers: readonly LayerDescription[];
  /** The first is the main one. */
  readonly outputs: readonly [ValueType, ...ValueType[]];
}

/**
 * Builds the model a spec stands for with `input_shape` (batch included) and checks every shape.
 * Nothing is computed, no data is read.
 * @param tokens how many kinds of tokens the input holds, where it holds tokens.
 * @throws BuildError with the path of the layer that does not fit.
 */
export function describe(
  spec: unknown,
  input_shape: Shape,
  dtype: DType = 'float32',
  tokens?: number,
): ModelDescription {
  const layers: LayerDescription[] = [];
  const input = new Tensor(placeholder({ dtype, shape: input_shape }, 0));
  if (tokens !== undefined) holdsTokens(input, tokens);
  let outputs: readonly Tensor[] = [];
  const model = build(spec, {
    input,
    observe(report) {
      outputs = report.outputs;
      layers.push({
        path: report.path,
        type: report.type,
        output_shape: report.outputs[0]!.shape,
        parameters: countParameters(report.module),
        flops: countFlops(report.inputs, report.outputs),
      });
    },
  });
  const [first, ...others] = outputs.map(({ value }) => valueType(value));
  return { model, layers, outputs: [first!, ...others] };
}

/** @param trained counts only those that require a gradient. */
export function countParameters(module: AnyModule, { trained = false } = {}): number {
  const counted = module.parameters().filter(({ requires_grad }) => requires_grad || !trained);
  return counted.reduce((sum, parameter) => sum + parameter.numel(), 0);
}

/** The operations between `inputs` and `outputs`. */
function countFlops(inputs: readonly Tensor[], outputs: readonly Tensor[]): number {
  const starts = new Set(inputs.map(({ value }) => value.node));
  const reaches = new Set(starts);
  let flops = 0;
  for (const node of nodesBehind(outputs, starts)) {
    // How the parameters are initialised is no part of it.
    if (!node.inputs.some(({ node: n }) => reaches.has(n))) continue;
    reaches.add(node);
    const types = node.inputs.map(({ node: n, index }) => n.outputs[index]!);
    flops += node.op.flops?.(types, node.outputs, node.attrs as never) ?? 0;
  }
  return flops;
}

/** The nodes that `outputs` are computed from, going back to `starts` and no further; in order. */
function nodesBehind(outputs: readonly Tensor[], starts: ReadonlySet<Node>): Node[] {
  const seen = new Set<Node>();
  const pending = outputs.map(({ value }) => value.node);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node) || starts.has(node)) continue;
    seen.add(node);
    pending.push(...node.inputs.map((input) => input.node));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
