/** Modules from specs: inference of sizes, names, faults with their path, descriptions. */

import { describe, expect, test } from 'vitest';
import { placeholder } from '../../src/core/leaf.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { generatorState, manualSeed, nn, setEngine, Tensor, zeros } from '../../src/index.ts';

setEngine(referenceEngine());

const symbolic = (...shape: number[]) => new Tensor(placeholder({ dtype: 'float32', shape }, 0));

/** PyTorch's CIFAR-10 tutorial network, sizes left out where they follow. */
const NETWORK = {
  type: 'Sequential',
  layers: [
    { type: 'Conv2d', name: 'conv1', out_channels: 6, kernel_size: 5 },
    'ReLU',
    { type: 'MaxPool2d', kernel_size: 2, stride: 2 },
    { type: 'Conv2d', name: 'conv2', out_channels: 16, kernel_size: 5 },
    'ReLU',
    { type: 'MaxPool2d', kernel_size: 2, stride: 2 },
    'Flatten',
    { type: 'Linear', name: 'fc1', out_features: 120 },
    'ReLU',
    { type: 'Linear', name: 'fc2', out_features: 84 },
    'ReLU',
    { type: 'Linear', name: 'fc3', out_features: 10 },
  ],
};

describe('build', () => {
  test('infers what the input says', () => {
    const model = nn.build(NETWORK, { input: symbolic(4, 3, 32, 32) });
    const shapes = [...model.stateDict()].map(([key, value]) => `${key} ${value.shape.join()}`);
    expect(shapes).toEqual([
      'conv1.weight 6,3,5,5',
      'conv1.bias 6',
      'conv2.weight 16,6,5,5',
      'conv2.bias 16',
      'fc1.weight 120,400',
      'fc1.bias 120',
      'fc2.weight 84,120',
      'fc2.bias 84',
      'fc3.weight 10,84',
      'fc3.bias 10',
    ]);
    expect(model.call(zeros([2, 3, 32, 32])).shape).toEqual([2, 10]);
  });

  test('uses up no random numbers on a symbolic forward', () => {
    const spec = {
      type: 'Sequential',
      layers: [{ type: 'Dropout' }, { type: 'Linear', in_features: 3, out_features: 2 }],
    };
    const weightOf = (context: nn.BuildContext) => {
      manualSeed(4);
      const weight = nn.build(spec, context).parameters()[0]!.tolist();
      return { weight, state: generatorState() };
    };
    expect(weightOf({ input: symbolic(1, 3) })).toEqual(weightOf({}));
  });

  test('takes a bare word, and a loss', () => {
    expect(nn.build('ReLU')).toBeInstanceOf(nn.ReLU);
    expect(nn.buildLoss({ type: 'CrossEntropyLoss', label_smoothing: 0.1 })).toBeInstanceOf(
      nn.CrossEntropyLoss,
    );
  });
});

describe('faults', () => {
  const faultOf = (
    body: () => unknown,
  ): { message: string; path: readonly (string | number)[] } => {
    try {
      body();
    } catch (error) {
      expect(error).toBeInstanceOf(nn.BuildError);
      return error as nn.BuildError;
    }
    throw new Error('nothing was thrown');
  };

  test('a missing size names the layer that lacks it', () => {
    const { message, path } = faultOf(() => nn.build(NETWORK));
    expect(message).toContain(
      '[Conv2d] in_channels is missing, and the size of the input is not known',
    );
    expect(path).toEqual(['layers', 0]);
  });

  test('a size that does not fit has the path of the layer', () => {
    const inner = {
      type: 'Sequential',
      layers: ['Flatten', { type: 'Linear', in_features: 7, out_features: 2 }],
    };
    const spec = { type: 'Sequential', layers: ['ReLU', inner] };
    const { message, path } = faultOf(() => nn.build(spec, { input: symbolic(5, 2, 3) }));
    expect(message).toContain('[linear] input (5, 6) does not fit weight (2, 7)');
    expect(path).toEqual(['layers', 1, 'layers', 1]);
  });

  test('a single layer is checked against the input too', () => {
    const spec = { type: 'Linear', in_features: 3, out_features: 2 };
    expect(faultOf(() => nn.build(spec, { input: symbolic(4, 5) })).path).toEqual([]);
  });

  test('two layers of one name', () => {
    const layers = [
      { type: 'ReLU', name: 'act' },
      { type: 'Tanh', name: 'act' },
    ];
    const { message, path } = faultOf(() => nn.build({ type: 'Sequential', layers }));
    expect(message).toBe('two layers are named "act"');
    expect(path).toEqual(['layers', 1, 'name']);
  });

  test('unknown types and keys are told with the nearest known', () => {
    expect(() => nn.build({ type: 'Relu' })).toThrow('did you mean "ReLU"?');
    expect(() => nn.build({ type: 'Linear', out_feature: 2 })).toThrow(
      'did you mean "out_features"?',
    );
  });
});

describe('describe', () => {
  const { layers, outputs, model } = nn.describe(NETWORK, [4, 3, 32, 32]);
  const row = (name: string) => layers.filter(({ type }) => type === name);

  test('gives the shapes of all layers, the model last', () => {
    expect(outputs).toEqual([{ dtype: 'float32', shape: [4, 10] }]);
    expect(layers).toHaveLength(13);
    expect(layers.at(-1)).toMatchObject({ path: [], type: 'Sequential', output_shape: [4, 10] });
    expect(row('Conv2d').map((layer) => layer.output_shape)).toEqual([
      [4, 6, 28, 28],
      [4, 16, 10, 10],
    ]);
    expect(row('Flatten')[0]).toMatchObject({
      path: ['layers', 6],
      output_shape: [4, 400],
      parameters: 0,
    });
  });

  test('counts the parameters of the tutorial network', () => {
    expect(layers.at(-1)!.parameters).toBe(62_006);
    expect(row('Linear').map((layer) => layer.parameters)).toEqual([48_120, 10_164, 850]);
  });

  test('counts two operations for each multiply-add of the products', () => {
    const conv1 = 2 * 4 * 6 * 28 * 28 * (3 * 5 * 5);
    const conv2 = 2 * 4 * 16 * 10 * 10 * (6 * 5 * 5);
    const linears = [400 * 120, 120 * 84, 84 * 10].map((count) => 2 * 4 * count);
    expect(row('Conv2d').map((layer) => layer.flops)).toEqual([conv1, conv2]);
    expect(row('Linear').map((layer) => layer.flops)).toEqual(linears);
    expect(layers.at(-1)!.flops).toBe(conv1 + conv2 + linears.reduce((a, b) => a + b));
  });

  test('leaves a model that works', () => {
    expect(model.call(zeros([1, 3, 32, 32])).shape).toEqual([1, 10]);
  });
});
