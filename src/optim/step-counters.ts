/** How many steps each parameter has taken. One that gets no gradient takes none, as in PyTorch. */

import type { Tensor } from '../core/tensor.ts';
import { currentTrace, type Trace, type Traceable } from '../core/trace.ts';

/** The count of parameters that have always been updated together. */
export interface StepCounter {
  steps: number;
  readonly parameters: Set<Tensor>;
}

/**
 * A compiled step reads one number for each counter, so a loop that updates all parameters at once
 * reads one number. Counters are parted as soon as a step takes only some of their parameters.
 */
export class StepCounters implements Traceable {
  readonly #counters = new Map<Tensor, StepCounter>();
  /** Steps that a trace has already recorded and that are counted when it is called. */
  readonly #ahead = new WeakMap<Trace, Map<StepCounter, number>>();
  /** Changes of who shares a counter: a trace made before one may read the wrong count. */
  #changes = 0;

  /** Gives new parameters their counts; those with equal counts share a counter. */
  set(counts: ReadonlyMap<Tensor, number>): void {
    const shared = new Map<number, StepCounter>();
    for (const [parameter, steps] of counts) {
      this.#counters.get(parameter)?.parameters.delete(parameter);
      let counter = shared.get(steps);
      if (counter === undefined) {
        counter = { steps, parameters: new Set() };
        shared.set(steps, counter);
      }
      counter.parameters.add(parameter);
      this.#counters.set(parameter, counter);
    }
    this.#changes++;
  }

  of(parameter: Tensor): StepCounter {
    return this.#counters.get(parameter)!;
  }

  /** The counters of `updated` and of nothing else. */
  part(updated: readonly Tensor[]): Set<StepCounter> {
    const taken = new Map<StepCounter, Tensor[]>();
    for (const parameter of updated) {
      const counter = this.of(parameter);
      const known = taken.get(counter);
      if (known === undefined) taken.set(counter, [parameter]);
      else known.push(parameter);
    }
    for (const [counter, parameters] of taken) {
      if (parameters.length < counter.parameters.size) this.#split(counter, parameters);
    }
    return new Set(updated.map((parameter) => this.of(parameter)));
  }

  #split(counter: StepCounter, parameters: readonly Tensor[]): void {
    const parted: StepCounter = { steps: counter.steps, parameters: new Set(parameters) };
    for (const parameter of parameters) {
      counter.parameters.delete(parameter);
      this.#counters.set(parameter, parted);
    }
    this.#changes++;
  }

  /** The number of the step that is being taken, from 1; for `hostScalar`. */
  reader(counter: StepCounter): () => number {
    const trace = currentTrace();
    const ahead = trace === undefined ? 0 : (this.#ahead.get(trace)?.get(counter) ?? 0);
    return () => counter.steps + 1 + ahead;
  }

  /** Counts a step; in a trace, at every call of it. */
  count(counters: ReadonlySet<StepCounter>): void {
    const advance = () => {
      for (const counter of counters) counter.steps++;
    };
    const trace = currentTrace();
    if (trace === undefined) {
      advance();
      return;
    }
    trace.effects.push(advance);
    // It was parted after the key of the call was asked for, so it has a key of its own.
    trace.uses.add(this);
    const ahead = this.#ahead.get(trace) ?? new Map<StepCounter, number>();
    for (const counter of counters) ahead.set(counter, (ahead.get(counter) ?? 0) + 1);
    this.#ahead.set(trace, ahead);
  }

  traceKey(): string {
    return `counters ${this.#changes}`;
  }
}
