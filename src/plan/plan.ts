/**
 * graph -> Program. `plan` collects what the roots need, runs the passes and emits the flat list.
 */

import { assert } from '../base/errors.ts';
import type { Attrs, Binding, Instruction, Program, ValueType } from '../engine/program.ts';
import { isOff } from '../engine/switches.ts';
import { foldEpilogues } from './epilogue.ts';
import { fusePointwise, readThroughBroadcasts } from './fuse.ts';
import type { PlanNode, PlanValue } from './graph.ts';
import { collect, valueType } from './graph.ts';
import type { Call, IR } from './ir.ts';
import { foldPrologues } from './prologue.ts';
import { recompute } from './recompute.ts';
import { moveThroughTables } from './row-tables.ts';
import { commonSubexpressions, simplify } from './simplify.ts';
import { verify } from './verify.ts';

/**
 * The passes that are on unless switched off; results depend on them by rounding at the most
 * (`tables`, which moves linear maps of chosen rows to the table, and epilogues in 16 bits).
 */
export const PASSES = ['simplify', 'cse', 'epilogue', 'prologue', 'tables', 'fuse'] as const;

/** Each pass has an off switch. */
export type PlanOptions = { readonly [pass in (typeof PASSES)[number]]?: boolean } & {
  /** Trades time for memory, so it is on only where it is asked for. */
  readonly recompute?: boolean;
};

/** What is to be computed. */
export interface PlanRequest {
  /** Values the caller wants, each in a buffer of its own. */
  readonly roots: readonly PlanValue[];
  /** Buffers to overwrite at the end: `leaf` is read at the start, `result` replaces it. */
  readonly updates?: readonly { readonly leaf: PlanValue; readonly result: PlanValue }[];
}

/** A Program and where its bindings come from. */
export interface Plan {
  readonly program: Program;
  /** One per `program.bindings`: a leaf to read, a root to write, or an update. */
  readonly bindings: readonly PlanBinding[];
  /** One per `program.scalars`. */
  readonly scalars: readonly PlanNode[];
}

export type PlanBinding =
  | { readonly kind: 'leaf'; readonly leaf: PlanValue }
  | { readonly kind: 'root'; readonly root: number }
  | { readonly kind: 'update'; readonly leaf: PlanValue; readonly update: number };

export function plan(request: PlanRequest, options: PlanOptions = {}): Plan {
  const updates = request.updates ?? [];
  const wanted = [...request.roots, ...updates.map((update) => update.result)];
  const graph = new Numbering(collect([...wanted, ...updates.map((update) => update.leaf)]));
  const ir: IR = {
    types: graph.types,
    calls: graph.calls,
    roots: wanted.map((value) => graph.id(value)),
  };
  const isOn = (pass: (typeof PASSES)[number]) => options[pass] !== false && !isOff(pass);
  if (isOn('simplify')) simplify(ir);
  if (isOn('cse')) commonSubexpressions(ir);
  if (isOn('epilogue')) foldEpilogues(ir);
  if (isOn('prologue')) foldPrologues(ir);
  if (isOn('tables')) moveThroughTables(ir);
  readThroughBroadcasts(ir);
  if (options.recompute === true) recompute(ir);
  fusePointwise(ir, { fuse: isOn('fuse') });

  const rootIds = ir.roots.slice(0, request.roots.length);
  const resultIds = ir.roots.slice(request.roots.length);
  const emitted = emit(
    ir,
    graph,
    rootIds,
    updates.map((update, i) => ({ ...update, result: resultIds[i]! })),
  );
  verify(emitted.program);
  return emitted;
}

/** Gives every value of the collected graph a number, and every computing node a call. */
class Numbering {
  readonly types: ValueType[] = [];
  readonly calls: Call[] = [];
  readonly leaves: PlanValue[] = [];
  readonly #first = new Map<PlanNode, number>();

  constructor(nodes: readonly PlanNode[]) {
    for (const node of nodes) {
      this.#first.set(node, this.types.length);
      this.types.push(...node.outputs);
      node.outputs.forEach((_, index) => {
        if (node.leaf(index) !== undefined) this.leaves.push({ node, index });
      });
    }
    for (const node of nodes) if (this.#runs(node)) this.calls.push(this.#lower(node));
  }

  id(value: PlanValue): number {
    const first = this.#first.get(value.node);
    assert(first !== undefined, `node ${value.node.id} was not collected`);
    return first + value.index;
  }

  #runs(node: PlanNode): boolean {
    const computed = node.outputs.some((_, index) => node.leaf(index) === undefined);
    // The inputs of a node only asked for its leaves were not collected.
    return computed && node.inputs.every((input) => this.#first.has(input.node));
  }

  #lower(node: PlanNode): Call {
    const types = node.inputs.map(valueType);
    const attrs = node.attrs as never;
    const call = node.op.lower({ inputs: types, outputs: node.outputs, attrs });
    const first = this.#first.get(node)!;
    // A leaf output is not this call's to make: it gets a number that nobody reads.
    const outputs = node.outputs.map((type, index) =>
      node.leaf(index) === undefined ? first + index : this.types.push(type) - 1,
    );
    const operands = 'operands' in call ? call.operands : undefined;
    const inputs = operands === undefined ? node.inputs : operands.map((i) => node.inputs[i]!);
    return {
      kernel: call.kernel,
      attrs: 'attrs' in call ? (call.attrs as unknown as Attrs) : {},
      inputs: inputs.map((input) => this.id(input)),
      outputs,
      label: node.scope === '' ? node.op.name : `${node.op.name} (${node.scope})`,
      fn: 'fn' in call ? call.fn : undefined,
      broadcasts: node.op.broadcasts,
      flops: node.op.flops?.(types, node.outputs, attrs),
    };
  }
}

/** Renumbers what is left and lists the bindings: updates, then leaves, then roots. */
function emit(
  ir: IR,
  graph: Numbering,
  roots: readonly number[],
  updates: readonly { leaf: PlanValue; result: number }[],
): Plan {
  const values: ValueType[] = [];
  const numbers = new Map<number, number>();
  const number = (id: number): number => {
    let known = numbers.get(id);
    if (known === undefined) {
      known = values.push(ir.types[id]!) - 1;
      numbers.set(id, known);
    }
    return known;
  };

  const used = new Set<number>([...ir.roots, ...ir.calls.flatMap((call) => call.inputs)]);
  const bindings: Binding[] = [];
  const sources: PlanBinding[] = [];
  const scalars: PlanNode[] = [];
  const scalarValues: number[] = [];
  const updated = new Set<number>();
  updates.forEach(({ leaf, result }, update) => {
    updated.add(graph.id(leaf));
    bindings.push({ access: 'update', value: number(graph.id(leaf)), result: number(result) });
    sources.push({ kind: 'update', leaf, update });
  });
  for (const leaf of graph.leaves) {
    const id = graph.id(leaf);
    if (!used.has(id) || updated.has(id)) continue;
    if (leaf.node.leaf(leaf.index) === 'scalar') {
      scalars.push(leaf.node);
      scalarValues.push(number(id));
    } else {
      bindings.push({ access: 'read', value: number(id) });
      sources.push({ kind: 'leaf', leaf });
    }
  }
  const instructions: Instruction[] = ir.calls.map((call) => ({
    kernel: call.kernel,
    inputs: call.inputs.map(number),
    outputs: call.outputs.map(number),
    attrs: call.attrs,
    label: call.label,
    ...(call.flops !== undefined && { flops: call.flops }),
  }));
  roots.forEach((id, root) => {
    bindings.push({ access: 'write', value: number(id) });
    sources.push({ kind: 'root', root });
  });
  return {
    program: { values, instructions, bindings, scalars: scalarValues },
    bindings: sources,
    scalars,
  };
}
