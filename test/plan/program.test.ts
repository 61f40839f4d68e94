/** Programs as text, and the check that none is broken. */

import { describe, expect, test } from 'vitest';
import type { Binding, Instruction, Program, ValueType } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import {
  compile,
  nn,
  noGrad,
  optim,
  setEngine,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts';
import { collect } from '../../src/plan/graph.ts';
import { attrsKey } from '../../src/plan/key.ts';
import { printProgram } from '../../src/plan/print.ts';
import { signature } from '../../src/plan/signature.ts';
import { verify } from '../../src/plan/verify.ts';

setEngine(referenceEngine());

describe('printProgram', () => {
  test('shows a training step', () => {
    const w = zeros([2, 3]).requires_grad_();
    const sgd = new optim.SGD([w], { lr: 0.1 });
    const step = compile(
      (x: Tensor) => {
        sgd.zeroGrad();
        const loss = nn.functional.linear(x, w).relu().sum();
        loss.backward();
        sgd.step();
        return loss;
      },
      { state: [sgd] },
    );
    expect(step.inspect(zeros([4, 3])).program).toMatchInlineSnapshot(`
      "binding 0: update %0 <- %1  float32 (2, 3)
      binding 1: read %2  float32 (4, 3)
      binding 2: write %6  float32 ()
      scalar 0: %3  float32 ()
      scalar 1: %4  float32 ()
      %5 = matmul{transpose_a: false, transpose_b: true, epilogue: ["relu"]}(%2, %0)  float32 (4, 2)  # matmul + relu
      %6 = reduce{fn: "sum", dims: [0,1]}(%5)  float32 ()  # sum
      %7 = pointwise[const le const where](%5)  float32 (4, 2)  # le + where
      %8 = matmul{transpose_a: true, transpose_b: false}(%7, %2)  float32 (2, 3)  # matmul
      %1 = fused_sgd{weight_decay: 0, nesterov: false, maximize: false, momentum: 0, scaled: false}(%3, %4, %0, %8)  float32 (2, 3)  # fused_sgd"
    `);
  });
});

const f32 = (...shape: number[]): ValueType => ({ dtype: 'float32', shape });
const exp = (input: number, output: number): Instruction => ({
  kernel: 'softmax',
  inputs: [input],
  outputs: [output],
  attrs: { dim: 0 },
  label: 'softmax',
});

/** b = softmax(a), and whatever a test breaks of it. */
function program(broken: Partial<Program> = {}): Program {
  return {
    values: [f32(2), f32(2)],
    instructions: [exp(0, 1)],
    bindings: [
      { access: 'read', value: 0 },
      { access: 'write', value: 1 },
    ],
    scalars: [],
    ...broken,
  };
}

describe('verify', () => {
  const read = (value: number): Binding => ({ access: 'read', value });
  const write = (value: number): Binding => ({ access: 'write', value });

  test('passes a sound Program', () => {
    expect(() => verify(program())).not.toThrow();
    expect(printProgram(program())).toBe(
      'binding 0: read %0  float32 (2,)\nbinding 1: write %1  float32 (2,)\n' +
        '%1 = softmax{dim: 0}(%0)  float32 (2,)  # softmax',
    );
  });

  test.each<[string, Partial<Program>, string]>([
    [
      'a value that is never made',
      { bindings: [write(1)] },
      'instruction 0 softmax (softmax): value 0 is read before it is made',
    ],
    [
      'a value made later',
      { values: [f32(2), f32(2), f32(2)], instructions: [exp(1, 2), exp(0, 1)] },
      'value 1 is read before it is made',
    ],
    ['a value made twice', { instructions: [exp(0, 1), exp(0, 1)] }, 'value 1 is made twice'],
    ['an output over an input', { instructions: [exp(0, 0)] }, 'value 0 is made twice'],
    ['a value out of range', { bindings: [read(0), read(7)] }, 'binding 1: no value 7'],
    [
      'a result that is never made',
      { instructions: [] },
      'binding 1: value 1 is read before it is made',
    ],
    [
      'an update without a result',
      { instructions: [], bindings: [{ access: 'update', value: 0, result: 1 }] },
      'binding 0: value 1 is read before it is made',
    ],
    [
      'a scalar with a shape',
      { bindings: [write(1)], scalars: [0] },
      'scalar 0 is not zero-dimensional',
    ],
    ['a size that is none', { values: [f32(2), f32(-1)] }, 'value 1 has type float32 [-1]'],
    [
      'an unknown dtype',
      { values: [f32(2), { dtype: 'half' as never, shape: [] }] },
      'value 1 has type half []',
    ],
  ])('finds %s', (_, broken, message) => {
    expect(() => verify(program(broken))).toThrow(message);
  });

  test('finds an update whose result has another type', () => {
    const bindings: Binding[] = [{ access: 'update', value: 0, result: 1 }];
    expect(() => verify(program({ bindings, values: [f32(2), f32(2)] }))).not.toThrow();
    expect(() => verify(program({ bindings, values: [f32(2), f32(3)] }))).toThrow(
      'binding 0: float32 [2] is updated with float32 [3]',
    );
  });
});

describe('keys', () => {
  test('are equal for equal attributes only', () => {
    const attrs = [
      { a: 0 },
      { a: -0 },
      { a: Number.NaN },
      { a: Infinity },
      { a: -Infinity },
      { a: 0, b: 1 },
      { a: [0, 1] },
    ];
    expect(new Set(attrs.map(attrsKey)).size).toBe(attrs.length);
    expect(attrsKey({ a: [1, 2] })).toBe(attrsKey({ a: [1, 2] }));
  });

  test('a signature tells graphs apart by structure, not by their numbers', () => {
    const of = (y: Tensor) => signature(collect([y.value]), [y.value]);
    const a = tensor([1, 2]);
    const b = tensor([3, 4]);
    expect(of(a.mul(b))).toBe(of(a.mul(tensor([0, 0]))));
    expect(of(a.mul(a))).not.toBe(of(a.mul(b)));
    expect(of(a.add(1))).not.toBe(of(a.add(2)));
    expect(of(a.sum(0))).not.toBe(of(a.reshape([1, 2]).sum(0)));
    expect(of(a.add(b))).not.toBe(of(a.sub(b)));
    const moved = noGrad(() => a.detach());
    expect(of(moved.exp())).not.toBe(of(a.exp()));
  });
});
