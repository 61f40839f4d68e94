/** What is registered in a module and listed of it, and its precision. */

import { describe, expect, test } from 'vitest';
import { compile, nn, optim, type Tensor, tensor, zeros } from '../../src/index.ts';

const linear = () => new nn.Linear({ in_features: 2, out_features: 2 });

class Empty extends nn.Module {
  readonly taken = 1;
  forward(x: Tensor): Tensor {
    return x;
  }
}

describe('registered parts', () => {
  test('are fields of the module, and of its state', () => {
    const module = new Empty();
    const weight = new nn.Parameter(zeros([1]));
    module.registerParameter('weight', weight);
    module.registerParameter('bias', null);
    module.registerBuffer('mean', tensor([2]));
    module.registerBuffer('scratch', tensor([3]), { persistent: false });
    module.addModule('layer', linear());
    expect(module).toHaveProperty('weight', weight);
    expect(module).toHaveProperty('bias', null);
    expect([...module.stateDict().keys()]).toEqual([
      ...['weight', 'mean', 'layer.weight', 'layer.bias'],
    ]);
    expect(module.namedBuffers().map(([name]) => name)).toEqual(['mean', 'scratch']);
    expect(module.getBuffer('scratch').tolist()).toEqual([3]);
    module.registerBuffer('mean', null);
    expect(module.buffers()).toHaveLength(1);
    expect([...module.stateDict({ prefix: 'a' }).keys()][0]).toBe('a.weight');
  });

  test.each<[string, (module: Empty) => void, string]>([
    ['a dot', (m) => m.addModule('a.b', linear()), '[addModule] Empty: a name cannot be "a.b"'],
    ['no name', (m) => m.registerBuffer('', null), 'a name cannot be ""'],
    ['a field', (m) => m.registerBuffer('taken', zeros([1])), 'there is a taken already'],
    ['a method', (m) => m.registerParameter('forward', null), 'there is a forward already'],
    [
      'a tensor',
      (m) => m.registerParameter('w', zeros([1]) as nn.Parameter),
      '[registerParameter] Empty: w must be a Parameter or null',
    ],
  ])('refuse %s', (_, register, message) => {
    expect(() => register(new Empty())).toThrow(message);
  });

  test('of a compiled step make it be traced again', () => {
    const module = new nn.Sequential([linear()]);
    const retraced: string[] = [];
    const step = compile((x: Tensor) => module.call(x), {
      state: [module],
      onRetrace: (why) => retraced.push(why),
    });
    step.sync(zeros([1, 2]));
    module.addModule('second', linear());
    step.sync(zeros([1, 2]));
    expect(module.length).toBe(2);
    expect(retraced).toHaveLength(1);
  });
});

describe('lists', () => {
  test('take a prefix, one level only, or every path of what is shared', () => {
    const shared = linear();
    const root = new nn.Sequential([shared, new nn.Sequential([shared])]);
    const names = (options: nn.ListOptions) => root.namedParameters(options).map(([name]) => name);
    expect(names({ prefix: 'm' })).toEqual(['m.0.weight', 'm.0.bias']);
    expect(names({ recurse: false })).toEqual([]);
    expect(names({ remove_duplicate: false })).toEqual([
      ...['0.weight', '0.bias', '1.0.weight', '1.0.bias'],
    ]);
    expect(shared.parameters({ recurse: false })).toHaveLength(2);
    expect(root.modules()).toEqual([root, shared, root.getSubmodule('1')]);
    expect([...root.namedModules({ remove_duplicate: false })]).toHaveLength(4);
    expect(root.getParameter('1.0.weight')).toBe(shared.weight);
  });

  test('zeroGrad forgets gradients or makes them zeros', () => {
    const layer = linear();
    layer.weight.grad = tensor([
      [1, 2],
      [3, 4],
    ]);
    layer.zeroGrad(false);
    expect(layer.weight.grad.tolist()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(layer.bias!.grad).toBeNull();
    layer.zeroGrad();
    expect(layer.weight.grad).toBeNull();
  });
});

describe('precision', () => {
  test('of floating state changes, the tensors stay', () => {
    const norm = new nn.BatchNorm1d({ num_features: 2 });
    const { weight } = norm;
    norm.weight!.grad = tensor([1, 2]);
    expect(norm.double()).toBe(norm);
    expect(norm.weight).toBe(weight);
    expect([norm.weight!.dtype, norm.weight!.grad.dtype]).toEqual(['float64', 'float64']);
    expect([norm.running_mean!.dtype, norm.num_batches_tracked!.dtype]).toEqual([
      ...['float64', 'int64'],
    ]);
    expect(norm.weight!.is_leaf && norm.weight!.requires_grad).toBe(true);
    expect(norm.to('cpu', 'bfloat16').weight!.dtype).toBe('bfloat16');
    expect(norm.to(zeros([1])).float().weight!.dtype).toBe('float32');
    expect(() => norm.to('int64')).toThrow(
      "[to] a module's dtype must be floating point, got int64",
    );
  });

  test('is part of what a compiled step is traced for, and an optimizer goes on', () => {
    const layer = new nn.Linear({ in_features: 1, out_features: 1, bias: false });
    nn.init.ones_(layer.weight);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
    const step = compile(
      (x: Tensor) => {
        optimizer.zeroGrad();
        const loss = layer.call(x).sum();
        loss.backward();
        optimizer.step();
        return loss;
      },
      { state: [layer, optimizer], onRetrace: () => {} },
    );
    expect(step.sync(tensor([[2]])).item()).toBe(2);
    layer.double();
    const loss = step.sync(tensor([[2]], { dtype: 'float64' }));
    expect([loss.dtype, loss.item()]).toEqual(['float64', 0]);
    expect(layer.weight.tolist()).toEqual([[-1]]);
  });

  test('does not change inside a compiled step', () => {
    const layer = linear();
    const step = compile((x: Tensor) => layer.double().call(x), { state: [layer] });
    expect(() => step.sync(zeros([1, 2]))).toThrow(
      "[double] a module's dtype cannot change in a compiled step",
    );
  });
});
