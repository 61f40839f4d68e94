/**
 * Nothing is left out: every kernel and every pointwise function has a case and runs everywhere.
 */

import { describe, expect, test } from 'vitest';
import type { KernelName } from '../../src/engine/kernels.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { isDefined } from '../../src/engine/reference/pointwise.ts';
import { KERNELS } from '../../src/engine/reference/table.ts';
import { programOf } from './cases/case.ts';
import { COMPUTE_TYPES, FNS } from './cases/pointwise.ts';
import { CASES } from './cases.ts';
import { isHere } from './harness.ts';

/** The reference's table is complete by its type, so its keys are all there are. */
const NAMES = Object.keys(KERNELS) as KernelName[];

test('case names are distinct, because they seed the inputs and label the errors', () => {
  const names = CASES.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each([
  ['reference', referenceEngine()],
  ['cpu', cpuEngine()],
] as const)('%s', (_, engine) => {
  test.for(NAMES)('has an implementation of %s', (name, { skip }) => {
    skip(engine.name === 'cpu' && !isHere(name), 'LAPACK is missing');
    const kernelCase = CASES.find(({ kernel }) => kernel === name);
    expect(kernelCase, 'no case in the table').toBeDefined();
    const executable = engine.load(programOf(kernelCase!));
    expect(executable.kernels).toHaveLength(1);
    expect(executable.kernels[0]).toMatchObject({ kernel: name, label: kernelCase!.name });
    expect(executable.kernels[0]!.method).not.toBe('');
    executable.dispose();
  });
});

test.each(COMPUTE_TYPES)('every pointwise function defined in %s has a case', (computed) => {
  const exercised = new Set(
    CASES.filter(({ kernel }) => kernel === 'pointwise').flatMap(({ attrs }) => {
      const { fns, types } = attrs as { fns: string[]; types: string[] };
      return fns.filter((_, k) => types[k] === computed);
    }),
  );
  const missing = FNS.filter((fn) => isDefined(fn, computed) && !exercised.has(fn));
  expect(missing).toEqual([]);
});
