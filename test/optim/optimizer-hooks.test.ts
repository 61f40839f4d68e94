/** Hooks around an optimizer's steps and of its state. */

import { expect, test } from 'vitest';
import { compile, optim, tensor } from '../../src/index.ts';

const leaf = () => tensor([1, 2], { requires_grad: true });

test('step hooks come before and after, until they are removed', () => {
  const p = leaf();
  const sgd = new optim.SGD([p], { lr: 1 });
  const seen: unknown[] = [];
  const loss = () => {
    p.grad = tensor([1, 1]);
    return tensor(5);
  };
  const before = sgd.registerStepPreHook((optimizer, args) => {
    seen.push([optimizer === sgd, args.length, p.tolist()]);
    return [loss];
  });
  const after = sgd.registerStepPostHook((_, [closure]) => {
    seen.push([closure === loss, p.tolist()]);
  });
  expect(sgd.step()!.item()).toBe(5);
  expect(seen).toEqual([
    [true, 1, [1, 2]],
    [true, [0, 1]],
  ]);
  before.remove();
  after.remove();
  p.grad = null;
  sgd.step();
  expect(seen).toHaveLength(2);
});

test('a step hook of LBFGS sees whole steps', () => {
  const p = leaf();
  const lbfgs = new optim.LBFGS([p], { max_iter: 3 });
  let steps = 0;
  lbfgs.registerStepPostHook(() => {
    steps++;
  });
  lbfgs.step(() => {
    lbfgs.zeroGrad();
    const loss = p.square().sum();
    loss.backward();
    return loss;
  });
  expect(steps).toBe(1);
});

test('hooks are part of a compiled step, which is traced again when they change', () => {
  const p = leaf();
  const sgd = new optim.SGD([p], { lr: 1 });
  const retraced: string[] = [];
  const step = compile(
    () => {
      p.grad = tensor([1, 1]);
      sgd.step();
      return p.sum();
    },
    { state: [sgd], onRetrace: (why) => retraced.push(why) },
  );
  expect(step.sync().item()).toBe(1);
  const handle = sgd.registerStepPreHook(() => {
    p.grad = p.grad!.mul(2);
  });
  expect(step.sync().item()).toBe(-3);
  expect(step.sync().item()).toBe(-7);
  handle.remove();
  expect(step.sync().item()).toBe(-9);
  expect(retraced).toHaveLength(2);
});

test('state dict hooks change what is saved and what is loaded', () => {
  const sgd = new optim.SGD([leaf()], { lr: 1 });
  const saved = sgd.stateDict();
  sgd.registerStateDictPostHook((_, dict) => ({ ...dict, note: 'saved' }));
  expect(sgd.stateDict()).toMatchObject({ note: 'saved' });
  sgd.registerLoadStateDictPreHook((_, dict) => {
    dict.param_groups = dict.param_groups.map((group) => ({ ...group, lr: 7 }));
  });
  sgd.loadStateDict(saved);
  expect([sgd.param_groups[0]!.lr, saved.param_groups[0]!.lr]).toEqual([7, 1]);
});
