/** `autograd.functional`, and gradients that results keep. */

import { describe, expect, test } from 'vitest';
import { autograd, compile, gradcheck, type Tensor, tensor } from '../../src/index.ts';

const { functional } = autograd;
const f64 = (...values: number[]) => tensor(values, { dtype: 'float64' });
const [x, y] = [f64(1, 2), f64(3, 5)];

describe('jacobian', () => {
  test('of one tensor by one has the shape of both', () => {
    const found = functional.jacobian((a) => a!.mul(a!).mul(a!.sum()), x) as Tensor;
    // d (a_i^2 s) / d a_j = 2 a_i s [i = j] + a_i^2.
    expect(found.tolist()).toEqual([
      [7, 1],
      [4, 16],
    ]);
    expect([found.requires_grad, x.requires_grad, x.grad]).toEqual([false, false, null]);
  });

  test('of several is nested, outputs first', () => {
    const found = functional.jacobian((a, b) => [a!.mul(b!).sum(), a!.mul(2)], [x, y]);
    const texts = (found as Tensor[][]).map((row) => row.map((part) => part.tolist()));
    expect(texts).toEqual([
      [
        [3, 5],
        [1, 2],
      ],
      [
        [
          [2, 0],
          [0, 2],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ]);
  });

  test('strict refuses outputs that do not depend on an input', () => {
    expect(() => functional.jacobian((a) => a!.mul(2), [x, y], { strict: true })).toThrow(
      '[jacobian] output 0 does not depend on input 1; strict forbids it',
    );
  });

  test('with create_graph can be differentiated', () => {
    gradcheck(
      (a) =>
        functional.jacobian((z) => z!.exp().mul(z!.sum()), a!, { create_graph: true }) as Tensor,
      [f64(0.3, -0.4).requires_grad_()],
    );
  });
});

test('hessian of one tensor, and of two', () => {
  const cubes = (a?: Tensor) => a!.pow(3).sum();
  expect((functional.hessian(cubes, x) as Tensor).tolist()).toEqual([
    [6, 0],
    [0, 12],
  ]);
  const product = (a?: Tensor, b?: Tensor) => a!.mul(b!).sum();
  const found = functional.hessian(product, [x, y]) as Tensor[][];
  expect(found.map((row) => row.map((part) => part.tolist()))).toEqual([
    [
      [
        [0, 0],
        [0, 0],
      ],
      [
        [1, 0],
        [0, 1],
      ],
    ],
    [
      [
        [1, 0],
        [0, 1],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ]);
  expect(() => functional.hessian((a) => a!.mul(2), x)).toThrow(
    '[hessian] the function must give one number',
  );
});

describe('products with the Jacobian and the Hessian', () => {
  const squares = (a?: Tensor) => a!.mul(a!).mul(a!.sum());

  test('agree with these', () => {
    const v = f64(10, 1);
    const [outputs, left] = functional.vjp(squares, x, v) as [Tensor, Tensor];
    expect([outputs.tolist(), left.tolist()]).toEqual([
      [3, 12],
      [74, 26],
    ]);
    const [, right] = functional.jvp(squares, x, v) as [Tensor, Tensor];
    expect(right.tolist()).toEqual([71, 56]);
    const quartic = (a?: Tensor) => a!.pow(3).sum().mul(a!.sum());
    const matrix = functional.hessian(quartic, x) as Tensor;
    const expected = matrix.matmul(v).tolist();
    for (const product of [functional.hvp, functional.vhp]) {
      const [value, found] = product(quartic, x, v) as [Tensor, Tensor];
      expect([value.item(), found.tolist()]).toEqual([27, expected]);
    }
  });

  test('take no vector where there is one number', () => {
    const [, product] = functional.vjp((a) => a!.sum(), x) as [Tensor, Tensor];
    expect(product.tolist()).toEqual([1, 1]);
    expect(() => functional.vjp(squares, x)).toThrow(
      '[vjp] v can be left out only where there is one number',
    );
    expect(() => functional.jvp(squares, x, f64(1))).toThrow('v has shape (1,), needs (2,)');
  });

  test('can be compiled', () => {
    const step = compile((a: Tensor) => functional.jvp(squares, a, f64(10, 1))[1] as Tensor);
    expect(step.sync(x).tolist()).toEqual([71, 56]);
  });
});

describe('retainGrad', () => {
  const leaf = () => f64(1, 2).requires_grad_();

  test('keeps the gradient of a result, after its hooks', () => {
    const a = leaf();
    const [b, other] = [a.mul(2), a.mul(5)];
    b.retainGrad();
    b.registerHook((g) => g.mul(10));
    b.mul(b).add(other).sum().backward();
    expect([b.grad!.tolist(), other.grad, b.retains_grad, other.retains_grad]).toEqual([
      [40, 80],
      null,
      true,
      false,
    ]);
    expect(a.grad!.tolist()).toEqual([85, 165]);
  });

  test('adds up, does nothing to a leaf, and autograd.grad leaves it alone', () => {
    const a = leaf();
    a.retainGrad();
    const b = a.mul(2);
    b.retainGrad();
    autograd.grad(b.sum(), a);
    expect(b.grad).toBeNull();
    b.sum().backward();
    b.sum().backward();
    expect([b.grad!.tolist(), a.retains_grad]).toEqual([[2, 2], false]);
  });

  test('needs a gradient', () => {
    expect(() => x.retainGrad()).toThrow('[retain_grad] the tensor does not require a gradient');
  });
});
