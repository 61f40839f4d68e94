/** backward, grad, leaves, modes: what PyTorch users rely on. */

import { describe, expect, test } from 'vitest';
import { apply } from '../../src/core/apply.ts';
import type { Op } from '../../src/core/graph.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import {
  enableGrad,
  grad,
  isGradEnabled,
  noGrad,
  setEngine,
  type Tensor,
  tensor,
} from '../../src/index.ts';

setEngine(referenceEngine());
const leaf = (...values: number[]) => tensor(values, { requires_grad: true });

describe('backward', () => {
  test('accumulates over calls until the gradient is dropped', () => {
    const x = leaf(1, 2);
    x.mul(3).sum().backward();
    x.mul(4).sum().backward();
    expect(x.grad!.tolist()).toEqual([7, 7]);
    x.grad = null;
    x.mul(5).sum().backward();
    expect(x.grad!.tolist()).toEqual([5, 5]);
  });

  test('adds up over all the ways to a leaf', () => {
    const x = leaf(3);
    const y = x.mul(x);
    y.add(y).mul(x).sum().backward();
    expect(x.grad!.item()).toBe(54);
  });

  test('takes a gradient for what is no scalar', () => {
    const x = leaf(1, 2);
    x.mul(x).backward(tensor([1, 10]));
    expect(x.grad!.tolist()).toEqual([2, 40]);
    expect(() => x.mul(2).backward()).toThrow(
      '[backward] a gradient must be given for a tensor of shape (2,): only scalars need none',
    );
    expect(() => x.mul(2).backward(tensor([1]))).toThrow(
      '[backward] gradient has shape (1,), the tensor (2,)',
    );
  });

  test('leaves every leaf a gradient of its own', () => {
    const [a, b] = [leaf(1), leaf(2)];
    const seed = tensor([1]);
    a.add(b).backward(seed);
    a.grad!.mul_(10);
    expect([a.grad!.item(), b.grad!.item(), seed.item()]).toEqual([10, 1, 1]);
  });

  test('gives nothing to what does not require it, nor to what is no leaf', () => {
    const x = leaf(1);
    const data = tensor([2]);
    const y = x.mul(data);
    y.mul(2).sum().backward();
    expect(data.grad).toBeNull();
    expect(y.grad).toBeNull();
  });

  test('throws where nothing requires a gradient', () => {
    expect(() => tensor([1]).sum().backward()).toThrow(
      '[backward] the tensor does not require a gradient, nor does what made it',
    );
  });

  test('throws at an op that has no gradient, naming it and its module', () => {
    const op: Op<object> = {
      name: 'opaque',
      kind: 'pointwise',
      vjp: 'nondiff',
      infer: ([x]) => [x!],
      lower: () => ({ kernel: 'pointwise', fn: 'exp' }),
    };
    const x = leaf(1);
    const y = apply(op, [x.mul(2)], {});
    expect(y.item()).toBeCloseTo(Math.exp(2), 5);
    expect(() => y.sum().backward()).toThrow('[opaque] has no gradient; detach() its input');
    expect(x.grad).toBeNull();
  });

  test('brings gradients back to the dtype of the leaf', () => {
    const x = tensor([1, 2], { dtype: 'bfloat16', requires_grad: true });
    x.mul(tensor([0.5, 0.5], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(x.grad!.dtype).toBe('bfloat16');
    expect(x.grad!.tolist()).toEqual([0.5, 0.5]);
  });
});

describe('grad', () => {
  test('leaves .grad alone and reaches what is no leaf', () => {
    const x = leaf(3);
    const y = x.mul(x);
    const [dx, dy] = grad(y.mul(2).sum(), [x, y]);
    expect([dx!.item(), dy!.item()]).toEqual([12, 2]);
    expect(x.grad).toBeNull();
  });

  test('differentiates again with create_graph', () => {
    const x = leaf(2);
    const [first] = grad(x.pow(3).sum(), [x], { create_graph: true });
    const [second] = grad(first!.sum(), [x], { create_graph: true });
    const [third] = grad(second!.sum(), [x]);
    expect([first!.item(), second!.item(), third!.item()]).toEqual([12, 12, 6]);
    expect(third!.requires_grad).toBe(false);
  });

  test('backward with create_graph leaves a gradient that has one', () => {
    const x = leaf(2);
    x.pow(3).sum().backward(null, { create_graph: true });
    const first = x.grad!;
    x.grad = null;
    first.sum().backward();
    expect(x.grad!.item()).toBe(12);
  });

  test('is null for the unused when allowed, and throws otherwise', () => {
    const [x, unused] = [leaf(1), leaf(1)];
    const y = x.mul(2).sum();
    expect(grad(y, [x, unused], { allow_unused: true })[1]).toBeNull();
    expect(() => grad(y, [x, unused])).toThrow(
      '[grad] the outputs do not depend on input 1; pass allow_unused: true to get null for it',
    );
    expect(() => grad(y, [tensor([1])])).toThrow('[grad] input 0 does not require a gradient');
  });

  test('sums over several outputs, each with its cotangent', () => {
    const x = leaf(1, 1);
    const found = grad([x.mul(2), x.sum()], [x], { grad_outputs: [tensor([1, 3]), null] });
    expect(found[0]!.tolist()).toEqual([3, 7]);
  });
});

describe('leaves and modes', () => {
  test('noGrad records nothing, enableGrad inside it does', () => {
    const x = leaf(1);
    noGrad(() => {
      expect(isGradEnabled()).toBe(false);
      expect(x.mul(2).requires_grad).toBe(false);
      expect(enableGrad(() => x.mul(2)).requires_grad).toBe(true);
    });
    expect(isGradEnabled()).toBe(true);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isGradEnabled()).toBe(true);
  });

  test('detach shares the value and stops the gradient', () => {
    const x = leaf(3);
    const y = x.mul(x);
    const z = y.detach();
    expect([z.item(), z.requires_grad, z.is_leaf]).toEqual([9, false, true]);
    z.mul(x).sum().backward();
    expect(x.grad!.item()).toBe(9);
  });

  test('is_leaf and requires_grad are as in PyTorch', () => {
    const x = leaf(1);
    expect([x.is_leaf, x.mul(2).is_leaf, tensor([1]).is_leaf]).toEqual([true, false, true]);
    expect(x.gt(0).requires_grad).toBe(false);
    expect(() => x.mul(2).requires_grad_(false)).toThrow(
      '[requires_grad_] only leaf tensors; use detach() first',
    );
    x.requires_grad_(false);
    expect(x.mul(2).requires_grad).toBe(false);
  });

  test('a leaf stays one when it is updated in place, and keeps its gradient', () => {
    const x = leaf(1);
    x.mul(2).sum().backward();
    noGrad(() => x.sub_(x.grad!));
    expect([x.item(), x.is_leaf, x.grad!.item()]).toEqual([-1, true, 2]);
    x.mul(3).sum().backward();
    expect(x.grad!.item()).toBe(5);
  });

  test('a graph made before an update still gives the old point its gradient', () => {
    const x = leaf(3);
    const y = x.mul(x);
    noGrad(() => x.fill_(100));
    y.sum().backward();
    expect(x.grad!.item()).toBe(6);
  });
});

describe('in-place methods', () => {
  test('change the tensor they are called on and no other', () => {
    const x = tensor([1, 2, 3, 4]);
    const others: Tensor[] = [
      x.reshape([4]),
      x.view([2, 2]),
      x.permute([0]),
      x.expand([4]),
      x.slice(0),
      x.narrow(0, 0, 4),
      x.t(),
      x.detach(),
      x.squeeze(),
      x.flatten(),
    ];
    x.add_(10);
    expect(x.tolist()).toEqual([11, 12, 13, 14]);
    for (const other of others) expect(other.flatten().tolist()).toEqual([1, 2, 3, 4]);
    for (const other of others) other.zero_();
    expect(x.tolist()).toEqual([11, 12, 13, 14]);
  });

  test('give back the tensor itself', () => {
    const x = tensor([8]);
    expect(x.add_(2).sub_(1).mul_(4).div_(2)).toBe(x);
    expect(x.item()).toBe(18);
    expect(x.fill_(3).item()).toBe(3);
    expect(x.copy_(tensor([7], { dtype: 'int64' })).item()).toBe(7);
    expect(x.dtype).toBe('float32');
    expect(x.zero_().item()).toBe(0);
  });

  test('carry gradients on', () => {
    const x = leaf(2);
    const y = x.mul(3);
    y.mul_(x).add_(1);
    y.sum().backward();
    expect([y.item(), x.grad!.item()]).toEqual([13, 12]);
  });

  test('read their own old value', () => {
    const x = tensor([3]);
    x.mul_(x).add_(x);
    expect(x.item()).toBe(18);
  });
});
