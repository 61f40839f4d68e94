/** Every differentiable case against finite differences, once and twice differentiated. */

import { expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { gradcheck, gradgradcheck, withEngine } from '../../src/index.ts';
import { listOf } from './case.ts';
import { CASES } from './cases.ts';
import { differentiable, leaves } from './gradients.ts';

/** Some outputs of a case, such as a comparison, may have no gradient; one must. */
const checked = CASES.filter(differentiable).filter((opCase) =>
  withEngine(referenceEngine(), () =>
    listOf(opCase.run(...leaves(opCase))).some((y) => y.requires_grad),
  ),
);

test('most cases are checked', () => {
  expect(checked.length).toBeGreaterThan(CASES.length / 3);
});

test.each(checked)('$name', (opCase) => {
  withEngine(referenceEngine(), () => {
    gradcheck(opCase.run, leaves(opCase));
    if (opCase.twice) gradgradcheck(opCase.run, leaves(opCase));
  });
});
