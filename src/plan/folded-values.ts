/** What is known about values while calls are being folded into others. */

import { type Shape, sameShape } from '../base/shape.ts';
import type { Call, IR } from './ir.ts';

export class FoldedValues {
  /** By place; a fold changes a call in its place. */
  readonly calls: Call[];
  /** Place of the call that makes a value. */
  readonly #made = new Map<number, number>();
  readonly #reads = new Map<number, number>();
  /** Pointwise calls of one input, by their function and that input. */
  readonly #unary = new Map<string, number>();
  readonly #renamed = new Map<number, number>();
  /** Calls that were added in front of the one at a place. */
  readonly #before = new Map<number, Call[]>();

  constructor(readonly ir: IR) {
    this.calls = [...ir.calls];
    for (const [place, call] of this.calls.entries()) {
      for (const output of call.outputs) this.#made.set(output, place);
      for (const input of call.inputs) this.#read(input);
      if (call.fn !== undefined && call.inputs.length === 1) {
        this.#unary.set(`${call.fn} ${call.inputs[0]}`, place);
      }
    }
    for (const root of ir.roots) this.#read(root);
  }

  /** All calls as they are now. */
  list(): Call[] {
    return this.calls.flatMap((call, place) => [...(this.#before.get(place) ?? []), call]);
  }

  /** `value` was folded away; `by` takes its place and its readers. */
  rename(value: number, by: number): void {
    const root = this.#resolve(by);
    this.#renamed.set(value, root);
    this.#reads.set(root, this.#reads.get(value) ?? 0);
  }

  /**
   * Where the call stands whose first output reaches `reads` readers of `value` alone, through
   * aliases.
   */
  maker(value: number, reads = 1): number | undefined {
    for (let current = value, most = reads; ; most = 1) {
      current = this.#resolve(current);
      const place = this.#made.get(current);
      if (place === undefined || this.#reads.get(current) !== most) return undefined;
      const call = this.calls[place]!;
      if (call.kernel !== 'alias') return call.outputs[0] === current ? place : undefined;
      current = call.inputs[0]!;
    }
  }

  /** Where `fn` of `value` alone is computed. */
  reader(value: number, fn: string): number | undefined {
    return this.#unary.get(`${fn} ${value}`);
  }

  /** What the call at `reader` computes becomes one more output of the call at `place`. */
  give(place: number, reader: number): void {
    const call = this.calls[place]!;
    const result = this.calls[reader]!.outputs[0]!;
    const type = this.ir.types[call.outputs[0]!]!;
    const given = this.ir.types.push(type) - 1;
    this.#made.set(given, place);
    this.calls[place] = { ...call, outputs: [...call.outputs, given] };
    const { label } = this.calls[reader]!;
    this.calls[reader] = {
      kernel: 'alias',
      attrs: {},
      inputs: [given],
      outputs: [result],
      label,
    };
  }

  /** `value` in front of its expansions. */
  unbroadcast(value: number): number {
    return this.#follow(value, (call) => call.broadcasts === true);
  }

  /** `value` in front of its changes of shape. */
  flat(value: number): number {
    return this.#follow(value, (call) => call.kernel === 'alias');
  }

  /** `value` in `shape`, for the call at `place`. */
  reshaped(value: number, shape: Shape, place: number): number {
    const { dtype, shape: own } = this.ir.types[value]!;
    if (sameShape(own, shape)) return value;
    const output = this.ir.types.push({ dtype, shape }) - 1;
    const { label } = this.calls[place]!;
    const alias: Call = { kernel: 'alias', attrs: {}, inputs: [value], outputs: [output], label };
    this.#before.set(place, [...(this.#before.get(place) ?? []), alias]);
    return output;
  }

  existsBefore(value: number, place: number): boolean {
    return (this.#made.get(this.#resolve(value)) ?? -1) < place;
  }

  #follow(value: number, through: (call: Call) => boolean): number {
    for (let current = this.#resolve(value); ; ) {
      const call = this.calls[this.#made.get(current) ?? -1];
      if (call === undefined || !through(call)) return current;
      current = this.#resolve(call.inputs[0]!);
    }
  }

  #resolve(value: number): number {
    let current = value;
    for (let next = this.#renamed.get(current); next !== undefined; ) {
      current = next;
      next = this.#renamed.get(current);
    }
    return current;
  }

  #read(value: number): void {
    this.#reads.set(value, (this.#reads.get(value) ?? 0) + 1);
  }
}
