/**
 * Recomputation: a pointwise result that is read again far from where it was last read (in
 * backward, mostly) is computed a second time there instead of being kept, if what it is computed
 * from is there anyway. That trades time for space; no bit changes, for a copy is the same step
 * over the same values.
 */

import type { Call, IR } from './ir.ts';
import { producers } from './ir.ts';

/** As many calls lie between two reads of a value that was not needed in between. */
const FAR = 12;
/** Calls in a row that may be repeated to have one value again. */
const MAX_DEPTH = 6;

/** Puts copies of cheap calls in front of late readers, which read the copies instead. */
export function recompute(ir: IR): void {
  const walk = new Walk(ir);
  ir.calls = ir.calls.flatMap((call, at) => walk.pass(call, at));
}

/** Visits the calls in order, and knows of every value when it was last read. */
class Walk {
  readonly #made: ReadonlyMap<number, Call>;
  readonly #end: ReadonlyMap<number, number>;
  /** Where each value was made or read last, so far. */
  readonly #seen = new Map<number, number>();
  /** The newest copy of each value that has one. */
  readonly #copies = new Map<number, number>();

  constructor(readonly ir: IR) {
    this.#made = producers(ir);
    this.#end = lastReads(ir);
  }

  /** The call at place `at`, behind the copies that it reads. */
  pass(call: Call, at: number): Call[] {
    const copied: Call[] = [];
    const inputs = call.inputs.map((value) => {
      const known = this.#copies.get(value);
      if (known !== undefined || !this.#idle(value, at)) return known ?? value;
      const chain = this.#chain(value, at);
      if (chain === undefined) return value;
      for (const member of chain) copied.push(this.#copy(member));
      return this.#copies.get(value)!;
    });
    for (const { inputs: read } of [...copied, call]) {
      for (const value of read) this.#seen.set(value, at);
    }
    for (const output of call.outputs) this.#seen.set(output, at);
    return [...copied, { ...call, inputs }];
  }

  #idle(value: number, at: number): boolean {
    const seen = this.#seen.get(value);
    return seen !== undefined && at - seen > FAR && this.#end.get(value) !== Infinity;
  }

  /** The calls that make `value` from what is there at `at`; `undefined` if it must be kept. */
  #chain(value: number, at: number, depth = MAX_DEPTH): Set<Call> | undefined {
    const call = this.#made.get(value);
    if (call === undefined || !isCheap(call) || depth === 0) return undefined;
    const chain = new Set<Call>();
    for (const input of call.inputs) {
      const ended = (this.#end.get(input) ?? -1) <= at;
      if (this.#isThere(input) || !(ended || this.#idle(input, at))) continue;
      const before = this.#chain(input, at, depth - 1);
      if (before === undefined && ended) return undefined;
      for (const member of before ?? []) chain.add(member);
    }
    return chain.add(call);
  }

  /** Is `value` in memory, or no memory's concern, at this place of the walk? */
  #isThere(value: number): boolean {
    const maker = this.#made.get(value);
    return maker === undefined || maker.kernel === 'fill' || this.#copies.has(value);
  }

  #copy(call: Call): Call {
    const inputs = call.inputs.map((input) => this.#copies.get(input) ?? input);
    const outputs = call.outputs.map((output) => {
      const copy = this.ir.types.push(this.ir.types[output]!) - 1;
      this.#copies.set(output, copy);
      return copy;
    });
    return { ...call, inputs, outputs };
  }
}

function isCheap(call: Call): boolean {
  return call.fn !== undefined || call.kernel === 'alias';
}

/** Where each value is read for the last time, under any alias; `Infinity` if it must remain. */
function lastReads(ir: IR): Map<number, number> {
  const last = new Map<number, number>(ir.roots.map((root) => [root, Infinity]));
  for (let at = ir.calls.length - 1; at >= 0; at--) {
    const call = ir.calls[at]!;
    const through = call.kernel === 'alias' ? (last.get(call.outputs[0]!) ?? at) : at;
    for (const input of call.inputs) last.set(input, Math.max(last.get(input) ?? -1, through));
  }
  return last;
}
