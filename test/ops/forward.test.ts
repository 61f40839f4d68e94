/** Every case on the reference engine: outputs and gradients against PyTorch's or literal ones. */

import { describe, expect, test } from 'vitest';
import { type DType, isFloating } from '../../src/base/dtype.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withEngine } from '../../src/index.ts';
import type { OpCase } from './case.ts';
import { CASES } from './cases.ts';
import { expectClose, halfWidthLimit } from './close.ts';
import { exactly, type Ran, runCase } from './gradients.ts';
import { type Recorded, recordedCases } from './recorded.ts';

const recorded = recordedCases();

/** PyTorch rounds to the dtype after every op where the reference does not. */
function tolerance({ inputs }: OpCase, outputs: readonly DType[]): number {
  const dtypes = [...inputs.map(({ dtype }) => dtype), ...outputs];
  const rough = halfWidthLimit(dtypes);
  if (rough !== undefined) return rough;
  // Only floating inputs can be raised to float64; integers give float32.
  return inputs.some(({ dtype }) => isFloating(dtype)) ? 1e-9 : 1e-6;
}

test.each(CASES)('$name', (opCase) => {
  withEngine(referenceEngine(), () => {
    const exact = runCase(opCase, exactly);
    if (opCase.expected !== undefined) {
      for (const [i, numbers] of exact.numbers.entries()) {
        expectClose(numbers, opCase.expected[i]!, { rtol: 1e-12, atol: 1e-12 });
      }
      return;
    }
    expectAnswer(opCase, exact, recorded[opCase.name]!);
  });
});

function expectAnswer(opCase: OpCase, exact: Ran, answer: Recorded): void {
  const declared = runCase(opCase).outputs;
  expect(declared.map(({ dtype }) => dtype)).toEqual(answer.dtypes);
  expect(declared.map(({ shape }) => [...shape])).toEqual(answer.shapes);
  const limit = tolerance(opCase, answer.dtypes);
  const limits = { rtol: limit, atol: limit };
  for (const [i, numbers] of exact.numbers.entries()) {
    expectClose(numbers, answer.outputs[i]!.map(Number), limits);
  }
  if (!opCase.grad) return;
  for (const [i, gradient] of exact.gradients.entries()) {
    if (!isFloating(opCase.inputs[i]!.dtype)) continue;
    expectClose(gradient ?? [], (answer.gradients[i] ?? []).map(Number), limits);
  }
}

describe('the table', () => {
  test('has distinct names, because they choose the numbers', () => {
    const names = CASES.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('says what every case must give', () => {
    const silent = CASES.filter(
      ({ torch, expected }) => torch === undefined && expected === undefined,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});
