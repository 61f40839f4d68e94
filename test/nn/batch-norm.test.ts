/** Batch normalisation layers: state, modes, running statistics. */

import { describe, expect, test } from 'vitest';
import { placeholder } from '../../src/core/leaf.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { compile, nn, setEngine, Tensor, tensor, zeros } from '../../src/index.ts';

setEngine(referenceEngine());
const { BatchNorm1d, BatchNorm2d, BatchNorm3d } = nn;

/** Mean 3, biased variance 5, unbiased 20/3 in each channel. */
const batch = () =>
  tensor([
    [0, 0],
    [2, 2],
    [4, 4],
    [6, 6],
  ]);

describe('state', () => {
  test("has PyTorch's keys in PyTorch's order", () => {
    expect([...new BatchNorm1d({ num_features: 2 }).stateDict().keys()]).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ]);
  });

  test('leaves out what is switched off', () => {
    const layer = new BatchNorm2d({
      ...{ num_features: 2, affine: false, track_running_stats: false },
    });
    expect([...layer.stateDict().keys()]).toEqual([]);
    expect(layer.parameters()).toEqual([]);
  });

  test('begins and is reset to a scale of 1 and no batch seen', () => {
    const layer = new BatchNorm1d({ num_features: 2 });
    const state = () => [...layer.stateDict().values()].map((value) => value.tolist());
    const fresh = state();
    expect(fresh).toEqual([[1, 1], [0, 0], [0, 0], [1, 1], 0]);
    layer.call(batch());
    nn.init.constant_(layer.weight!, 7);
    expect(state()).not.toEqual(fresh);
    layer.resetParameters();
    expect(state()).toEqual(fresh);
  });
});

describe('running statistics', () => {
  test('follow the batches by `momentum`, the variance without bias', () => {
    const layer = new BatchNorm1d({ num_features: 2, momentum: 0.25 });
    layer.call(batch());
    expect(layer.running_mean!.tolist()).toEqual([0.75, 0.75]);
    const variance = 0.75 + 0.25 * (20 / 3);
    expect(layer.running_var!.dataSync()[0]).toBeCloseTo(variance, 6);
    expect(layer.num_batches_tracked!.dtype).toBe('int64');
    expect(layer.num_batches_tracked!.item()).toBe(1);
  });

  test('average over all batches where momentum is null', () => {
    const layer = new BatchNorm1d({ num_features: 2, momentum: null });
    layer.call(batch());
    layer.call(batch().add(4));
    expect(layer.running_mean!.tolist()).toEqual([5, 5]);
    expect(layer.num_batches_tracked!.item()).toBe(2);
  });

  test('are used, and kept, in evaluation', () => {
    const layer = new BatchNorm1d({ num_features: 2, eps: 1 }).eval();
    layer.running_mean!.copy_(tensor([1, 2]));
    layer.running_var!.copy_(tensor([3, 8]));
    expect([...layer.call(batch()).dataSync()].slice(-2)).toEqual([2.5, 4 / 3].map(Math.fround));
    expect(layer.num_batches_tracked!.item()).toBe(0);
    expect(layer.running_mean!.tolist()).toEqual([1, 2]);
  });

  test('do not exist without track_running_stats: every batch stands for itself', () => {
    const layer = new BatchNorm1d({ num_features: 2, track_running_stats: false });
    const trained = layer.call(batch()).tolist();
    expect(layer.eval().call(batch()).tolist()).toEqual(trained);
  });

  test('are part of a compiled step', () => {
    const layer = new BatchNorm1d({ num_features: 2, momentum: 0.5 });
    const step = compile((x: Tensor) => layer.call(x).sum(), { state: [layer] });
    step.sync(batch());
    step.sync(batch());
    expect(layer.running_mean!.tolist()).toEqual([2.25, 2.25]);
    expect(layer.num_batches_tracked!.item()).toBe(2);
  });

  test('learn nothing from an empty batch', () => {
    const layer = new BatchNorm2d({ num_features: 2 });
    expect(layer.call(zeros([0, 2, 3, 3])).shape).toEqual([0, 2, 3, 3]);
    expect(layer.running_var!.tolist()).toEqual([1, 1]);
  });
});

describe('in a spec', () => {
  const shapes = { BatchNorm1d: [4, 3], BatchNorm2d: [4, 3, 2, 2], BatchNorm3d: [4, 3, 2, 2, 2] };

  test.each(Object.entries(shapes))('%s infers its channels', (type, shape) => {
    const input = new Tensor(placeholder({ dtype: 'float32', shape }, 0));
    const layer = nn.build({ type, momentum: 0.2 }, { input });
    expect(layer.stateDict().get('running_mean')!.shape).toEqual([3]);
    expect(String(layer)).toBe(
      `${type}(3, eps=1e-05, momentum=0.2, affine=True, bias=True, track_running_stats=True)`,
    );
    // The symbolic forward counted nothing.
    expect(layer.stateDict().get('num_batches_tracked')!.item()).toBe(0);
  });

  test('BatchNorm3d normalises volumes', () => {
    const layer = new BatchNorm3d({ num_features: 1 });
    const y = layer.call(tensor([0, 2, 4, 6]).reshape([1, 1, 2, 1, 2]));
    expect(y.dataSync()[3]).toBeCloseTo(3 / Math.sqrt(5), 5);
  });
});
