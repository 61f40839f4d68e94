/** The trace in progress, if any: what `compile` must know while a step runs symbolically. */

import { CompileError } from '../base/errors.ts';
import type { Value } from './graph.ts';
import { nodeClock } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** Something that changes the traced graph without changing a shape: train/eval, options. */
export interface Traceable {
  /** Equal keys give equal graphs. */
  traceKey(): string;
}

export class Trace {
  /** Tensors older than the trace that were rebound in it, with what they held before. */
  readonly rebound = new Map<Tensor, Value>();
  /** Gradients assigned in the trace, with what was there before. */
  readonly gradients = new Map<Tensor, Tensor | null>();
  /** Random nodes drawn so far; each takes the next stream after the call's counter. */
  randomNodes = 0;
  /** What was called in the trace and decides what it looks like, whether or not it is updated. */
  readonly uses = new Set<Traceable>();
  /** What the host does after every call, such as counting an optimizer's steps. */
  readonly effects: (() => void)[] = [];
  readonly #start = nodeClock();

  constructor(readonly name: string) {}

  /** Takes back what the trace did to tensors outside it; the new values it left, by tensor. */
  undo(): Map<Tensor, Value> {
    const results = new Map<Tensor, Value>();
    for (const [tensor, before] of this.rebound) {
      results.set(tensor, tensor.value);
      tensor.restore(before);
    }
    for (const [tensor, before] of this.gradients) tensor.grad = before;
    return results;
  }

  /** Was this value there before the trace began? */
  isOlder(value: Value): boolean {
    return value.node.id < this.#start;
  }
}

let current: Trace | undefined;

export function currentTrace(): Trace | undefined {
  return current;
}

/** In a trace, `body` is done after every call of the compiled step; else at once. */
export function afterCall(body: () => void): void {
  if (current === undefined) body();
  else current.effects.push(body);
}

/** Throws when a trace is in progress. */
export function forbidNesting(name: string): void {
  if (current === undefined) return;
  throw new CompileError(
    `[compile] ${name} was called inside ${current.name}: compiled steps do not nest`,
  );
}

/** Runs `body` with `trace` in progress. Traces do not nest. */
export function tracing<T>(trace: Trace, body: () => T): T {
  forbidNesting(trace.name);
  current = trace;
  try {
    return body();
  } finally {
    current = undefined;
  }
}

/** Throws when a value is asked for while a step is being traced. */
export function forbidReading(what: string): void {
  if (current === undefined) return;
  throw new CompileError(
    `[${what}] a value was read while ${current.name} was being traced: inside compile() nothing ` +
      'is computed yet; return the tensor from the step and read it there',
  );
}
