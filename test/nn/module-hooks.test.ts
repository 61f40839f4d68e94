/** Hooks of modules, and finding what is inside them. */

import { describe, expect, test } from 'vitest';
import { compile, grad, nn, noGrad, type Tensor, tensor } from '../../src/index.ts';

const model = () =>
  new nn.Sequential([
    new nn.Tanh(),
    new nn.Sequential([new nn.Linear({ in_features: 2, out_features: 1 })]),
  ]);

test('forward hooks see and replace inputs and outputs, until they are removed', () => {
  const layer = new nn.ReLU();
  const seen: unknown[] = [];
  const before = layer.registerForwardPreHook((_, [x]) => [x.mul(2)]);
  const after = layer.registerForwardHook((module, [x], y) => {
    seen.push([module === layer, x.tolist(), y.tolist()]);
    return y.add(1);
  });
  const x = tensor([-1, 3]);
  expect(layer.call(x).tolist()).toEqual([1, 7]);
  expect(seen).toEqual([[true, [-2, 6], [0, 6]]]);
  before.remove();
  after.remove();
  expect(layer.call(x).tolist()).toEqual([0, 3]);
});

test('a compiled step is traced again when hooks change', () => {
  const layer = new nn.ReLU();
  const retraced: string[] = [];
  const step = compile((x: Tensor) => layer.call(x), { onRetrace: (why) => retraced.push(why) });
  expect(step.sync(tensor([3])).tolist()).toEqual([3]);
  const handle = layer.registerForwardHook((_, __, y) => y.mul(10));
  expect(step.sync(tensor([3])).tolist()).toEqual([30]);
  handle.remove();
  expect(step.sync(tensor([3])).tolist()).toEqual([3]);
  expect(retraced).toHaveLength(2);
});

test('modules, parameters and their paths', () => {
  const root = model();
  const order: string[] = [];
  root.apply((module) => order.push(module.constructor.name));
  expect(order).toEqual(['Tanh', 'Linear', 'Sequential', 'Sequential']);
  expect(root.children()).toHaveLength(2);
  expect(root.getSubmodule('1.0')).toBeInstanceOf(nn.Linear);
  expect(root.getSubmodule('')).toBe(root);
  expect(root.getParameter('1.0.weight').shape).toEqual([1, 2]);
  expect(() => root.getParameter('1.0.weigth')).toThrow(
    '[getParameter] Sequential has no 1.0.weigth; is it 1.0.weight?',
  );
  expect(() => root.getBuffer('mean')).toThrow('has no mean');
});

describe('backward hooks', () => {
  /** y = 3 x of two inputs, and their product. */
  class Pair extends nn.Module<[a: Tensor, b: Tensor, note?: string], [Tensor, Tensor]> {
    forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
      return [a.mul(3), a.mul(b)];
    }
  }
  const leaf = (value: number) => tensor([value], { requires_grad: true });
  const lists = (gradients: nn.Gradients) => gradients.map((g) => g?.tolist() ?? null);

  test('see all gradients of one call, null for what has none', () => {
    const module = new Pair();
    const seen: unknown[] = [];
    module.registerFullBackwardHook((m, grad_input, grad_output) => {
      seen.push([m === module, lists(grad_input), lists(grad_output)]);
    });
    const a = leaf(2);
    const [y, z] = module.call(a, tensor([5]), 'a note');
    y.add(z.mul(10)).sum().backward();
    expect(seen).toEqual([[true, [[53], null, null], [[1], [10]]]]);
    expect(a.grad!.tolist()).toEqual([53]);
  });

  test('replace gradients, in the order they were registered or before the others', () => {
    const module = new Pair();
    const order: string[] = [];
    module.registerFullBackwardPreHook((_, [y, z]) => {
      order.push('pre');
      return [y!.mul(2), z!];
    });
    module.registerFullBackwardHook((_, [a, b]) => {
      order.push('second');
      return [a!.add(100), b!];
    });
    const first = () => {
      order.push('first');
    };
    const handle = module.registerFullBackwardHook(first, { prepend: true });
    const run = () => {
      const [a, b] = [leaf(2), leaf(5)];
      const [y, z] = module.call(a, b);
      y.add(z).sum().backward();
      return [a.grad!.item(), b.grad!.item()];
    };
    expect(run()).toEqual([3 * 2 + 5 + 100, 2]);
    handle.remove();
    run();
    expect(order).toEqual(['pre', 'first', 'second', 'pre', 'second']);
  });

  test('are called where only parameters require gradients, and not at all under noGrad', () => {
    const layer = new nn.Linear({ in_features: 1, out_features: 1 });
    const seen: unknown[] = [];
    layer.registerFullBackwardHook((_, grad_input, grad_output) => {
      seen.push([lists(grad_input), lists(grad_output)]);
    });
    layer
      .call(tensor([[2]]))
      .mul(4)
      .sum()
      .backward();
    expect(layer.weight.grad!.item()).toBe(8);
    noGrad(() => layer.call(tensor([[2]])));
    expect(seen).toEqual([[[null], [[[4]]]]]);
  });

  test('work in a compiled step', () => {
    const layer = new nn.Linear({ in_features: 1, out_features: 1, bias: false });
    layer.registerFullBackwardPreHook((_, [g]) => [g!.mul(7)]);
    const step = compile((x: Tensor) => grad(layer.call(x).sum(), [layer.weight])[0]!, {
      state: [layer],
    });
    expect(step.sync(tensor([[2]])).item()).toBe(14);
  });

  test('refuse another number of gradients', () => {
    const module = new Pair();
    module.registerFullBackwardHook(() => [null]);
    const [y] = module.call(leaf(1), leaf(1));
    expect(() => y.backward()).toThrow('[Pair] a backward hook gave 1 grad_input, needs 2');
  });
});

test('a hook that is registered twice is called twice', () => {
  const layer = new nn.ReLU();
  const double = (_: unknown, __: unknown, y: Tensor) => y.mul(2);
  const handle = layer.registerForwardHook(double);
  layer.registerForwardHook(double);
  expect(layer.call(tensor([1])).item()).toBe(4);
  handle.remove();
  handle.remove();
  expect(layer.call(tensor([1])).item()).toBe(2);
});

test('state_dict hooks change what is saved and what is loaded', () => {
  const root = model();
  const inner = root.getSubmodule('1');
  inner.registerStateDictPostHook((_, state, prefix) => state.delete(`${prefix}0.bias`));
  expect([...root.stateDict().keys()]).toEqual(['1.0.weight']);
  inner.registerLoadStateDictPreHook((_, state, prefix) => {
    const value = state.get(`${prefix}old`);
    if (value !== undefined) state.set(`${prefix}0.weight`, value);
    state.delete(`${prefix}old`);
  });
  const given = new Map([['1.old', tensor([[3, 4]])]]);
  expect(() => root.loadStateDict(given)).toThrow('1.0.bias is missing');
  inner.registerLoadStateDictPostHook((_, { missing_keys }) => {
    missing_keys.length = 0;
  });
  root.loadStateDict(given);
  expect(root.getParameter('1.0.weight').tolist()).toEqual([[3, 4]]);
  expect([...given.keys()]).toEqual(['1.old']);
});
