/** Parameter groups: later ones, named ones, and what is refused as in PyTorch. */

import { describe, expect, test } from 'vitest';
import { optim, type Tensor, tensor } from '../../src/index.ts';

const leaf = (values: number[] = [1, 2]) => tensor(values, { requires_grad: true });

function step(optimizer: optim.Optimizer, parameters: readonly Tensor[]): void {
  for (const p of parameters) p.grad = tensor([1, 1]);
  optimizer.step();
}

describe('addParamGroup', () => {
  test('adds parameters with options and a count of their own', () => {
    const [a, b] = [leaf(), leaf()];
    const adam = new optim.Adam([a], { lr: 0.5 });
    step(adam, [a]);
    adam.addParamGroup({ params: b, lr: 0.25 });
    expect(adam.param_groups.map(({ lr }) => lr)).toEqual([0.5, 0.25]);
    step(adam, [a, b]);
    expect([a, b].map((p) => adam.stepsOf(p))).toEqual([2, 1]);
    expect(b.tolist()).toEqual([0.75, 1.75]);
  });

  test('refuses a parameter that is there already', () => {
    const a = leaf();
    const sgd = new optim.SGD([a]);
    expect(() => sgd.addParamGroup({ params: [a] })).toThrow('[SGD] a parameter is given twice');
    expect(sgd.param_groups).toHaveLength(1);
  });
});

describe('names', () => {
  test('are kept beside the parameters', () => {
    const sgd = new optim.SGD([['weight', leaf()] as const]);
    expect(sgd.stateDict().param_groups[0]).toMatchObject({ params: [0], param_names: ['weight'] });
  });

  test.each<[string, () => unknown, string]>([
    [
      'of some parameters only',
      () => new optim.SGD([['a', leaf()], leaf()] as never),
      'either all parameters must have names, or none',
    ],
    [
      'of some groups only',
      () => new optim.SGD([{ params: [leaf()] }, { params: [['a', leaf()] as const] }]),
      'the parameters of all groups must have names, or those of none',
    ],
    ['instead of a list', () => new optim.SGD(leaf() as never), 'must be an array'],
  ])('%s are refused', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test('a rate that is a tensor is read at every step', () => {
  const p = leaf([0, 0]);
  const lr = tensor(0.5);
  const sgd = new optim.SGD([p], { lr });
  step(sgd, [p]);
  lr.fill_(0.25);
  step(sgd, [p]);
  expect(p.tolist()).toEqual([-0.75, -0.75]);
});

test('a differentiable step is part of the graph', () => {
  const begin = leaf([3, -1]);
  const p = begin.mul(1);
  const sgd = new optim.SGD([p], { lr: 0.1, momentum: 0.9, differentiable: true });
  p.grad = begin.mul(begin);
  sgd.step();
  p.sum().backward();
  // d (x - 0.1 x^2) / dx
  for (const [i, x] of [3, -1].entries()) {
    expect((begin.grad!.tolist() as number[])[i]).toBeCloseTo(1 - 0.2 * x, 6);
  }
});
