import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/index.ts';
import { buildMetric } from '../../../src/metrics/index.ts';
import { Totals } from '../../../src/train/loop/totals.ts';

const classes = (values: number[][]) => tensor(values, { dtype: 'int64' });

describe('Totals', () => {
  it('counts every prediction of a sample: logits (B, V, T) against targets (B, T)', async () => {
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
    const accuracy = buildMetric({ type: 'Accuracy' });
    accuracy.metric.prepare({ classes: ['a', 'b'], output: logits, target });
    const totals = new Totals({ metrics: [accuracy], summed: false });
    totals.add(tensor(0.5), logits, target);
    totals.add(tensor(1.5), logits, target);
    expect(await totals.read()).toEqual({
      samples: 4,
      values: { loss: 1, accuracy: 5 / 6 },
      arrays: {},
    });
    totals.clear();
    totals.add(tensor(3), logits, target);
    expect((await totals.read()).values).toEqual({ loss: 3, accuracy: 5 / 6 });
    expect([...totals.named().keys()]).toEqual([
      ...['loss', 'samples', 'accuracy.correct', 'accuracy.total'],
    ]);
  });

  it('is the mean over the samples also where a loss is their sum', async () => {
    const totals = new Totals({ metrics: [], summed: true });
    totals.add(tensor(6), tensor([[1], [2], [3]]), tensor([[1], [2], [3]]));
    expect(await totals.read()).toEqual({ samples: 3, values: { loss: 2 }, arrays: {} });
  });
});
