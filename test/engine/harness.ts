/** Runs kernel cases on an engine and compares the results of two. */

import { expect } from 'vitest';
import { type DType, type HostArray, isFloating, toHostArray } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import type { Engine, Executable, Storage } from '../../src/engine/engine.ts';
import { type KernelName, LAPACK_KERNELS } from '../../src/engine/kernels.ts';
import { loadAddon } from '../../src/engine/native/loader.ts';
import type { ValueType } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { fromHost } from '../../src/engine/reference/values.ts';
import { generate, type KernelCase, programOf } from './cases/case.ts';

/** Whether the native engine has the kernel here: some need LAPACK, which may be missing. */
export function isHere(kernel: KernelName): boolean {
  return loadAddon().info().lapack !== null || !LAPACK_KERNELS.includes(kernel);
}

/** The case's inputs, rounded to their dtypes, so that every engine computes from equal numbers. */
export function hostInputs(kernelCase: KernelCase): HostArray[] {
  const engine = referenceEngine();
  return kernelCase.inputs.map((input, i) => {
    const storage = engine.allocate(input.dtype, numel(input.shape));
    engine.writeExact(storage, generate(input, `${kernelCase.name} input ${i}`));
    return engine.readSync(storage);
  });
}

/** A case loaded on an engine, with buffers of its own. */
export class LoadedCase {
  readonly #executable: Executable;
  readonly #engine: Engine;
  readonly #inputs: readonly Storage[];
  readonly #outputs: readonly Storage[];

  constructor(engine: Engine, kernelCase: KernelCase, inputs: readonly HostArray[]) {
    const allocate = ({ dtype, shape }: ValueType) => engine.allocate(dtype, numel(shape));
    this.#engine = engine;
    this.#executable = engine.load(programOf(kernelCase));
    this.#inputs = kernelCase.inputs.map(allocate);
    this.#outputs = kernelCase.outputs.map(allocate);
    this.#inputs.forEach((storage, i) => {
      engine.write(storage, inputs[i]!);
    });
  }

  /** One run over outputs full of rubbish, which a kernel must overwrite. */
  runSync(): HostArray[] {
    for (const output of this.#outputs) this.#engine.write(output, rubbish(output));
    this.#executable.runSync([...this.#inputs, ...this.#outputs], []);
    return this.#outputs.map((output) => this.#engine.readSync(output));
  }

  run(): Promise<void> {
    return this.#executable.run([...this.#inputs, ...this.#outputs], []);
  }

  dispose(): void {
    this.#executable.dispose();
    for (const storage of [...this.#inputs, ...this.#outputs]) storage.dispose();
  }
}

function rubbish({ dtype, numel: count }: Storage): HostArray {
  const value = isFloating(dtype) ? Number.NaN : dtype === 'bool' ? 1 : 77;
  return toHostArray(dtype, new Float64Array(count).fill(value));
}

/** Runs a case once on an engine. */
export function runCase(engine: Engine, kernelCase: KernelCase, inputs: HostArray[]): HostArray[] {
  const loaded = new LoadedCase(engine, kernelCase, inputs);
  const outputs = loaded.runSync();
  loaded.dispose();
  return outputs;
}

interface Accuracy {
  /** Relative error. */
  readonly tolerance: number;
  /** Below this size a number may become 0: engines need not keep denormal numbers. */
  readonly tiny: number;
}

const ACCURACY: Record<DType, Accuracy> = {
  float64: { tolerance: 1e-12, tiny: 1e-300 },
  float32: { tolerance: 1e-5, tiny: 2e-38 },
  bfloat16: { tolerance: 1e-2, tiny: 2e-38 },
  float16: { tolerance: 2e-3, tiny: 2 ** -24 },
  int64: { tolerance: 0, tiny: 0 },
  int32: { tolerance: 0, tiny: 0 },
  uint8: { tolerance: 0, tiny: 0 },
  bool: { tolerance: 0, tiny: 0 },
};

/** Fails the test, naming the first and the worst element, unless the outputs agree. */
export function expectAgreement(
  kernelCase: KernelCase,
  actual: readonly HostArray[],
  expected: readonly HostArray[],
): void {
  const invariants = kernelCase.invariants ?? ((outputs) => outputs);
  const found = invariants(actual.map(fromHost));
  invariants(expected.map(fromHost)).forEach((wanted, i) => {
    const { dtype } = kernelCase.outputs[i] ?? kernelCase.outputs[0]!;
    const message = disagreement(dtype, found[i]!, wanted, kernelCase);
    if (message !== undefined) expect.fail(`output ${i}: ${message}`);
  });
}

/** What is wrong with `actual`, or `undefined` when it agrees within the dtype's accuracy. */
function disagreement(
  dtype: DType,
  actual: Float64Array,
  expected: Float64Array,
  { tolerance, relativeTo }: Pick<KernelCase, 'tolerance' | 'relativeTo'> = {},
): string | undefined {
  if (actual.length !== expected.length) {
    return `${actual.length} elements instead of ${expected.length}`;
  }
  const accuracy = ACCURACY[dtype];
  const relative = isFloating(dtype) ? (tolerance ?? accuracy.tolerance) : 0;
  const scale = relativeTo === 'element' ? 0 : meanMagnitude(expected);
  let wrong = 0;
  let first = '';
  expected.forEach((value, i) => {
    const got = actual[i]!;
    if (Object.is(got, value) || got === value) return;
    const error = Math.abs(got - value); // NaN or infinite unless both are finite
    if (error <= relative * (Math.abs(value) + scale) + accuracy.tiny) return;
    if (wrong++ === 0) first = `element ${i} is ${got}, expected ${value}`;
  });
  return wrong === 0 ? undefined : `${wrong} of ${expected.length} elements differ: ${first}`;
}

/** Errors of sums are measured against the whole output: a number near 0 may be a cancellation. */
function meanMagnitude(values: Float64Array): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, finite.length);
}
