import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/index.ts';
import { Totals } from '../../src/train/totals.ts';

const classes = (values: number[][]) => tensor(values, { dtype: 'int64' });

describe('Totals', () => {
  it('counts every prediction of a sample: logits (B, V, T) against targets (B, T)', async () => {
    const totals = new Totals({ predictions: 3, summed: false });
    // Two classes, three places; the larger logit is right in 2 and in 3 of the places.
    const logits = tensor([
      [
        [2, 0, 1],
        [1, 3, 0],
      ],
      [
        [0, 0, 5],
        [1, 1, 0],
      ],
    ]);
    const target = classes([
      [0, 1, 1],
      [1, 1, 0],
    ]);
    totals.add(tensor(0.5), logits, target);
    totals.add(tensor(1.5), logits, target);
    expect(await totals.read()).toEqual({ samples: 4, loss: 1, accuracy: 5 / 6 });
  });

  it('measures no accuracy where targets are no classes', async () => {
    const totals = new Totals({ predictions: undefined, summed: true });
    totals.add(tensor(6), tensor([[1], [2], [3]]), tensor([[1], [2], [3]]));
    expect(await totals.read()).toEqual({ samples: 3, loss: 2 });
  });
});
