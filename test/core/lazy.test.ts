/** Nothing is computed until it is read, nothing twice, and depth is no limit. */

import { beforeEach, describe, expect, test } from 'vitest';
import { compile, noGrad, rand, realize, setEngine, type Tensor, tensor } from '../../src/index.ts';
import { CountingEngine } from './engines.ts';

const engine = new CountingEngine();
setEngine(engine);

beforeEach(() => {
  engine.loads = 0;
  engine.runs = 0;
});

describe('laziness', () => {
  test('ops, backward and in-place methods run nothing', () => {
    const x = tensor([1, 2, 3], { requires_grad: true });
    const y = x.mul(2).add(1);
    y.sum().backward();
    x.grad!.mul_(2);
    expect(engine.runs).toBe(0);
    expect(x.grad!.tolist()).toEqual([4, 4, 4]);
    expect(engine.runs).toBe(1);
  });

  test('a value is computed once', () => {
    const y = tensor([1, 2]).exp();
    y.tolist();
    y.tolist();
    y.add(1).tolist();
    expect(engine.runs).toBe(2);
  });

  test('graphs of one structure share one Program', () => {
    const compute = (a: number, b: number) =>
      tensor([a])
        .sub(tensor([b]))
        .sigmoid()
        .item();
    compute(1, 2);
    const loads = engine.loads;
    expect(compute(3, 3)).toBe(0.5);
    expect(engine.loads).toBe(loads);
    expect(engine.runs).toBe(2);
  });

  test('constants that JSON cannot tell apart make different Programs', () => {
    const x = tensor([0]);
    const beyond = [Infinity, -Infinity, Number.NaN].map((value) => x.add(value).item());
    expect(beyond).toEqual([Infinity, -Infinity, Number.NaN]);
    expect(tensor([-1]).mul(0).add(-0).reciprocal().item()).toBe(-Infinity);
    expect(tensor([-1]).mul(0).add(0).reciprocal().item()).toBe(Infinity);
  });

  test('realize computes several tensors in one run', async () => {
    const x = tensor([2]);
    const [a, b] = [x.mul(3), x.add(5)];
    await realize([a.value, b.value]);
    const { runs } = engine;
    expect([a.item(), b.item()]).toEqual([6, 7]);
    expect(engine.runs).toBe(runs);
  });
});

describe('parameters', () => {
  test('are computed once, however often something that needs them is read', () => {
    const w = rand([2], { requires_grad: true });
    w.add(1).tolist();
    w.add(2).tolist();
    const { loads } = engine;
    // Only the parameter's buffer is needed now, so no Program draws random numbers any more.
    const program = compile(() => w.add(2)).inspect().program;
    expect(engine.loads).toBe(loads + 1);
    expect(program).not.toContain('philox');
  });

  test('updated by hand, are not computed from the start at every step', () => {
    const w = tensor([1], { requires_grad: true });
    for (let step = 0; step < 200; step++) {
      const loss = w.mul(w);
      loss.backward();
      noGrad(() => w.sub_(w.grad!.mul(0.01)));
      w.grad = null;
      loss.item();
    }
    // One Program for the first step, one for all that follow: their graphs are equally long.
    expect(engine.loads).toBeLessThanOrEqual(2);
    expect(w.item()).toBeCloseTo(0.98 ** 200, 6);
  });
});

test('a graph of 100,000 nodes goes forward and backward', { timeout: 60_000 }, () => {
  const x = tensor([1], { requires_grad: true });
  let y: Tensor = x;
  // The sum is a reduction, so that not all becomes one kind of call.
  for (let i = 0; i < 15_000; i++) y = y.add(1e-5).mul(1).sum(0, true).reshape([1]);
  y.backward();
  expect(y.item()).toBeCloseTo(1.15, 6);
  expect(x.grad!.item()).toBe(1);
});
