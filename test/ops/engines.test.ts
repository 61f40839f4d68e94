/** Every case on the cpu engine, fused, against the reference engine, forward and backward. */

import { expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { loadAddon } from '../../src/engine/native/loader.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withEngine } from '../../src/index.ts';
import type { OpCase } from './case.ts';
import { CASES } from './cases.ts';
import { expectClose, halfWidthLimit, type Limits } from './close.ts';
import { type Ran, runCase } from './gradients.ts';

/** `undefined` where the engine was built without LAPACK and needs it. */
function computed(opCase: OpCase): Ran | undefined {
  try {
    return runCase(opCase);
  } catch (error) {
    const isMissing = loadAddon().info().lapack === null;
    if (isMissing && /needs LAPACK/.test((error as Error).message)) return undefined;
    throw error;
  }
}

/** By the narrowest dtype that takes part. */
function limits(dtypes: readonly DType[]): Limits {
  const rough = halfWidthLimit(dtypes);
  if (rough !== undefined) return { rtol: rough, atol: rough };
  if (dtypes.every((dtype) => dtype !== 'float32')) return { rtol: 1e-12, atol: 1e-12 };
  return { rtol: 2e-5, atol: 2e-6 };
}

test.for(CASES)('$name', (opCase, { skip }) => {
  const expected = withEngine(referenceEngine(), () => runCase(opCase));
  const actual = withEngine(cpuEngine(), () => computed(opCase));
  if (actual === undefined) return skip('LAPACK is missing');
  const dtypes = [...expected.outputs, ...opCase.inputs].map(({ dtype }) => dtype);
  expect(actual.outputs.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(
    expected.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
  );
  for (const [i, numbers] of expected.numbers.entries()) {
    expectClose(actual.numbers[i]!, numbers, limits(dtypes));
  }
  for (const [i, gradient] of expected.gradients.entries()) {
    expectClose(actual.gradients[i] ?? [], gradient ?? [], limits(dtypes));
  }
});
