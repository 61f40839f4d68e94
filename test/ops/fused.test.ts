/**
 * Every fused op against its composite, forward and backward, on both engines; and the composite's
 * own derivatives. The fused op's second derivatives are checked like every row's, in
 * gradient.test.ts.
 */

import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/core/graph.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withOff } from '../../src/engine/switches.ts';
import { gradcheck, gradgradcheck, withEngine } from '../../src/index.ts';
import { fusedOps } from '../../src/ops/fused.ts';
import { collect } from '../../src/plan/graph.ts';
import { CASES } from './cases.ts';
import { expectClose, halfWidthLimit } from './close.ts';
import { differentiable, exactly, leaves, type Ran, runCase } from './gradients.ts';

const names = fusedOps();
const cases = CASES.filter(({ op }) => names.includes(op));

function expectSame(fused: Ran, composite: Ran, limit: number): void {
  const types = ({ outputs }: Ran) => outputs.map(({ dtype, shape }) => ({ dtype, shape }));
  const limits = { rtol: limit, atol: limit };
  expect(types(fused)).toEqual(types(composite));
  for (const [i, numbers] of composite.numbers.entries()) {
    expectClose(fused.numbers[i]!, numbers, limits);
  }
  for (const [i, gradient] of composite.gradients.entries()) {
    expectClose(fused.gradients[i] ?? [], gradient ?? [], limits);
  }
}

const engines = [
  { name: 'reference', engine: referenceEngine, dtypeOf: exactly, limit: 1e-9 },
  { name: 'cpu', engine: cpuEngine, dtypeOf: undefined, limit: 1e-5 },
];

describe.each(engines)('on $name', ({ engine, dtypeOf, limit }) => {
  test.each(cases)('$name', (opCase) => {
    const rough = halfWidthLimit(opCase.inputs.map(({ dtype }) => dtype));
    withEngine(engine(), () => {
      const fused = runCase(opCase, dtypeOf);
      const composite = withOff(names, () => runCase(opCase, dtypeOf));
      expectSame(fused, composite, rough ?? limit);
    });
  });
});

test.each(cases.filter(differentiable))('$name, switched off', (opCase) => {
  withEngine(referenceEngine(), () =>
    withOff(names, () => {
      gradcheck(opCase.run, leaves(opCase));
      if (opCase.twice) gradgradcheck(opCase.run, leaves(opCase));
    }),
  );
});

test.each(names)('%s switched off leaves no node of it', (name) => {
  withEngine(referenceEngine(), () => {
    const opCase = cases.find(({ op }) => op === name)!;
    const nodesOf = ({ outputs }: Ran) => collect(outputs.map(({ value }) => value)) as Node[];
    const off = withOff([name], () => nodesOf(runCase(opCase)));
    expect(off.some((node) => node.op.name === name)).toBe(false);
  });
});
