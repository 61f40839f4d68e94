/** What fusion makes of well-known graphs: how many calls, of what. */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withOff } from '../../src/engine/switches.ts';
import {
  compile,
  nn,
  noGrad,
  optim,
  setEngine,
  type Tensor,
  tensor,
  where,
  zeros,
} from '../../src/index.ts';
import { linear } from '../../src/ops/matmul.ts';

setEngine(referenceEngine());

/** The instructions of a step, as printed, without their types and labels. */
function instructions(step: (...args: Tensor[]) => unknown, args: Tensor[], state: Tensor[] = []) {
  const text = compile(step as () => undefined, { state }).inspect(...(args as [])).program;
  return text
    .split('\n')
    .filter((line) => line.includes(' = '))
    .map((line) => line.split(' = ')[1]!.split('(')[0]!);
}

const x = zeros([4, 3]);

describe('one call', () => {
  test.each<[string, (...args: Tensor[]) => unknown, Tensor[], string[]]>([
    [
      'bias and ReLU after a product',
      (a, w, b) => linear(a!, w!, b!).relu(),
      [x, zeros([2, 3]), zeros([2])],
      ['matmul'],
    ],
    ['a chain of functions', (a) => a!.exp().add(1).log().mul(2), [x], ['pointwise']],
    ['a diamond', (a) => a!.sin().mul(a!.cos()).add(a!.sin()), [x], ['pointwise']],
    ['two results', (a) => [a!.exp(), a!.exp().mul(2)], [x], ['pointwise']],
    ['an expanded operand', (a, b) => a!.mul(b!.expand([4, 3])), [x, zeros([3])], ['pointwise']],
    ['casts between', (a) => a!.to('float64').add(1).to('bfloat16'), [x], ['pointwise']],
    ['another cast', (a) => a!.half().add(1).float(), [x], ['pointwise']],
    ['what is computed twice', (a) => a!.exp().add(a!.exp()), [x], ['pointwise']],
  ])('%s', (_, step, args, expected) => {
    const kernels = instructions(step, args).map((text) => text.replace(/[[{].*/, ''));
    expect(kernels).toEqual(expected);
  });

  test('equal subexpressions are computed once', () => {
    expect(instructions((a) => a!.exp().add(a!.exp()), [x])).toEqual(['pointwise[exp add]']);
  });

  test.each<[string, string[], string[]]>([
    ['for all parameters', [], ['fused_sgd']],
    ['op by op, for each parameter', ['fused_optimizer'], ['pointwise', 'pointwise']],
  ])('an SGD update with momentum and decay, %s', (_, off, expected) => {
    const parameters = [zeros([2, 3]), zeros([5])].map((p) => p.requires_grad_());
    const sgd = new optim.SGD(parameters, {
      lr: 0.1,
      momentum: 0.9,
      weight_decay: 0.01,
      nesterov: true,
    });
    const update = (...gradients: Tensor[]) => {
      for (const [i, p] of parameters.entries()) p.grad = gradients[i]!;
      sgd.step();
    };
    const gradients = parameters.map(({ shape }) => zeros(shape));
    const calls = withOff(off, () => instructions(update, gradients, sgd.stateTensors()));
    expect(calls.map((text) => text.replace(/[[{].*/, ''))).toEqual(expected);
  });
});

describe('several calls', () => {
  test('a reduction ends a group, and its readers start another', () => {
    const kernels = instructions((a) => a!.exp().div(a!.exp().sum(1, true)), [x]);
    expect(kernels.map((text) => text.replace(/[[{].*/, ''))).toEqual([
      'pointwise',
      'reduce',
      'alias',
      'pointwise',
    ]);
  });

  test('a group is never larger than its limit', () => {
    let count = 0;
    const chain = (a: Tensor) => {
      let y = a;
      // Squares of sums, so that nothing is equal to anything else.
      for (; count < 100; count++) y = y.mul(y).add(count);
      return y;
    };
    const groups = instructions((a) => chain(a!), [x]);
    expect(groups.length).toBeGreaterThan(200 / 32 - 1);
    expect(groups.length).toBeLessThan(20);
  });

  test('a value that is needed before the group ends is not held back', () => {
    // relu(a) feeds both the sum and, through it, a member of its own group.
    const kernels = instructions(
      (a) => {
        const y = a!.relu();
        return y.add(y.sum(0)).mul(y);
      },
      [x],
    );
    expect(kernels.map((text) => text.replace(/[[{].*/, ''))).toEqual([
      'pointwise',
      'reduce',
      'pointwise',
    ]);
  });

  test('nothing dead is left', () => {
    const kernels = instructions(
      (a) => {
        a!.exp().sum();
        return a!.add(1);
      },
      [x],
    );
    expect(kernels).toEqual(['pointwise[const add]']);
  });
});

test('immediates tell zeros, NaN and infinities apart within one group', () => {
  const one = tensor([1]);
  const f = compile((a: Tensor) => [
    a.mul(0).add(-0).reciprocal(),
    a.mul(-0).add(-0).reciprocal(),
    where(a.gt(0), Infinity, a),
    where(a.gt(0), -Infinity, a),
    where(a.gt(0), Number.NaN, a),
  ]);
  expect(f.sync(one).map((y) => y.item())).toEqual([
    Infinity,
    -Infinity,
    Infinity,
    -Infinity,
    Number.NaN,
  ]);
});

test('a model keeps one call per layer', () => {
  const model = new nn.Sequential([
    new nn.Linear({ in_features: 3, out_features: 4 }),
    new nn.ReLU(),
    new nn.Linear({ in_features: 4, out_features: 2 }),
  ]);
  const kernels = instructions((a) => noGrad(() => model.call(a!)), [x]);
  expect(kernels.map((text) => text.replace(/[[{].*/, ''))).toEqual(['matmul', 'matmul']);
});
