/** What is LBFGS's own; its steps are compared with PyTorch's in recorded.test.ts. */

import { expect, test } from 'vitest';
import { compile, optim, tensor } from '../../src/index.ts';

const start = () => tensor([1, -2], { dtype: 'float64', requires_grad: true });

/** A valley whose lowest point is (1, 1). */
function rosenbrock(p: ReturnType<typeof start>) {
  return () => {
    p.grad = null;
    const [x, y] = [p.select(0, 0), p.select(0, 1)];
    const across = y.sub(x.mul(x));
    const along = x.sub(1);
    const loss = across.mul(across).mul(100).add(along.mul(along));
    loss.backward();
    return loss;
  };
}

test('finds the end of a bent valley', () => {
  const p = start();
  const lbfgs = new optim.LBFGS([p], { line_search_fn: 'strong_wolfe', max_iter: 60 });
  expect(lbfgs.step(rosenbrock(p)).item()).toBe(900);
  for (const value of p.tolist() as number[]) expect(value).toBeCloseTo(1, 5);
});

test('a saved state goes on where it was', () => {
  const options = { line_search_fn: 'strong_wolfe' as const, max_iter: 3 };
  const p = start();
  const lbfgs = new optim.LBFGS([p], options);
  lbfgs.step(rosenbrock(p));
  const q = tensor(p.tolist() as number[], { dtype: 'float64', requires_grad: true });
  const resumed = new optim.LBFGS([q], { lr: 0.1 });
  resumed.loadStateDict(lbfgs.stateDict());
  lbfgs.step(rosenbrock(p));
  resumed.step(rosenbrock(q));
  expect(q.tolist()).toEqual(p.tolist());
  expect(resumed.stateDict().state[0]!.n_iter).toBe(lbfgs.stateDict().state[0]!.n_iter);
});

test('one group may have options of its own', () => {
  const p = start();
  const options = { line_search_fn: 'strong_wolfe' as const, max_iter: 60, max_eval: 75 };
  const lbfgs = new optim.LBFGS([{ params: [p], ...options }]);
  lbfgs.step(rosenbrock(p));
  for (const value of p.tolist() as number[]) expect(value).toBeCloseTo(1, 5);
});

test.each<[string, () => unknown, string]>([
  ['two groups', () => new optim.LBFGS([{ params: [start()] }, { params: [start()] }]), 'only one'],
  [
    'one more group',
    () => new optim.LBFGS([start()]).addParamGroup({ params: start() }),
    'only one',
  ],
  [
    'groups of a spec',
    () => {
      const param_groups = [{ params: 'b' }];
      const named = [['a', start()] as const, ['b', start()] as const];
      return optim.build({ type: 'LBFGS', param_groups }, named);
    },
    '[LBFGS] there can be only one parameter group; it has no options for parts of a model',
  ],
  ['a step without a closure', () => new optim.LBFGS([start()]).step(), 'needs a closure'],
  [
    'a compiled step',
    () => {
      const p = start();
      const lbfgs = new optim.LBFGS([p]);
      return compile(() => lbfgs.step(rosenbrock(p)), { state: [lbfgs] }).sync();
    },
    'cannot be compiled',
  ],
])('refuses %s', (_, make, message) => {
  expect(make).toThrow(message);
});
