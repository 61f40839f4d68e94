/** Losses as modules: their options reach the function, class weights belong to the state. */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { nn, setEngine, tensor } from '../../src/index.ts';

setEngine(referenceEngine());
const { functional: F } = nn;

const logits = tensor([
  [1, 2, 0.5],
  [0, -1, 3],
  [0.25, 0, 0],
]);
const target = tensor([1, 2, 0], { dtype: 'int64' });
const weight = [1, 2, 0.5];

describe('classification', () => {
  test('CrossEntropyLoss passes every option on', () => {
    const options = { ignore_index: 2, reduction: 'sum', label_smoothing: 0.2 } as const;
    const loss = new nn.CrossEntropyLoss({ ...options, weight });
    const expected = F.crossEntropy(logits, target, { ...options, weight: tensor(weight) });
    expect(loss.call(logits, target).item()).toBe(expected.item());
    const plain = new nn.CrossEntropyLoss().call(logits, target).item();
    expect(plain).toBe(F.crossEntropy(logits, target).item());
    expect(plain).not.toBe(expected.item());
  });

  test('NLLLoss of log-probabilities is CrossEntropyLoss of logits', () => {
    const nll = new nn.NLLLoss({ weight: tensor(weight) })
      .call(logits.logSoftmax(1), target)
      .item();
    const cross = new nn.CrossEntropyLoss({ weight: tensor(weight) }).call(logits, target).item();
    expect(nll).toBeCloseTo(cross, 6);
  });

  test('class weights are a buffer, neither trained nor forgotten', () => {
    const loss = nn.buildLoss({ type: 'CrossEntropyLoss', weight });
    expect([...loss.stateDict().keys()]).toEqual(['weight']);
    expect(loss.parameters()).toEqual([]);
    expect([...new nn.CrossEntropyLoss().stateDict().keys()]).toEqual([]);
  });

  test('a class that does not exist is told when the loss is computed', () => {
    const wrong = tensor([1, 3, 0], { dtype: 'int64' });
    const loss = new nn.CrossEntropyLoss().call(logits, wrong);
    expect(() => loss.item()).toThrow(/target 3 .*out of range/);
  });
});

describe('regression', () => {
  const [x, y] = [tensor([1, 2, 4]), tensor([0, 2, 7])];

  test.each([
    ['MSELoss', 'mean', 10 / 3],
    ['MSELoss', 'sum', 10],
    ['MSELoss', 'none', [1, 0, 9]],
    ['L1Loss', 'mean', 4 / 3],
    ['L1Loss', 'sum', 4],
    ['L1Loss', 'none', [1, 0, 3]],
  ])('%s, %s', (type, reduction, expected) => {
    const found = nn.buildLoss({ type, reduction }).call(x, y).tolist();
    if (typeof expected === 'number') expect(found).toBeCloseTo(expected, 6);
    else expect(found).toEqual(expected);
  });

  test('an unknown reduction is refused', () => {
    expect(() => nn.buildLoss({ type: 'MSELoss', reduction: 'average' })).toThrow(/reduction/);
  });
});
