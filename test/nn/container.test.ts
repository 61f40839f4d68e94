/** Containers: what they hold belongs to the module that holds them, under PyTorch's keys. */

import { describe, expect, test } from 'vitest';
import { nn, ones, rand, tensor } from '../../src/index.ts';

const linear = (out_features: number, in_features = 2) =>
  new nn.Linear({ in_features, out_features });

describe('Sequential', () => {
  test('is indexed, sliced and iterated', () => {
    const layers = [linear(3), new nn.ReLU(), linear(4, 3)];
    const model = new nn.Sequential(layers);
    expect(model.length).toBe(3);
    expect([model.at(0), model.at(-1)]).toEqual([layers[0], layers[2]]);
    expect([...model]).toEqual(layers);
    expect(
      model
        .slice(1)
        .namedChildren()
        .map(([name]) => name),
    ).toEqual(['1', '2']);
    expect(() => model.at(3)).toThrow('[Sequential] index 3 is out of range for 3 parts');
  });

  test('takes its layers one by one, as in PyTorch, in a list, or by name', () => {
    const [a, b] = [linear(3), linear(4, 3)];
    const keys = (model: nn.Sequential) => model.namedChildren();
    const expected = [
      ['0', a],
      ['1', b],
    ];
    expect(keys(new nn.Sequential(a, b))).toEqual(expected);
    expect(keys(new nn.Sequential([a, b]))).toEqual(expected);
    expect(keys(new nn.Sequential(a))).toEqual([['0', a]]);
    expect(keys(new nn.Sequential(new Map([['first', a]])))).toEqual([['first', a]]);
    expect(keys(new nn.Sequential())).toEqual([]);
    expect(new nn.Sequential(a, b).call(rand([5, 2])).shape).toEqual([5, 4]);
  });

  test('says what is no module', () => {
    const wrong = [{ in_features: 2 }, undefined, nn.ReLU, [new nn.ReLU()], 'ReLU'];
    const given = wrong as unknown as nn.Module[];
    const words = ['an object', 'undefined', 'the class ReLU', 'an object of Array', 'a string'];
    for (const [i, layer] of given.entries()) {
      const message = `[Sequential] layer 1 must be a module, got ${words[i]}`;
      expect(() => new nn.Sequential(linear(3), layer)).toThrow(message);
      expect(() => new nn.Sequential([linear(3), layer])).toThrow(message);
    }
    const one: unknown = { layers: [] };
    expect(() => new nn.Sequential(one as nn.Module)).toThrow(
      'layer 0 must be a module, got an object',
    );
  });

  test('grows and shrinks', () => {
    const model = new nn.Sequential([linear(3)]);
    model
      .append(new nn.ReLU())
      .extend([linear(4, 3)])
      .insert(1, new nn.Tanh());
    expect(model.call(rand([5, 2])).shape).toEqual([5, 4]);
    expect([...model.stateDict().keys()]).toEqual(['0.weight', '0.bias', '3.weight', '3.bias']);
    expect(model.pop(1)).toBeInstanceOf(nn.Tanh);
    expect(model.length).toBe(3);
  });
});

class Holder extends nn.Module {
  readonly list = new nn.ModuleList([linear(1), linear(2)]);
  readonly dict = new nn.ModuleDict({ a: linear(3) });
  readonly parameterList = new nn.ParameterList([ones([2]), ones([3])]);
  readonly parameterDict = new nn.ParameterDict({ w: ones([4]) });

  forward(): never {
    throw new Error('not called');
  }
}

test('lists and dictionaries give their parts names', () => {
  const holder = new Holder();
  holder.list.append(linear(5)).insert(0, linear(6));
  holder.dict.set('b', linear(4));
  holder.parameterList.append(ones([5]));
  holder.parameterDict.update({ v: ones([6]) });
  const shapes = Object.fromEntries(
    [...holder.stateDict()].map(([name, { shape }]) => [name, shape[0]]),
  );
  expect(shapes).toMatchObject({
    ...{ 'list.0.weight': 6, 'list.1.weight': 1, 'list.2.weight': 2, 'list.3.weight': 5 },
    ...{ 'dict.a.weight': 3, 'dict.b.weight': 4 },
    ...{ 'parameterList.0': 2, 'parameterList.1': 3, 'parameterList.2': 5 },
    ...{ 'parameterDict.w': 4, 'parameterDict.v': 6 },
  });
  expect(holder.parameters()).toHaveLength(17);
  expect(holder.dict.get('a')).toBe([...holder.dict][0]![1]);
  expect(holder.list.at(-1)).toBe([...holder.list][3]);
  expect(holder.parameterDict.delete('w')).toBe(true);
  expect(holder.parameterDict.keys()).toEqual(['v']);
});

describe('packed sequences', () => {
  const { rnn } = nn.utils;
  const a = tensor([1, 2, 3]);
  const b = tensor([4]);
  const c = tensor([5, 6]);

  test('hold what is no padding, longest first', () => {
    const packed = rnn.packSequence([b, a, c], { enforce_sorted: false });
    expect(packed.data.tolist()).toEqual([1, 5, 4, 2, 6, 3]);
    expect(packed.batch_sizes).toEqual([3, 2, 1]);
    expect(packed.sorted_indices).toEqual([1, 2, 0]);
    expect(rnn.unpackSequence(packed).map((x) => x.tolist())).toEqual([[4], [1, 2, 3], [5, 6]]);
  });

  test('are padded on either side', () => {
    expect(rnn.padSequence([a, b], true).tolist()).toEqual([
      [1, 2, 3],
      [4, 0, 0],
    ]);
    const left = { batch_first: true, padding_value: -1, padding_side: 'left' } as const;
    expect(rnn.padSequence([a, b], left).tolist()).toEqual([
      [1, 2, 3],
      [-1, -1, 4],
    ]);
  });

  test('refuse lengths that do not fit', () => {
    const padded = rand([3, 2, 1]);
    expect(() => rnn.packPaddedSequence(padded, [1, 3])).toThrow('must fall, longest first');
    expect(() => rnn.packPaddedSequence(padded, [4, 1])).toThrow('do not fit input (3, 2, 1)');
    expect(() => rnn.packPaddedSequence(padded, [3, 0])).toThrow('must be positive integers');
    const packed = rnn.packPaddedSequence(padded, [3, 1]);
    expect(() => rnn.padPackedSequence(packed, { total_length: 2 })).toThrow(
      '[pad_packed_sequence] total_length 2 is less than the longest sequence, 3',
    );
  });
});

test('every loss and activation has a name in configs', () => {
  const options = { Threshold: { threshold: 0, value: 1 }, Softmax2d: {} };
  const activations = [
    ...['CELU', 'ELU', 'GELU', 'GLU', 'Hardshrink', 'Hardsigmoid', 'Hardswish', 'Hardtanh'],
    ...['LeakyReLU', 'LogSigmoid', 'LogSoftmax', 'Mish', 'PReLU', 'RReLU', 'ReLU', 'ReLU6', 'SELU'],
    ...['SiLU', 'Sigmoid', 'Softmax', 'Softmax2d', 'Softmin', 'Softplus', 'Softshrink', 'Softsign'],
    ...['Tanh', 'Tanhshrink', 'Threshold'],
  ];
  for (const type of activations) {
    const layer = nn.build({ type, ...options[type as keyof typeof options] });
    expect(layer.call(rand([2, 2, 2, 2])).shape).toEqual([2, 2, 2, type === 'GLU' ? 1 : 2]);
    expect(String(layer)).toContain(type);
  }
  const ours = ['MultiOutputLoss'];
  expect(nn.losses.names().filter((name) => !ours.includes(name))).toHaveLength(23);
  expect(nn.buildLoss({ type: 'HuberLoss', delta: 2 })).toHaveProperty('delta', 2);
  expect(() => nn.buildLoss({ type: 'HuberLoss', beta: 2 })).toThrow('did you mean "delta"');
  expect(nn.buildLoss({ type: 'MSELoss', reduce: false }).call(ones([2]), ones([2])).shape).toEqual(
    [2],
  );
});
