/** Runs one kernel on the reference engine with literal numbers. */

import { expect } from 'vitest';
import { numel } from '../../src/base/shape.ts';
import type { KernelAttrs, KernelName } from '../../src/engine/kernels.ts';
import type { ValueType } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { input, kernelCase, programOf, type } from './cases/case.ts';

const engine = referenceEngine();

export type Given = readonly [type: ValueType, values: readonly number[]];

/** The outputs of one kernel, in float64. */
export function outputs<K extends KernelName>(
  kernel: K,
  attrs: KernelAttrs[K],
  given: readonly Given[],
  ...results: ValueType[]
): number[][] {
  const inputs = given.map(([{ dtype, shape }]) => input(dtype, shape));
  const executable = engine.load(programOf(kernelCase(kernel, 'by hand', attrs, inputs, results)));
  const storages = [...inputs, ...results].map(({ dtype, shape }) =>
    engine.allocate(dtype, numel(shape)),
  );
  given.forEach(([, values], i) => {
    engine.writeExact(storages[i]!, values);
  });
  executable.runSync(storages, []);
  return storages.slice(inputs.length).map((storage) => [...engine.readExact(storage)]);
}

/** The only output. */
export function output<K extends KernelName>(
  kernel: K,
  attrs: KernelAttrs[K],
  given: readonly Given[],
  result: ValueType,
): number[] {
  return outputs(kernel, attrs, given, result)[0]!;
}

export const f64 = (...shape: number[]) => type('float64', ...shape);
export const i64 = (...shape: number[]) => type('int64', ...shape);

export function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    if (Number.isFinite(value)) expect(actual[i]).toBeCloseTo(value, 12);
    else expect(actual[i]).toBe(value);
  });
}
