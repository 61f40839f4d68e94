/** What a model is before anything is computed: layers, shapes, parameters, operations. */

import type { DType } from '../base/dtype.ts';
import type { Shape } from '../base/shape.ts';
import { type Node, valueType } from '../core/graph.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import type { ValueType } from '../engine/program.ts';
import { collect } from '../plan/graph.ts';
import type { AnyModule, Module } from './module.ts';
import { build } from './registry.ts';

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
  readonly output: ValueType;
}

/**
 * Builds the model a spec stands for with `input_shape` (batch included) and checks every shape.
 * Nothing is computed, no data is read.
 * @throws BuildError with the path of the layer that does not fit.
 */
export function describe(
  spec: unknown,
  input_shape: Shape,
  dtype: DType = 'float32',
): ModelDescription {
  const layers: LayerDescription[] = [];
  const input = new Tensor(placeholder({ dtype, shape: input_shape }, 0));
  let output: Tensor | undefined;
  const model = build(spec, {
    input,
    observe(report) {
      output = report.output;
      layers.push({
        path: report.path,
        type: report.type,
        output_shape: report.output.shape,
        parameters: countParameters(report.module),
        flops: countFlops(report.input, report.output),
      });
    },
  });
  return { model, layers, output: valueType(output!.value) };
}

export function countParameters(module: AnyModule): number {
  return module.parameters().reduce((sum, parameter) => sum + parameter.numel(), 0);
}

/** The operations between `input` and `output`. */
function countFlops(input: Tensor, output: Tensor): number {
  // The walk must not go past the input, nor into how the parameters are initialised.
  const nodes = collect([output.value]) as Node[];
  const reaches = new Set<Node>([input.value.node]);
  let flops = 0;
  for (const node of nodes) {
    if (node === input.value.node || !node.inputs.some(({ node: n }) => reaches.has(n))) continue;
    reaches.add(node);
    const types = node.inputs.map(({ node: n, index }) => n.outputs[index]!);
    flops += node.op.flops?.(types, node.outputs, node.attrs as never) ?? 0;
  }
  return flops;
}
