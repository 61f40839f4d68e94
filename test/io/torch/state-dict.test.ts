import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../../src/io/host-tensor.ts';
import { findStateDict } from '../../../src/io/torch/state-dict.ts';

const tensor = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('findStateDict', () => {
  it('looks into wrappers, one inside another', () => {
    const state = new Map([['w', tensor(1)]]);
    const value = new Map<unknown, unknown>([
      ['epoch', 3],
      [
        'model',
        new Map<unknown, unknown>([
          ['state_dict', state],
          ['best', 0.5],
        ]),
      ],
    ]);
    expect(findStateDict(value, 'f')).toEqual({
      ...{ tensors: state, path: ['model', 'state_dict'], beside: ['epoch', 'best'] },
    });
  });

  it.each([
    [new Map([['epoch', 3]]), 'f holds no state dict: it has epoch; looked in state_dict, '],
    [new Map(), 'f holds no state dict: it has nothing; looked in state_dict, '],
    [[1, 2], 'f holds no state dict: it is no dictionary'],
  ])('says what it found instead', (value, message) => {
    expect(() => findStateDict(value, 'f')).toThrow(message);
  });
});
