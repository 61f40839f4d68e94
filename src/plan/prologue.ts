/**
 * Folds what happens to a gradient on its way into a kernel into the kernel: the sum of two
 * gradients that arrive at one value, and ReLU's mask, which looks at ReLU's output. Both stand at
 * the end of every residual block; read in the kernel's own pass they cost none of their own. Where
 * others read the masked gradient too, the kernel gives it as one more output. What a kernel takes
 * is declared in `PROLOGUES`.
 */

import { sameShape } from '../base/shape.ts';
import { PROLOGUES, type Prologue } from '../engine/kernels.ts';
import type { Call, IR } from './ir.ts';
import { producers, removeDead } from './ir.ts';

export function foldPrologues(ir: IR): void {
  const gradients = new Gradients(ir);
  const replaced = new Set<Call>();
  ir.calls = ir.calls.map((call) => {
    const folded = PROLOGUES.includes(call.kernel) ? gradients.fold(call) : undefined;
    if (folded === undefined) return call;
    // A gradient that the kernel gives is not made a second time.
    if (folded.outputs.length > call.outputs.length) {
      replaced.add(gradients.made.get(call.inputs[0]!)!);
    }
    return folded;
  });
  ir.calls = ir.calls.filter((call) => !replaced.has(call));
  removeDead(ir);
}

/** Steps that lead from the gradient `from` to another one, each with the operand it reads. */
interface Found {
  readonly from: number;
  readonly steps: readonly Prologue[];
  readonly operands: readonly number[];
}

class Gradients {
  readonly made: ReadonlyMap<number, Call>;
  readonly #readers = new Map<number, Call[]>();
  readonly #roots: ReadonlySet<number>;

  constructor(readonly ir: IR) {
    this.made = producers(ir);
    this.#roots = new Set(ir.roots);
    for (const call of ir.calls) {
      for (const input of new Set(call.inputs)) {
        const readers = this.#readers.get(input);
        if (readers === undefined) this.#readers.set(input, [call]);
        else readers.push(call);
      }
    }
  }

  /** `call`, which takes a gradient as its first input, with what was folded into it. */
  fold(call: Call): Call | undefined {
    const gradient = call.inputs[0]!;
    const found = this.#trace(gradient);
    if (found === undefined) return undefined;
    const alone = this.#isReadOnce(gradient);
    // Other readers have to come after the kernel that gives them the gradient.
    if (!alone && this.#readers.get(gradient)![0] !== call) return undefined;
    return {
      ...call,
      attrs: { ...call.attrs, prologue: found.steps },
      inputs: [found.from, ...call.inputs.slice(1), ...found.operands],
      outputs: alone ? call.outputs : [...call.outputs, gradient],
    };
  }

  #trace(gradient: number): Found | undefined {
    const masked = this.#mask(gradient);
    const before = masked?.gradient ?? gradient;
    // Without a mask the sum is the gradient itself, which others may read as well.
    const foldable = masked === undefined || this.#isReadOnce(before);
    const summands = foldable ? this.#sum(before) : undefined;
    if (masked === undefined && summands === undefined) return undefined;
    return {
      from: summands?.[0] ?? before,
      steps: [
        ...(summands === undefined ? [] : ['add' as const]),
        ...(masked === undefined ? [] : ['relu' as const]),
      ],
      operands: [
        ...(summands === undefined ? [] : [summands[1]]),
        ...(masked === undefined ? [] : [masked.output]),
      ],
    };
  }

  /** `where(output <= 0, 0, gradient)`: ReLU's backward. */
  #mask(value: number): { gradient: number; output: number } | undefined {
    const [condition, zero, gradient] = this.#operands(value, 'where') ?? [];
    if (gradient === undefined || !this.#isZero(zero!)) return undefined;
    const [output, threshold] = this.#operands(condition!, 'le') ?? [];
    if (output === undefined || !this.#isZero(threshold!)) return undefined;
    return this.#alike(value, gradient, output) ? { gradient, output } : undefined;
  }

  #sum(value: number): readonly [number, number] | undefined {
    const [a, b] = this.#operands(value, 'add') ?? [];
    return a !== undefined && b !== undefined && this.#alike(value, a, b) ? [a, b] : undefined;
  }

  #operands(value: number, fn: Call['fn']): readonly number[] | undefined {
    const maker = this.made.get(value);
    return maker?.fn === fn ? maker?.inputs : undefined;
  }

  #isZero(value: number): boolean {
    const maker = this.made.get(value);
    return maker?.kernel === 'fill' && maker.attrs.value === 0;
  }

  #alike(...values: number[]): boolean {
    const [first, ...others] = values.map((value) => this.ir.types[value]!);
    return others.every(
      ({ dtype, shape }) => dtype === first!.dtype && sameShape(shape, first!.shape),
    );
  }

  #isReadOnce(value: number): boolean {
    return this.#readers.get(value)!.length === 1 && !this.#roots.has(value);
  }
}
