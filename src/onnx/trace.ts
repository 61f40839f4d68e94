/** A module's forward pass as a list of nodes, the same for every batch size. */

import { isDeepStrictEqual } from 'node:util';
import type { DType } from '../base/dtype.ts';
import { ArgumentError, opError, type TorchtsError, withScope } from '../base/errors.ts';
import { type Shape, sameShape } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Node, Value } from '../core/graph.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import { Trace, tracing } from '../core/trace.ts';
import { withOff } from '../engine/switches.ts';
import { type AnyModule, tensorOutputs } from '../nn/module.ts';
import { BATCHES, type Merged, merged, ofBatch, type Size } from './size.ts';

/** One input of a model, without the batch dimension. */
export interface Field {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * What a value is made of: the model's inputs or the size of their batch; else the model's state;
 * else nothing but constants.
 */
export type Origin = 'input' | 'state' | 'constant';

export interface SizedType {
  readonly dtype: DType;
  readonly shape: readonly Size[];
}

/** The nodes of the traces that are one and the same. */
export interface TracedNode {
  /** In each trace. */
  readonly nodes: readonly Node[];
  readonly op: string;
  /** The path of the module that called the op. */
  readonly scope: string;
  readonly origin: Origin;
  /** Where its value comes from, if nothing computes it. */
  readonly leaf?: { readonly input: number } | { readonly key: string } | 'constant';
  readonly inputs: readonly TracedValue[];
  readonly outputs: readonly SizedType[];
  readonly attrs: Merged<object>;
  /** How many nodes take it, outputs of the model included. */
  uses: number;
  /** Which of its outputs they take. */
  readonly usedOutputs: Set<number>;
  /** Is any of them more than a constant? */
  isRead: boolean;
}

export interface TracedValue {
  readonly node: TracedNode;
  readonly index: number;
}

export interface TracedModule {
  /** Inputs before what they go into. */
  readonly nodes: readonly TracedNode[];
  readonly inputs: readonly Field[];
  readonly outputs: readonly TracedValue[];
}

export const typeOf = ({ node, index }: TracedValue): SizedType => node.outputs[index]!;

/** Ops that are fused only for the sake of training, and are small graphs of ordinary ops. */
const TAKEN_APART = ['batch_norm', 'cross_entropy'];

interface Run {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * Calls `module` in evaluation mode with inputs of `batch` samples, or of every batch size where
 * that is `dynamic`. Nothing is computed, and the module is left as it was.
 * @throws ArgumentError where other nodes are made for another batch size, and the module's errors.
 */
export function traceModule(
  module: AnyModule,
  inputs: readonly Field[],
  batch: number | 'dynamic',
): TracedModule {
  const batches = batch === 'dynamic' ? BATCHES : [batch];
  const runs = inEvaluation(module, () => batches.map((size) => runOnce(module, inputs, size)));
  const leaves = stateNodes(module);
  for (const run of runs) {
    for (const [i, { value }] of run.inputs.entries()) leaves.set(value.node, { input: i });
  }
  return joined(runs, inputs, leaves);
}

function inEvaluation<T>(module: AnyModule, body: () => T): T {
  const modes = module.modules().map((part) => [part, part.training] as const);
  module.train(false);
  try {
    return body();
  } finally {
    for (const [part, training] of modes) part.training = training;
  }
}

function runOnce(module: AnyModule, fields: readonly Field[], batch: number): Run {
  const inputs = fields.map(
    ({ dtype, shape }, i) => new Tensor(placeholder({ dtype, shape: [batch, ...shape] }, i)),
  );
  const trace = new Trace('the ONNX export');
  try {
    const outputs = noGrad(() =>
      withOff(TAKEN_APART, () => tracing(trace, () => tensorOutputs(module.call(...inputs)))),
    );
    if (outputs.length === 0) throw new ArgumentError('[onnx] the model gives no tensor');
    return { inputs, outputs };
  } finally {
    trace.undo();
  }
}

type Leaves = Map<Node, NonNullable<TracedNode['leaf']>>;

/** A tensor under several keys has the first. */
function stateNodes(module: AnyModule): Leaves {
  const named = [...module.stateDict(), ...module.namedBuffers()];
  const leaves: Leaves = new Map();
  for (const [key, { value }] of named) {
    if (!leaves.has(value.node)) leaves.set(value.node, { key });
  }
  return leaves;
}

/** The nodes that `outputs` need, in the order of their creation; leaves are not looked behind. */
function reachable(outputs: readonly Tensor[], leaves: Leaves): Node[] {
  const found = new Set<Node>();
  const open: Value[] = outputs.map(({ value }) => value);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const { node, index } = value;
    if (found.has(node)) continue;
    found.add(node);
    if (!leaves.has(node) && node.leaf(index) === undefined) open.push(...node.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

const another = (): TorchtsError =>
  opError(
    ArgumentError,
    'onnx',
    'other operations are computed for another batch size; export with a fixed batch',
  );

/** The traces as one. */
function joined(runs: readonly Run[], fields: readonly Field[], leaves: Leaves): TracedModule {
  const lists = runs.map(({ outputs }) => reachable(outputs, leaves));
  const [first] = lists as [Node[]];
  if (lists.some((list) => list.length !== first.length)) throw another();
  const places = lists.map((list) => new Map(list.map((node, i) => [node, i])));
  const nodes: TracedNode[] = [];
  const valueAt = (values: readonly Value[]): TracedValue => {
    const [place, ...others] = values.map(({ node }, i) => places[i]!.get(node)!);
    const { index } = values[0]!;
    const isSame = others.every((other) => other === place);
    if (!isSame || values.some((value) => value.index !== index)) throw another();
    return { node: nodes[place!]!, index };
  };
  for (const place of first.keys()) {
    const same = lists.map((list) => list[place]!);
    nodes.push(withScope(same[0]!.scope, () => joinedNode(same, leaves, valueAt)));
  }
  const outputs = runs[0]!.outputs.map((_, i) => {
    const values = runs.map((run) => run.outputs[i]?.value);
    if (values.some((value) => value === undefined)) throw another();
    return valueAt(values as Value[]);
  });
  for (const value of outputs) use(value, true);
  return { nodes, inputs: fields, outputs };
}

function joinedNode(
  nodes: readonly Node[],
  leaves: Leaves,
  valueAt: (values: readonly Value[]) => TracedValue,
): TracedNode {
  const [node] = nodes as [Node];
  const { op, scope } = node;
  if (nodes.some((other) => other.op !== op)) throw another();
  const isReady = node.outputs.some((_, i) => node.leaf(i) !== undefined);
  const leaf = leaves.get(node) ?? (isReady ? 'constant' : undefined);
  const given = leaf === undefined ? node.inputs : [];
  if (leaf === undefined && nodes.some((other) => other.inputs.length !== given.length)) {
    throw another();
  }
  if (leaf === 'constant' && !haveSameContents(nodes)) throw madeByHand();
  const inputs = given.map((_, i) => valueAt(nodes.map((other) => other.inputs[i]!)));
  const outputs = merged(nodes.map((other) => other.outputs)) as unknown as SizedType[];
  const attrs = leaf === undefined ? merged(nodes.map((other) => other.attrs)) : {};
  const found = { nodes, op: op.name, scope, inputs, outputs, attrs };
  const origin = op.kind === 'random' ? 'input' : originOf({ ...found, leaf });
  for (const value of inputs) use(value, origin !== 'constant');
  const counts = { uses: 0, usedOutputs: new Set<number>(), isRead: false };
  return { ...found, origin, ...(leaf && { leaf }), ...counts };
}

const madeByHand = (): TorchtsError =>
  opError(
    ArgumentError,
    'onnx',
    'a tensor of given values is another one for another batch size; export with a fixed batch',
  );

/** Do tensors that forward made of given values, one in each trace, hold the same? */
function haveSameContents(nodes: readonly Node[]): boolean {
  if (nodes.every((node) => node === nodes[0])) return true;
  const [first, ...others] = nodes.map((node) => new Tensor({ node, index: 0 }));
  return others.every(
    (other) =>
      sameShape(other.shape, first!.shape) &&
      isDeepStrictEqual(other.dataSync(), first!.dataSync()),
  );
}

function use({ node, index }: TracedValue, byMore: boolean): void {
  node.uses++;
  node.usedOutputs.add(index);
  node.isRead ||= byMore;
}

function originOf(
  node: Pick<TracedNode, 'inputs' | 'outputs' | 'attrs'> & { leaf: unknown },
): Origin {
  if (ofBatch(node.outputs) || ofBatch(node.attrs)) return 'input';
  const { leaf } = node;
  if (typeof leaf === 'object' && leaf !== null) return 'input' in leaf ? 'input' : 'state';
  const origins = node.inputs.map((input) => input.node.origin);
  if (origins.includes('input')) return 'input';
  return origins.includes('state') ? 'state' : 'constant';
}
