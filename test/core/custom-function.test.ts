/** Functions with gradients of their own, hooks, and the arguments of `backward` and `grad`. */

import { describe, expect, test } from 'vitest';
import { autograd, compile, type Tensor, tensor } from '../../src/index.ts';

const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requires_grad: true });

/** x^3, whose backward reads an input and an output. */
class Cube extends autograd.Function {
  static forward(ctx: autograd.FunctionContext, x: Tensor): Tensor {
    const y = x.mul(x).mul(x);
    ctx.saveForBackward(x, y);
    return y;
  }

  static backward(ctx: autograd.FunctionContext, g: Tensor): Tensor {
    const [x, y] = ctx.savedTensors as [Tensor, Tensor];
    return g.mul(y).div(x).mul(3);
  }
}

/** Sum and difference, by a matrix of its own for backward. */
const sumAndDifference = autograd.customFunction({
  name: 'sum_and_difference',
  forward: (_ctx, a: Tensor, b: Tensor, scale: number) => [a.add(b).mul(scale), a.sub(b)],
  backward: (_ctx, s, d) => [s!.mul(2).add(d!), s!.mul(2).sub(d!), null],
});

describe('a custom function', () => {
  test('has the gradient that its backward gives', () => {
    const x = leaf(2, -3);
    Cube.apply(x).sum().backward();
    expect(x.grad!.tolist()).toEqual([12, 27]);
    autograd.gradcheck((a) => Cube.apply(a), [leaf(2, -3)]);
  });

  test('is differentiated twice, through inputs and outputs that it saved', () => {
    autograd.gradgradcheck((a) => Cube.apply(a), [leaf(2, -3)]);
  });

  test('gets the gradients of all results together', () => {
    const [a, b] = [leaf(1, 2), leaf(3, 5)];
    const [s, d] = sumAndDifference(a, b, 2) as [Tensor, Tensor];
    expect([s.tolist(), d.tolist()]).toEqual([
      [8, 14],
      [-2, -3],
    ]);
    s.sum().add(d.mul(3).sum()).backward();
    expect([a.grad!.tolist(), b.grad!.tolist()]).toEqual([
      [5, 5],
      [-1, -1],
    ]);
    autograd.gradcheck((x, y) => sumAndDifference(x!, y!, 2), [a, b]);
  });

  test('is told which gradients are asked for, and keeps what it is given', () => {
    const seen: unknown[] = [];
    const fn = autograd.customFunction({
      forward(ctx, a: Tensor, b: Tensor) {
        ctx.factor = 3;
        seen.push(ctx.needsInputGrad);
        return a.mul(b);
      },
      backward(ctx, g) {
        seen.push(ctx.factor);
        return [g!, null];
      },
    });
    fn(leaf(1), tensor([2], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(seen).toEqual([[true, false], 3]);
  });

  test('can be compiled', () => {
    const step = compile((x: Tensor) => {
      const p = x.mul(1).detach().requires_grad_();
      return autograd.grad(Cube.apply(p).sum(), p)[0]!;
    });
    expect(step.sync(leaf(2).detach()).tolist()).toEqual([12]);
    expect(step.sync(leaf(3).detach()).tolist()).toEqual([27]);
  });

  test.each<[string, () => Tensor[], string]>([
    ['too few gradients', () => [], '[wrong] backward gave 0 gradients for 1 arguments'],
    ['another shape', () => [leaf(1)], '[wrong] backward gave a gradient of shape (1,)'],
  ])('refuses %s', (_, backward, message) => {
    const wrong = autograd.customFunction({
      name: 'wrong',
      forward: (_ctx, x: Tensor) => x.mul(1),
      backward,
    });
    expect(() => wrong(leaf(1, 2)).sum().backward()).toThrow(message);
  });
});

describe('hooks', () => {
  test('see and replace gradients of leaves and of results, until they are removed', () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    const onLeaf = x.registerHook((g) => {
      seen.push(g.tolist());
    });
    const run = () => {
      x.grad = null;
      const y = x.mul(3);
      y.registerHook((g) => g.mul(10));
      y.sum().backward();
      return x.grad!.tolist();
    };
    expect(run()).toEqual([30, 30]);
    onLeaf.remove();
    expect(run()).toEqual([30, 30]);
    expect(seen).toEqual([[30, 30]]);
  });

  test('stay with a leaf that is changed in place', () => {
    const x = leaf(1);
    x.registerHook((g) => g.mul(2));
    autograd.noGrad(() => x.add_(1));
    x.mul(x).sum().backward();
    expect(x.grad!.tolist()).toEqual([8]);
  });

  test('need a gradient', () => {
    expect(() => tensor([1]).registerHook(() => null)).toThrow('[register_hook]');
  });
});

describe('autograd.backward', () => {
  test('takes several tensors, and the leaves to accumulate into', () => {
    const [a, b] = [leaf(2), leaf(3)];
    autograd.backward([a.mul(b).sum(), a.mul(4)], [null, tensor([5], { dtype: 'float64' })], {
      inputs: a,
      retain_graph: true,
    });
    expect([a.grad!.tolist(), b.grad]).toEqual([[23], null]);
  });

  test('refuses another number of gradients, and inputs that are no leaves', () => {
    const a = leaf(1);
    expect(() => autograd.backward([a, a], [null])).toThrow('1 gradients for 2 tensors');
    expect(() => a.sum().backward(null, { inputs: [a.mul(2)] })).toThrow('must be leaves');
  });
});

test('autograd.grad gives zeros for what does not matter, where asked to', () => {
  const [a, b] = [leaf(2), leaf(3)];
  const found = autograd.grad(a.mul(a), [a, b], { materialize_grads: true });
  expect(found.map((g) => g!.tolist())).toEqual([[4], [0]]);
});

describe('anomaly mode', () => {
  const caught = (body: () => void) => {
    try {
      autograd.detectAnomaly(body);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  test('names the op that first made a NaN, and the line that called it', () => {
    const message = caught(() => {
      const x = leaf(1, -1);
      x.sqrt().mul(2).sum().backward();
    });
    expect(message).toContain('[sqrt] made a NaN of finite inputs (2,); called at');
    expect(message).toContain('custom-function.test.ts');
  });

  test('names the op whose gradient made an infinity', () => {
    const message = caught(() => leaf(0, 1).sqrt().sum().backward());
    expect(message).toContain(
      '[div] made an infinity of finite inputs (2,), (2,), in the gradient of sqrt',
    );
    expect(message).toContain('custom-function.test.ts');
  });

  test('names the op that made a NaN of infinities', () => {
    const message = caught(() => tensor([Infinity, 1]).mul(0));
    expect(message).toContain('[mul] made a NaN of infinite inputs (2,), ()');
  });

  test('lets pass what was infinite before, and ends with its body', () => {
    expect(caught(() => tensor([Infinity]).add(1).tolist())).toBeUndefined();
    expect(autograd.isAnomalyEnabled()).toBe(false);
    expect(tensor([-1]).sqrt().tolist()).toEqual([Number.NaN]);
  });
});
