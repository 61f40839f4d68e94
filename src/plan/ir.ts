/**
 * The planner's working form: kernel calls over numbered values, mutable, one list in execution
 * order. Passes are functions from IR to IR; each can be switched off.
 */

import type { KernelName, PointwiseFn } from '../engine/kernels.ts';
import type { Attrs, ValueType } from '../engine/program.ts';

/** A kernel call before emission. `fn` is set while a pointwise op still stands alone. */
export interface Call {
  readonly kernel: KernelName;
  readonly attrs: Attrs;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly label: string;
  readonly fn?: PointwiseFn;
  readonly broadcasts?: boolean;
  /** Floating-point operations, of those ops that count theirs. */
  readonly flops?: number;
}

export interface IR {
  readonly types: ValueType[];
  calls: Call[];
  /** Values that must exist at the end. */
  roots: number[];
}

/** Replaces values everywhere: `replacement.get(v)` stands for `v`, transitively. */
export function substitute(ir: IR, replacement: ReadonlyMap<number, number>): void {
  if (replacement.size === 0) return;
  const resolve = (value: number): number => {
    let current = value;
    for (let next = replacement.get(current); next !== undefined; next = replacement.get(current)) {
      current = next;
    }
    return current;
  };
  ir.calls = ir.calls.map((call) => ({ ...call, inputs: call.inputs.map(resolve) }));
  ir.roots = ir.roots.map(resolve);
}

/** Drops calls none of whose outputs are needed. */
export function removeDead(ir: IR): void {
  const needed = new Set(ir.roots);
  const kept: Call[] = [];
  for (let i = ir.calls.length - 1; i >= 0; i--) {
    const call = ir.calls[i]!;
    if (!call.outputs.some((output) => needed.has(output))) continue;
    for (const input of call.inputs) needed.add(input);
    kept.push(call);
  }
  ir.calls = kept.reverse();
}

/** The operations of a call that stands for all of `calls`. */
export function sumFlops(calls: readonly Call[]): number | undefined {
  const counted = calls.flatMap(({ flops }) => flops ?? []);
  return counted.length === 0 ? undefined : counted.reduce((sum, flops) => sum + flops);
}

/** The call that makes each value. */
export function producers(ir: IR): Map<number, Call> {
  const map = new Map<number, Call>();
  for (const call of ir.calls) for (const output of call.outputs) map.set(output, call);
  return map;
}
