/**
 * The generator. Random numbers are counter-based: a node draws from the Philox stream numbered by
 * the generator's counter, so (seed, counter) is the whole state, and a run can be resumed exactly.
 */

import { ArgumentError } from '../base/errors.ts';
import { scalarLeaf } from './leaf.ts';
import { Tensor } from './tensor.ts';
import { currentTrace } from './trace.ts';

export interface GeneratorState {
  readonly seed: number;
  readonly counter: number;
}

let state: GeneratorState = { seed: 0, counter: 0 };

/** Seeds the generator and resets its counter. `seed` is a non-negative safe integer. */
export function manualSeed(seed: number): void {
  setGeneratorState({ seed, counter: 0 });
}

export function generatorState(): GeneratorState {
  return state;
}

export function setGeneratorState(next: GeneratorState): void {
  for (const [name, value] of Object.entries(next)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ArgumentError(`[manualSeed] ${name} must be a non-negative integer, got ${value}`);
    }
  }
  state = { seed: next.seed, counter: next.counter };
}

/** Moves on by `streams` streams: what a call of a compiled step has drawn. */
export function advanceGenerator(streams: number): void {
  state = { ...state, counter: state.counter + streams };
}

/** Where a random node draws from: stream `counter + offset` of `seed`. */
export interface RandomStream {
  readonly seed: Tensor;
  readonly counter: Tensor;
  readonly offset: number;
}

/** Takes the next stream. In a trace, seed and counter are read anew at every call. */
export function nextStream(): RandomStream {
  const trace = currentTrace();
  if (trace !== undefined) {
    return {
      seed: scalar(() => state.seed),
      counter: scalar(() => state.counter),
      offset: trace.randomNodes++,
    };
  }
  const { seed, counter } = state;
  advanceGenerator(1);
  return { seed: scalar(() => seed), counter: scalar(() => counter), offset: 0 };
}

function scalar(read: () => number): Tensor {
  return new Tensor(scalarLeaf('int64', read));
}
