/**
 * The graph as the planner sees it. `core/` builds Nodes that satisfy these interfaces; the planner
 * knows an op only by its `kind` and its declared properties.
 */

import type { KernelAttrs, KernelName, PointwiseFn } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';

export type OpKind =
  | 'leaf'
  | 'pointwise'
  | 'creation'
  | 'random'
  | 'movement'
  | 'reduction'
  | 'matmul'
  | 'factorization'
  | 'convolution'
  | 'pooling'
  | 'normalization'
  | 'recurrent'
  | 'indexing'
  | 'optimizer';

/** A kernel and its arguments. */
export type KernelCall = {
  [K in Exclude<KernelName, 'pointwise'>]: {
    readonly kernel: K;
    readonly attrs: KernelAttrs[K];
    /** The node's inputs that the kernel reads, in its order; all of them where it is left out. */
    readonly operands?: readonly number[];
  };
}[Exclude<KernelName, 'pointwise'>];

/** A single pointwise step; the planner groups these into `pointwise` kernels. */
export interface PointwiseCall {
  readonly kernel: 'pointwise';
  readonly fn: PointwiseFn;
}

export interface LowerContext<Attrs = never> {
  readonly inputs: readonly ValueType[];
  readonly outputs: readonly ValueType[];
  readonly attrs: Attrs;
}

export interface PlanOp {
  readonly name: string;
  readonly kind: OpKind;
  lower(context: LowerContext<never>): KernelCall | PointwiseCall;
  /** Output 0 is input 0 repeated: pointwise consumers may read the input and broadcast it. */
  readonly broadcasts?: boolean;
  /** Floating-point operations of one call, where they are worth counting. */
  flops?(inputs: readonly ValueType[], outputs: readonly ValueType[], attrs: never): number;
}

export interface PlanNode {
  /**
   * Ascends with creation, so a node's inputs have smaller ids: the order of a topological walk.
   */
  readonly id: number;
  readonly op: PlanOp;
  readonly attrs: object;
  readonly inputs: readonly PlanValue[];
  readonly outputs: readonly ValueType[];
  /** Path of the module that made it, or `''`. */
  readonly scope: string;
  /**
   * How output `index` comes into a Program when it is not computed there: from a buffer, as a
   * scalar given at each run, or `undefined` when the node must run.
   */
  leaf(index: number): 'buffer' | 'scalar' | undefined;
}

/** One output of a node. */
export interface PlanValue {
  readonly node: PlanNode;
  readonly index: number;
}

export function valueType(value: PlanValue): ValueType {
  return value.node.outputs[value.index]!;
}

/** All nodes the roots need, leaves included, in ascending id. Iterative. */
export function collect(roots: readonly PlanValue[]): PlanNode[] {
  const seen = new Set<PlanNode>();
  const pending: PlanValue[] = [...roots];
  // A node some of whose outputs are leaves runs only if another output is needed.
  const expanded = new Set<PlanNode>();
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { node, index } = value;
    seen.add(node);
    if (node.leaf(index) !== undefined || expanded.has(node)) continue;
    expanded.add(node);
    for (const input of node.inputs) pending.push(input);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
