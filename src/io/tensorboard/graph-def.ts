/**
 * A model as TensorBoard's Graphs tab draws it: the nodes of its forward pass, in boxes by the
 * module that made them. Messages of tensorboard/compat/proto/{graph,node_def,attr_value}.proto.
 */

import { PbfWriter } from 'pbf';
import { noGrad } from '../../core/grad-mode.ts';
import { type Node, type Value, valueType } from '../../core/graph.ts';
import { generatorState, setGeneratorState } from '../../core/random.ts';
import { Tensor } from '../../core/tensor.ts';
import { writeShape } from './events.ts';

/** What is drawn of a module; every `nn.Module` is one. */
export interface GraphModule {
  readonly training: boolean;
  train(mode?: boolean): unknown;
  stateDict(): ReadonlyMap<string, Tensor>;
  call(...inputs: Tensor[]): unknown;
}

export interface GraphNode {
  /** Parts between slashes are boxes inside one another. */
  readonly name: string;
  readonly op: string;
  /** Names of nodes; `NAME:1` is the second output of one. */
  readonly inputs: readonly string[];
  readonly output_shapes: readonly (readonly number[])[];
  readonly attrs: object;
}

/**
 * The nodes of `model`'s forward pass over `inputs`, in evaluation mode; nothing is computed.
 * Errors are those of the model.
 */
export function modelGraph(model: GraphModule, inputs: readonly Tensor[]): GraphNode[] {
  const { training } = model;
  const generator = generatorState();
  model.train(false);
  try {
    const output = noGrad(() => model.call(...inputs));
    const naming = new Naming();
    for (const [i, input] of inputs.entries()) naming.give(input.value.node, `input/${i}`, 'Input');
    for (const [key, tensor] of model.stateDict()) {
      naming.give(tensor.value.node, key.replaceAll('.', '/'), 'Parameter');
    }
    return graphNodes(tensorsIn(output), naming);
  } finally {
    model.train(training);
    setGeneratorState(generator);
  }
}

/** A GraphDef. */
export function encodeGraph(nodes: readonly GraphNode[]): Uint8Array {
  const pbf = new PbfWriter();
  for (const node of nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeMessage(4, (_, versions) => versions.writeVarintField(1, PRODUCER), undefined);
  return pbf.finish();
}

/** The version of GraphDef that PyTorch writes. */
const PRODUCER = 22;

/** Everything that `outputs` are made of, inputs before what they go into. */
function graphNodes(outputs: readonly Tensor[], naming: Naming): GraphNode[] {
  const nodes: GraphNode[] = [];
  for (const node of reachable(outputs, naming)) {
    const given = naming.given.get(node);
    nodes.push({
      name: naming.of(node),
      op: given?.op ?? node.op.name,
      inputs: given === undefined ? node.inputs.map((value) => naming.reference(value)) : [],
      output_shapes: node.outputs.map(({ shape }) => shape),
      attrs: given === undefined ? node.attrs : {},
    });
  }
  for (const [i, output] of outputs.entries()) {
    nodes.push({
      name: `output/${i}`,
      op: 'Output',
      inputs: [naming.reference(output.value)],
      output_shapes: [valueType(output.value).shape],
      attrs: {},
    });
  }
  return nodes;
}

/** In the order of creation; what is behind a node that has a name is not walked. */
function reachable(outputs: readonly Tensor[], { given }: Naming): Node[] {
  const found = new Set<Node>();
  const open = outputs.map(({ value }) => value.node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    if (!given.has(node)) open.push(...node.inputs.map((input) => input.node));
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** Names of nodes, each once: those given, and `MODULE/PATH/op`, numbered where there are more. */
class Naming {
  readonly given = new Map<Node, { readonly name: string; readonly op: string }>();
  readonly #names = new Map<Node, string>();
  readonly #uses = new Map<string, number>();

  give(node: Node, name: string, op: string): void {
    if (!this.given.has(node)) this.given.set(node, { name: this.#unique(name), op });
  }

  of(node: Node): string {
    const known = this.given.get(node)?.name ?? this.#names.get(node);
    if (known !== undefined) return known;
    const path = node.scope === '' ? [] : node.scope.split('.');
    const name = this.#unique([...path, node.op.name].join('/'));
    this.#names.set(node, name);
    return name;
  }

  reference({ node, index }: Value): string {
    return index === 0 ? this.of(node) : `${this.of(node)}:${index}`;
  }

  #unique(name: string): string {
    const clean = name.replaceAll(/[^A-Za-z0-9_./-]/g, '_');
    const uses = this.#uses.get(clean) ?? 0;
    this.#uses.set(clean, uses + 1);
    return uses === 0 ? clean : `${clean}_${uses}`;
  }
}

/** Modules may give tensors in lists and objects of any depth. */
function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output];
  if (output === null || typeof output !== 'object') return [];
  return Object.values(output).flatMap(tensorsIn);
}

function writeNode({ name, op, inputs, output_shapes, attrs }: GraphNode, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeStringField(2, op);
  for (const input of inputs) pbf.writeStringField(3, input);
  pbf.writeMessage(5, writeAttr, {
    key: '_output_shapes',
    write: (value) => value.writeMessage(1, writeShapes, output_shapes),
  });
  if (Object.keys(attrs).length === 0) return;
  pbf.writeMessage(5, writeAttr, {
    key: 'attr',
    write: (value) => value.writeStringField(2, attrText(attrs)),
  });
}

/** An entry of a map from names to AttrValue. */
interface Attr {
  readonly key: string;
  readonly write: (value: PbfWriter) => void;
}

function writeAttr({ key, write }: Attr, pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeMessage(2, (_, value) => write(value), undefined);
}

function writeShapes(shapes: readonly (readonly number[])[], pbf: PbfWriter): void {
  for (const shape of shapes) pbf.writeMessage(7, writeShape, shape);
}

const MOST_ATTR_TEXT = 1000;

function attrText(attrs: object): string {
  const text = JSON.stringify(attrs, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  return text.slice(0, MOST_ATTR_TEXT);
}
