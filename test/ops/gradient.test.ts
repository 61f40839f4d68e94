/** Every differentiable case against finite differences, once and twice differentiated. */

import { expect, test } from 'vitest';
import { isFloating } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { gradcheck, gradgradcheck, type Tensor, withEngine } from '../../src/index.ts';
import { listOf, type OpCase, tensorsOf } from './case.ts';
import { CASES } from './cases.ts';
import { exactly } from './gradients.ts';

function differentiable({ inputs, grad, smooth }: OpCase): boolean {
  const floating = inputs.filter(({ dtype }) => dtype === 'float32' || dtype === 'float64');
  const narrow = inputs.some(({ dtype }) => dtype === 'bfloat16');
  return grad && smooth && !narrow && floating.some(({ shape }) => numel(shape) > 0);
}

const leaves = (opCase: OpCase): Tensor[] =>
  tensorsOf(opCase, exactly).map((x) => (isFloating(x.dtype) ? x.requires_grad_() : x));

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
