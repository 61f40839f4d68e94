/**
 * Nodes: what an op call leaves behind. A node knows its op, its inputs and the types of its
 * outputs; it owns no native memory until it is realised.
 */

import { currentScope } from '../base/errors.ts';
import type { Storage } from '../engine/engine.ts';
import type { ValueType } from '../engine/program.ts';

export { valueType } from '../plan/graph.ts';

import type { LowerContext, PlanNode, PlanOp, PlanValue } from '../plan/graph.ts';
import type { Tensor } from './tensor.ts';

/** What a gradient rule is given. Everything is a Tensor, so gradients are graph like the rest. */
export interface VjpContext<Attrs> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The gradient of each output, `null` where none arrived. */
  readonly grads: readonly (Tensor | null)[];
  readonly attrs: Attrs;
}

/** One gradient per input, `null` for an input that has none. Shapes may still be broadcast. */
export type Vjp<Attrs> = (context: VjpContext<Attrs>) => readonly (Tensor | null)[];

/** One row of the op table. */
export interface Op<Attrs = never> extends Omit<PlanOp, 'lower' | 'flops'> {
  lower(context: LowerContext<Attrs>): ReturnType<PlanOp['lower']>;
  /** The only shape rule: types of the outputs, or a typed error naming the sizes. */
  infer(inputs: readonly ValueType[], attrs: Attrs): ValueType[];
  /** Of one input, elementwise and never decreasing: what it gives for a maximum is the maximum. */
  readonly monotone?: boolean;
  /** The gradient rule; running backward through `'nondiff'` throws. */
  readonly vjp: Vjp<Attrs> | 'nondiff';
  flops?(inputs: readonly ValueType[], outputs: readonly ValueType[], attrs: Attrs): number;
}

/** One output of a node. Values are compared by node and index, never copied. */
export interface Value extends PlanValue {
  readonly node: Node;
}

/** Where a leaf's contents come from. */
export type LeafSource =
  | { readonly kind: 'computed' }
  /** Stands for an argument of a compiled step. */
  | { readonly kind: 'placeholder'; readonly argument: number }
  /** A number read anew at every run. */
  | { readonly kind: 'scalar'; readonly read: () => number };

const COMPUTED: LeafSource = { kind: 'computed' };

let created = 0;

export class Node implements PlanNode {
  readonly id = created++;
  readonly scope = currentScope();
  /** The buffers of realised outputs. */
  readonly storages: (Storage | undefined)[] = [];
  /** Where a gradient that reaches this node is to be left, for `requires_grad` leaves. */
  variable: Tensor | undefined;
  /** What took this leaf's place when its tensor was rebound or its buffer overwritten. */
  successor: Value | undefined;
  /** True once a compiled step has overwritten the buffer: the old contents are gone. */
  overwritten = false;
  #inputs: readonly Value[];

  constructor(
    readonly op: Op,
    inputs: readonly Value[],
    readonly attrs: object,
    readonly outputs: readonly ValueType[],
    readonly requires_grad: boolean,
    readonly source: LeafSource = COMPUTED,
  ) {
    this.#inputs = inputs;
  }

  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  leaf(index: number): 'buffer' | 'scalar' | undefined {
    if (this.storages[index] !== undefined || this.source.kind === 'placeholder') return 'buffer';
    return this.source.kind === 'scalar' ? 'scalar' : undefined;
  }

  /**
   * Gives output `index` its buffer; the way it was computed is forgotten where nothing needs it.
   */
  realize(index: number, storage: Storage): void {
    this.storages[index] = storage;
    const done = this.outputs.every((_, i) => this.storages[i] !== undefined);
    const needed = this.requires_grad && this.variable === undefined;
    if (done && !needed) this.#inputs = [];
  }
}

/** How many nodes exist so far: a node with a smaller id is older than this moment. */
export function nodeClock(): number {
  return created;
}
