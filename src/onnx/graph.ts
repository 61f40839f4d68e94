/** The ONNX graph of a traced module. */

import { withScope } from '../base/errors.ts';
import type { OnnxGraph, OnnxNode, OnnxValueInfo } from '../io/onnx/model.ts';
import { GraphBuilder, prepare } from './builder.ts';
import { isFixed, type Size } from './size.ts';
import { type SizedType, type TracedModule, type TracedNode, typeOf } from './trace.ts';
import { Call, refused } from './translator.ts';
import { reasonAgainst, translatorOf } from './translators/table.ts';

export interface GraphNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export async function makeGraph(
  { nodes, inputs, outputs }: TracedModule,
  names: GraphNames,
  { batch, opset_version }: { readonly batch: Size; readonly opset_version: number },
): Promise<Omit<OnnxGraph, 'name'>> {
  const isComputed = nodes.map(computedAhead);
  await prepare(nodes.filter((_, i) => isComputed[i]));
  const taken = [...names.inputs, ...names.outputs, ...nodes.flatMap((node) => keyOf(node) ?? [])];
  const builder = new GraphBuilder(opset_version, names.inputs, taken);
  for (const node of nodes) withScope(node.scope, () => translate(node, builder));
  const results = outputs.map((value) => builder.nameOf(value));
  const node = named(needed(builder.nodes, results), results, names.outputs);
  const read = new Set(node.flatMap(({ input }) => input));
  return {
    node,
    initializer: builder.initializers.filter(({ name }) => read.has(name)),
    input: inputs.map(({ dtype, shape }, i) =>
      valueInfo(names.inputs[i]!, { dtype, shape: [batch, ...shape] }),
    ),
    output: outputs.map((value, i) => valueInfo(names.outputs[i]!, typeOf(value))),
  };
}

const keyOf = ({ leaf }: TracedNode): string | undefined =>
  typeof leaf === 'object' && 'key' in leaf ? leaf.key : undefined;

/** Is it stored in the file, as a weight or a constant? */
function computedAhead(node: TracedNode): boolean {
  if (node.origin === 'input') return false;
  if (node.leaf !== undefined) return true;
  // Constants only where something reads them that is not one itself.
  return node.origin === 'constant' ? node.isRead : translatorOf(node.op) === undefined;
}

function translate(node: TracedNode, builder: GraphBuilder): void {
  // Constants are stored when something reads them.
  if (node.origin !== 'constant') builder.define(node, translation(node, builder));
}

/** The names of the outputs of `node`. */
function translation(node: TracedNode, builder: GraphBuilder): readonly string[] {
  const { leaf, op, origin, outputs } = node;
  const key = keyOf(node);
  if (key !== undefined) return [builder.weight(key, { node, index: 0 })];
  if (typeof leaf === 'object' && 'input' in leaf) return [builder.inputs[leaf.input]!];
  const translator = translatorOf(op);
  if (translator === undefined) {
    if (origin === 'input') throw refused(op, reasonAgainst(op));
    return outputs.map((_, index) => builder.stored({ node, index }));
  }
  const names = translator(new Call(node, builder), builder);
  return typeof names === 'string' ? [names] : names;
}

/** Without nodes whose results nobody reads: what became part of another node. */
function needed(nodes: readonly OnnxNode[], results: readonly string[]): OnnxNode[] {
  const wanted = new Set(results);
  const kept: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.output.some((name) => wanted.has(name))) continue;
    for (const name of node.input) wanted.add(name);
    kept.push(node);
  }
  return kept.reverse();
}

/** `nodes` with their results under the names of the model's outputs. */
function named(
  nodes: readonly OnnxNode[],
  results: readonly string[],
  outputs: readonly string[],
): OnnxNode[] {
  const made = new Set(nodes.flatMap(({ output }) => output));
  const names = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [i, output] of outputs.entries()) {
    const result = results[i]!;
    // An input or a weight keeps its name, and a result that is given twice has one.
    if (made.has(result) && !names.has(result)) names.set(result, output);
    else copies.push(identity(names.get(result) ?? result, output));
  }
  const renamed = (list: readonly string[]) => list.map((name) => names.get(name) ?? name);
  const kept = nodes.map((node) => ({
    ...node,
    input: renamed(node.input),
    output: renamed(node.output),
  }));
  return [...kept, ...copies];
}

function identity(input: string, output: string): OnnxNode {
  return {
    name: `/${output}`,
    op_type: 'Identity',
    input: [input],
    output: [output],
    attribute: {},
  };
}

function valueInfo(name: string, { dtype, shape }: SizedType): OnnxValueInfo {
  return { name, dtype, shape: shape.map((size) => (isFixed(size) ? size : String(size))) };
}
