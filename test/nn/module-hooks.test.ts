/** Hooks of modules, and finding what is inside them. */

import { expect, test } from 'vitest';
import { compile, nn, type Tensor, tensor } from '../../src/index.ts';

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
