/** Modules: what is found in them, their state_dict, their modes, their text. */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { grad, manualSeed, nn, setEngine, type Tensor, tensor, zeros } from '../../src/index.ts';

setEngine(referenceEngine());
const { Buffer, Conv2d, Dropout, Flatten, Linear, Module, Parameter, ReLU, Sequential } = nn;

class Block extends Module {
  readonly first = new Linear({ in_features: 2, out_features: 3 });
  readonly rest = [new ReLU(), new Linear({ in_features: 3, out_features: 1, bias: false })];
  readonly scale = new Parameter(tensor([2]));
  readonly offset = new Buffer(tensor([1]));
  readonly note = 'no state';

  forward(x: Tensor): Tensor {
    const hidden = this.rest.reduce((h: Tensor, layer) => layer.call(h), this.first.call(x));
    return hidden.mul(this.scale).add(this.offset);
  }
}

describe('state', () => {
  test('has the keys PyTorch would give it, lists included', () => {
    const keys = ['scale', 'offset', 'first.weight', 'first.bias', 'rest.1.weight'];
    const block = new Block();
    expect([...block.stateDict().keys()]).toEqual(keys);
    expect(block.namedParameters().map(([name]) => name)).toEqual(
      keys.filter((k) => k !== 'offset'),
    );
    expect(block.namedBuffers().map(([name]) => name)).toEqual(['offset']);
    expect(block.namedChildren().map(([name]) => name)).toEqual(['first', 'rest.0', 'rest.1']);
    expect(block.modules()).toHaveLength(4);
  });

  test('of a Sequential is named by position or by the keys of a map', () => {
    const layers = () => [new Linear({ in_features: 1, out_features: 1 }), new ReLU()] as const;
    expect([...new Sequential(layers()).stateDict().keys()]).toEqual(['0.weight', '0.bias']);
    const [linear, relu] = layers();
    const named = new Sequential(
      new Map<string, nn.Module>([
        ['act', relu],
        ['10', linear],
        ['2', new ReLU()],
      ]),
    );
    expect(named.namedChildren().map(([name]) => name)).toEqual(['act', '10', '2']);
    expect([...named.stateDict().keys()]).toEqual(['10.weight', '10.bias']);
  });

  test('counts a shared parameter once, under each of its keys', () => {
    class Tied extends Module {
      readonly a = new Linear({ in_features: 2, out_features: 2, bias: false });
      readonly b = this.a;
      forward(x: Tensor): Tensor {
        return this.b.call(this.a.call(x));
      }
    }
    const tied = new Tied();
    expect(tied.parameters()).toHaveLength(1);
    expect([...tied.stateDict().keys()]).toEqual(['a.weight', 'b.weight']);
  });
});

describe('loadStateDict', () => {
  const linear = () => new Linear({ in_features: 2, out_features: 1 });
  const values = (entries: Record<string, Tensor>) => new Map(Object.entries(entries));

  test('copies the values, at once, and keeps the parameters', () => {
    const layer = linear();
    const { weight } = layer;
    const given = values({ weight: tensor([[3, 4]]), bias: tensor([5]) });
    expect(layer.loadStateDict(given)).toEqual({ missing_keys: [], unexpected_keys: [] });
    for (const value of given.values()) value.dispose();
    expect(layer.weight).toBe(weight);
    expect([layer.weight.tolist(), layer.bias!.tolist()]).toEqual([[[3, 4]], [5]]);
    expect(layer.weight.requires_grad && layer.weight.is_leaf).toBe(true);
  });

  test('round-trips', () => {
    const [a, b] = [linear(), linear()];
    b.loadStateDict(a.stateDict());
    expect(b.weight.tolist()).toEqual(a.weight.tolist());
  });

  test('reports every fault at once and changes nothing', () => {
    const layer = linear();
    const before = layer.weight.tolist();
    expect(() => layer.loadStateDict(values({ weight: zeros([3, 2]), bais: zeros([1]) }))).toThrow(
      '[loadStateDict] Linear: weight has shape (3, 2), needs (1, 2); bias is missing; ' +
        'bais is unexpected (is it bias?)',
    );
    expect(layer.weight.tolist()).toEqual(before);
  });

  test('takes what fits when it is not strict, but no wrong shape', () => {
    const layer = linear();
    const result = layer.loadStateDict(values({ bias: tensor([9]), other: zeros([1]) }), {
      strict: false,
    });
    expect(result).toEqual({ missing_keys: ['weight'], unexpected_keys: ['other'] });
    expect(layer.bias!.item()).toBe(9);
    expect(() => layer.loadStateDict(values({ bias: zeros([2]) }), { strict: false })).toThrow(
      'bias has shape (2,), needs (1,)',
    );
  });
});

describe('modes', () => {
  test('train and eval reach every module, and change the trace key', () => {
    const model = new Sequential([new Dropout(), new Sequential([new Dropout()])]);
    const key = model.traceKey();
    expect(model.eval()).toBe(model);
    expect(model.modules().map((module) => module.training)).toEqual([false, false, false, false]);
    expect(model.traceKey()).not.toBe(key);
    expect(model.train().traceKey()).toBe(key);
  });

  test('requires_grad_ freezes, and changes the trace key', () => {
    const model = new Linear({ in_features: 2, out_features: 2 });
    const key = model.traceKey();
    model.requires_grad_(false);
    expect(model.call(zeros([1, 2])).requires_grad).toBe(false);
    expect(model.traceKey()).not.toBe(key);
  });

  test('zeroGrad drops the gradients', () => {
    const model = new Linear({ in_features: 2, out_features: 2 });
    model
      .call(zeros([1, 2]))
      .sum()
      .backward();
    expect(model.bias!.grad!.tolist()).toEqual([1, 1]);
    model.zeroGrad();
    expect(model.parameters().map(({ grad }) => grad)).toEqual([null, null]);
  });
});

describe('layers', () => {
  test('dropout scales what it keeps, in training only', () => {
    manualSeed(0);
    const x = tensor(new Float32Array(1000).fill(1));
    const layer = new Dropout({ p: 0.25 });
    const y = layer.call(x);
    const kept = y.ne(0).sum().item();
    expect(kept).toBeGreaterThan(700);
    expect(kept).toBeLessThan(800);
    expect(y.amax().item()).toBeCloseTo(4 / 3, 6);
    expect(layer.eval().call(x).tolist()).toEqual(x.tolist());
  });

  test('dropout passes gradients where it passes values', () => {
    const x = tensor(new Float32Array(50).fill(1), { requires_grad: true });
    const y = new Dropout({ p: 0.5 }).call(x);
    expect(grad(y.sum(), [x])[0]!.tolist()).toEqual(y.tolist());
  });

  test('flatten keeps the batch', () => {
    expect(new Flatten().call(zeros([2, 3, 4])).shape).toEqual([2, 12]);
    expect(new Flatten({ start_dim: 0, end_dim: 1 }).call(zeros([2, 3, 4])).shape).toEqual([6, 4]);
  });

  test('Conv2d refuses groups that do not divide its channels', () => {
    expect(
      () => new Conv2d({ in_channels: 3, out_channels: 4, kernel_size: 1, groups: 2 }),
    ).toThrow('[Conv2d] in_channels 3 and out_channels 4 must be divisible by groups 2');
  });

  test('errors name the module by its path', () => {
    const inner = new Sequential([new ReLU(), new Linear({ in_features: 3, out_features: 1 })]);
    const model = new Sequential(new Map([['body', inner]]));
    expect(() => model.call(zeros([1, 4]))).toThrow(/\(at body\.1\)$/);
  });
});
