/** Building blocks of torchvision.ops. */

import { describe, expect, it } from 'vitest';
import { placeholder } from '../../src/core/leaf.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import {
  compile,
  errors,
  manualSeed,
  nn,
  ones,
  rand,
  Tensor,
  withEngine,
} from '../../src/index.ts';

const { stochasticDepth } = nn.functional;
const engines = { cpu: cpuEngine, reference: referenceEngine };
const symbolic = (...shape: number[]) => new Tensor(placeholder({ dtype: 'float32', shape }, 0));

describe.each(Object.entries(engines))('StochasticDepth on %s', (_, engine) => {
  const rows = (x: Tensor) => x.flatten(1).tolist() as number[][];

  it('drops whole samples and scales the others', () =>
    withEngine(engine(), () => {
      manualSeed(1);
      const found = rows(stochasticDepth(ones([400, 2, 3]), 0.25, 'row'));
      const kept = found.filter(([first]) => first !== 0);
      expect(found.every((row) => row.every((value) => value === row[0]))).toBe(true);
      expect(new Set(kept.flat())).toEqual(new Set([Math.fround(1 / 0.75)]));
      expect(kept.length).toBeGreaterThan(270);
      expect(kept.length).toBeLessThan(330);
    }));

  it('drops all samples together in mode batch', () =>
    withEngine(engine(), () => {
      manualSeed(1);
      const sums = Array.from({ length: 40 }, () =>
        stochasticDepth(ones([4, 2]), 0.5, 'batch')
          .sum()
          .item(),
      );
      expect(new Set(sums)).toEqual(new Set([0, 16]));
    }));

  it('draws anew in every call of a step that is traced once', () =>
    withEngine(engine(), () => {
      const layer = new nn.StochasticDepth({ p: 0.5, mode: 'row' });
      const retraces: string[] = [];
      const step = compile((x: Tensor) => layer.call(x), {
        state: [layer],
        onRetrace: (reason) => retraces.push(reason),
      });
      const draw = () => step.sync(ones([20, 1])).tolist();
      manualSeed(5);
      const first = [draw(), draw()];
      manualSeed(5);
      expect([draw(), draw()]).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
      expect(retraces).toEqual([]);
    }));

  it('passes the gradient of what it keeps', () =>
    withEngine(engine(), () => {
      manualSeed(2);
      const x = rand([12, 3], { requires_grad: true });
      const y = stochasticDepth(x, 0.5, 'row');
      y.sum().backward();
      const factors = y.div(x).detach();
      expect(x.grad!.sub(factors).abs().amax().item()).toBeLessThan(1e-6);
    }));
});

describe('StochasticDepth', () => {
  it('changes nothing in evaluation or with p 0, and drops everything with p 1', () =>
    withEngine(cpuEngine(), () => {
      const x = ones([3, 2]);
      const layer = new nn.StochasticDepth({ p: 0.9, mode: 'row' }).eval();
      expect(layer.call(x)).toBe(x);
      expect(stochasticDepth(x, 0, 'batch')).toBe(x);
      expect(stochasticDepth(x, 1, 'row').sum().item()).toBe(0);
    }));

  it('refuses what is no probability, no mode, or no batch', () => {
    expect(() => new nn.StochasticDepth({ p: 1.5, mode: 'row' })).toThrow(errors.ArgumentError);
    expect(() => nn.build({ type: 'StochasticDepth', p: 0.5 })).toThrow('mode');
    expect(() => stochasticDepth(ones([]), 0.5, 'row')).toThrow(errors.ShapeError);
    expect(() => stochasticDepth(ones([2]), -1, 'row')).toThrow(errors.ArgumentError);
    const wrong = 'rows' as 'row';
    expect(() => stochasticDepth(ones([2]), 0.5, wrong)).toThrow(errors.ArgumentError);
  });

  it('is a node of a residual graph in a spec', () => {
    const nodes = {
      change: { type: 'Conv2d', out_channels: 3, kernel_size: 3, padding: 1 },
      depth: { type: 'StochasticDepth', p: 0.2, mode: 'row' },
      sum: { type: 'Add', from: ['input', 'depth'] },
    };
    const { outputs } = nn.describe({ type: 'Graph', nodes }, [2, 3, 8, 8]);
    expect(outputs[0].shape).toEqual([2, 3, 8, 8]);
  });
});

describe('SqueezeExcitation', () => {
  it('multiplies each channel by what follows from all means', () =>
    withEngine(cpuEngine(), () => {
      const layer = new nn.SqueezeExcitation({ input_channels: 4, squeeze_channels: 2 });
      const x = rand([2, 4, 3, 3]);
      const { fc1, fc2 } = layer;
      const means = x.mean([2, 3]);
      const hidden = nn.functional.linear(means, fc1.weight.flatten(1), fc1.bias).relu();
      const factors = nn.functional.linear(hidden, fc2.weight.flatten(1), fc2.bias).sigmoid();
      const expected = x.mul(factors.reshape([2, 4, 1, 1]));
      expect(layer.call(x).sub(expected).abs().amax().item()).toBeLessThan(1e-6);
    }));

  it('takes its channels and activations from a spec', () => {
    const spec = {
      type: 'SqueezeExcitation',
      squeeze_channels: 2,
      scale_activation: 'Hardsigmoid',
    };
    const layer = nn.build(spec, { input: symbolic(2, 6, 4, 4) }) as nn.SqueezeExcitation;
    expect(layer.fc1.in_channels).toBe(6);
    expect(String(layer)).toContain('(scale_activation): Hardsigmoid()');
    expect(String(layer)).toContain('(activation): ReLU()');
  });
});

describe('Conv2dNormActivation', () => {
  const layersOf = (spec: object) =>
    nn
      .build<nn.Conv2dNormActivation>(
        { type: 'Conv2dNormActivation', ...spec },
        { input: symbolic(2, 3, 9, 9) },
      )
      .children();

  it('keeps height and width, and has a bias only without a normalisation', () => {
    const [conv, norm, activation] = layersOf({ out_channels: 8, kernel_size: 5, dilation: 2 });
    expect(conv).toMatchObject({ in_channels: 3, padding: [4, 4], bias: null });
    expect(norm).toBeInstanceOf(nn.BatchNorm2d);
    expect(norm).toMatchObject({ num_features: 8 });
    expect(activation).toBeInstanceOf(nn.ReLU);
    const [plain, ...none] = layersOf({
      ...{ out_channels: 8, kernel_size: [3, 1], norm_layer: null, activation_layer: null },
    });
    expect(plain).toMatchObject({ padding: [1, 0] });
    expect((plain as nn.Conv2d).bias).not.toBeNull();
    expect(none).toEqual([]);
  });

  it('has the normalisation and the activation of a spec', () => {
    const [, norm, activation] = layersOf({
      ...{ out_channels: 8, padding: 0, activation_layer: 'SiLU' },
      norm_layer: { type: 'GroupNorm', num_groups: 4 },
    });
    expect(norm).toMatchObject({ num_groups: 4, num_channels: 8 });
    expect(activation).toBeInstanceOf(nn.SiLU);
  });

  it('says where a spec does not fit', () => {
    const norm_layer = { type: 'GroupNorm', num_groups: 3 };
    const wrong = () => layersOf({ out_channels: 8, norm_layer });
    expect(wrong).toThrow('num_channels 8 must be divisible by num_groups 3');
  });
});

it('LayerNorm2d normalises the channels of every pixel', () =>
  withEngine(cpuEngine(), () => {
    const x = rand([2, 5, 3, 4]);
    const y = new nn.LayerNorm2d({ normalized_shape: 5 }).call(x);
    expect(y.shape).toEqual(x.shape);
    expect(y.mean(1).abs().amax().item()).toBeLessThan(1e-5);
    expect(y.square().mean(1).sub(1).abs().amax().item()).toBeLessThan(1e-3);
  }));
