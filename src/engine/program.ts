/**
 * The Program: what the planner gives to an engine. A flat list of kernel calls over numbered
 * values. It says what is computed and in which order; where a value lives (arena offset, layout,
 * in place or not) is the engine's to decide.
 */

import type { DType } from '../base/dtype.ts';
import type { Shape } from '../base/shape.ts';
import type { KernelName } from './kernels.ts';

/** A kernel argument that is known when the Program is built. */
export type Attr = number | boolean | string | readonly number[] | readonly string[];
export type Attrs = Readonly<Record<string, Attr>>;

/** The type of one value. Values are dense and row-major as far as a Program can tell. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One kernel call. `inputs` and `outputs` are indices into `Program.values`. */
export interface Instruction {
  readonly kernel: KernelName;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attrs: Attrs;
  /** The ops this call stands for and the module they came from; shown in errors and profiles. */
  readonly label: string;
  /** Floating-point operations of those ops that count theirs; an engine needs not know them. */
  readonly flops?: number;
}

/**
 * A buffer the caller owns and passes to every run.
 *
 * - `read`: `value` holds the caller's contents during the run.
 * - `write`: the caller's buffer receives `value`.
 * - `update`: `value` holds the contents at the start; `result` replaces them at the end. Until
 *   then every instruction that reads `value` sees the old contents.
 */
export type Binding =
  | { readonly access: 'read' | 'write'; readonly value: number }
  | { readonly access: 'update'; readonly value: number; readonly result: number };

export interface Program {
  readonly values: readonly ValueType[];
  /** In execution order: every input of an instruction is a binding, a scalar or made earlier. */
  readonly instructions: readonly Instruction[];
  /** Caller-owned buffers, in the order `run` takes them. */
  readonly bindings: readonly Binding[];
  /** Zero-dimensional values given as plain numbers to every run, in that order. */
  readonly scalars: readonly number[];
}
