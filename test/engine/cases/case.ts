/** What a kernel case is, and the generators its inputs are made with. */

import { type DType, isFloating } from '../../../src/base/dtype.ts';
import { numel, type Shape } from '../../../src/base/shape.ts';
import type { KernelAttrs, KernelName } from '../../../src/engine/kernels.ts';
import type { Attrs, Program, ValueType } from '../../../src/engine/program.ts';

/** Numbers in [0, 1). */
export type Random = () => number;

/** Gives element `i` of an input; the harness rounds it to the input's dtype. */
export type Fill = (i: number, random: Random) => number;

export interface CaseInput extends ValueType {
  readonly fill: Fill;
}

export interface KernelCase {
  readonly name: string;
  readonly kernel: KernelName;
  readonly attrs: Attrs;
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly ValueType[];
  /** Relative error allowed; by default that of the least exact floating dtype involved. */
  readonly tolerance?: number;
  /** `element`: errors are relative to each number, not to the output's mean magnitude. */
  readonly relativeTo?: 'element';
  /** What the outputs have in common whatever the engine chose, such as signs of vectors. */
  readonly invariants?: (outputs: readonly Float64Array[]) => readonly Float64Array[];
  /** The run must be rejected with this message. */
  readonly fails?: RegExp;
}

type Options = Pick<KernelCase, 'tolerance' | 'relativeTo' | 'invariants' | 'fails'>;

/** A case whose attributes are checked against the kernel's. */
export function kernelCase<K extends KernelName>(
  kernel: K,
  name: string,
  attrs: KernelAttrs[K],
  inputs: readonly CaseInput[],
  outputs: readonly ValueType[],
  options: Options = {},
): KernelCase {
  return { kernel, name: `${kernel}: ${name}`, attrs: attrs as Attrs, inputs, outputs, ...options };
}

export function type(dtype: DType, ...shape: number[]): ValueType {
  return { dtype, shape };
}

export function input(dtype: DType, shape: Shape, fill: Fill = usual(dtype)): CaseInput {
  return { dtype, shape, fill };
}

/** Around zero for floating dtypes, small integers otherwise, negative ones where they exist. */
export function usual(dtype: DType): Fill {
  if (isFloating(dtype)) return between(-2, 2);
  if (dtype === 'bool') return integers(0, 1);
  return dtype === 'uint8' ? integers(0, 9) : integers(-9, 9);
}

export function between(low: number, high: number): Fill {
  return (_, random) => low + (high - low) * random();
}

/** Integers from `low` to `high`, both included. */
export function integers(low: number, high: number): Fill {
  return (_, random) => low + Math.floor((high - low + 1) * random());
}

/** These numbers, over and over. */
export function cycle(values: readonly number[]): Fill {
  return (i) => values[i % values.length]!;
}

/** Elements of an input in float64, not yet rounded to its dtype. The seed is the case's name. */
export function generate({ shape, fill }: CaseInput, seed: string): Float64Array {
  const random = seeded(seed);
  return Float64Array.from({ length: numel(shape) }, (_, i) => fill(i, random));
}

/** The Program of one instruction whose inputs and outputs are all bound, in order. */
export function programOf({ kernel, attrs, inputs, outputs, name }: KernelCase): Program {
  const first = inputs.length;
  return {
    values: [...inputs, ...outputs].map(({ dtype, shape }) => ({ dtype, shape })),
    instructions: [
      {
        kernel,
        attrs,
        label: name,
        inputs: inputs.map((_, i) => i),
        outputs: outputs.map((_, i) => first + i),
      },
    ],
    bindings: [
      ...inputs.map((_, i) => ({ access: 'read' as const, value: i })),
      ...outputs.map((_, i) => ({ access: 'write' as const, value: first + i })),
    ],
    scalars: [],
  };
}

function hash(text: string): number {
  let state = 2166136261;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16777619);
  return state;
}

/** Numbers that depend on `seed` alone (mulberry32), so that a failing case fails again. */
export function seeded(seed: string): Random {
  let state = hash(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
