/** Nothing is left out: every row of the op table and every function of an op has a case. */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isFloating } from '../../src/base/dtype.ts';
import type { Node } from '../../src/core/graph.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { grad, isGradEnabled, Tensor, withEngine, zeros } from '../../src/index.ts';
import * as aliases from '../../src/ops/aliases.ts';
import { allOps } from '../../src/ops/define.ts';
import { collect } from '../../src/plan/graph.ts';
import { camelCase } from '../torch/names.ts';
import { nameOf, readRecording } from '../torch/samples.ts';
import { listOf, type OpCase, tensorsOf } from './case.ts';
import { CASES } from './cases.ts';

/** Rows that only gradients hold. */
const BACKWARD = /_(backward|derivative)$/;

test.each([...allOps().keys()])('row %s has a case whose graph holds it', (name) => {
  expect(isGradEnabled()).toBe(true);
  const found = CASES.filter(({ op }) => op === name.replace(BACKWARD, '')).some((opCase) =>
    withEngine(referenceEngine(), () => {
      const nodes = collect(graphOf(opCase).map((output) => output.value)) as Node[];
      return nodes.some((node) => node.op.name === name);
    }),
  );
  expect(found).toBe(true);
});

/** The outputs of a case and, where there are any, its gradients. */
function graphOf(opCase: OpCase): Tensor[] {
  const inputs = tensorsOf(opCase).map((x) =>
    opCase.grad && isFloating(x.dtype) ? x.requires_grad_() : x,
  );
  const outputs = listOf(opCase.run(...inputs));
  const roots = outputs.filter((output) => output.requires_grad);
  if (roots.length === 0) return [...outputs];
  const grad_outputs = roots.map(({ shape, dtype }) => zeros(shape, { dtype }));
  const gradients = grad(roots, inputs, { grad_outputs, allow_unused: true });
  return [...outputs, ...gradients.filter((gradient) => gradient !== null)];
}

/** Methods that are another's other name, and those that test/core covers. */
const ELSEWHERE = [
  ...['view', 'to', 'float', 'double', 'long', 'bool', 'backward'],
  ...['registerHook', 'retainGrad'],
  ...Object.keys(aliases),
];
const INPLACE = /_$/;

const samples = readRecording(
  fileURLToPath(new URL('../fixtures/torch/samples', import.meta.url)),
).samples;

test("every op method of Tensor has a case or one of PyTorch's samples", () => {
  const own = Object.getOwnPropertyNames(class {}.prototype);
  const methods = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => {
    const { value, enumerable } = Object.getOwnPropertyDescriptor(Tensor.prototype, name)!;
    // Methods of the class body are writable, attached ops are not.
    const attached = typeof value === 'function' && !enumerable && !writable(name);
    return attached && !own.includes(name) && !INPLACE.test(name) && !ELSEWHERE.includes(name);
  });
  expect(methods.length).toBeGreaterThan(50);
  const covered = new Set([...CASES.map(({ op }) => op), ...samples.map(nameOf)]);
  const known = new Set([...covered].map(camelCase));
  expect(methods.filter((name) => !known.has(name))).toEqual([]);
});

function writable(name: string): boolean {
  return Object.getOwnPropertyDescriptor(Tensor.prototype, name)!.writable === true;
}
