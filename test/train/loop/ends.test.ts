/** What a run takes in one step, and when it ends before its last one. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EarlyStopping } from '../../../src/train/loop/early-stopping.ts';
import { eventsOf, type RunOptions, Setting } from '../setting.ts';

async function train(options: RunOptions) {
  const setting = await Setting.make();
  return { setting, ...(await setting.train(options)) };
}

describe('accumulate_grad_batches', () => {
  const PLAIN = ['model.layers.3.p=0', 'trainer.epochs=1', 'trainer.log_every=100'];

  /** The losses of the records, and what the last checkpoint weighs. */
  async function lossesOf(...overrides: string[]) {
    const { summary } = await train({ overrides: [...PLAIN, ...overrides] });
    const text = await readFile(join(summary.directory, 'metrics.jsonl'), 'utf8');
    const losses = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).loss as number);
    return { losses, step: summary.step };
  }

  it.each([
    ['mean', 'loss={ type: CrossEntropyLoss }'],
    ['sum', 'loss={ type: CrossEntropyLoss, reduction: sum }'],
  ])('of a %s trains as larger batches do', async (_, loss) => {
    const lr = 'optimizer.lr=0.01';
    const whole = await lossesOf(loss, lr, 'data.batch_size=16');
    const parted = await lossesOf(
      loss,
      lr,
      'data.batch_size=8',
      'trainer.accumulate_grad_batches=2',
    );
    const uneven = await lossesOf(
      loss,
      lr,
      'data.batch_size=5',
      'trainer.accumulate_grad_batches=3',
    );
    expect(whole.step).toBe(4);
    expect(parted.step).toBe(4);
    expect(uneven.step).toBe(4); // 15, 15, 15 and 5 samples
    for (const [i, value] of whole.losses.entries()) expect(parted.losses[i]).toBeCloseTo(value, 5);
  });
});

describe('a run ends early', () => {
  it('when its metric does not improve, and stays ended', async () => {
    const overrides = ['trainer.early_stopping={ patience: 2, min_delta: 10 }', 'trainer.epochs=9'];
    const { setting, summary, events } = await train({ overrides });
    // The first evaluation is always the best so far.
    expect(summary.epoch).toBe(3);
    const [ended] = eventsOf(events, 'ended_early');
    expect(ended).toMatchObject({ step: 21 });
    expect(ended!.reason).toMatch(/^val_loss has not improved on [\d.]+ in 2 evaluations$/);
    expect(eventsOf(events, 'end')).toHaveLength(1);
    const again = await setting.train({ overrides, resume: summary.directory });
    expect(again.summary.step).toBe(21);
  });

  it('looks at accuracies from above, unless told otherwise', async () => {
    const setting = await Setting.make();
    const ends = (options: string) => {
      const asked = `{ patience: 1, monitor: train_accuracy, ${options} }`;
      const stopping = new EarlyStopping(setting.config([`trainer.early_stopping=${asked}`]));
      return [0.5, 0.6, 0.61].map((train_accuracy) => {
        stopping.evaluated({ train_accuracy });
        return stopping.reason !== undefined;
      });
    };
    expect(ends('')).toEqual([false, false, false]);
    expect(ends('min_delta: 0.05')).toEqual([false, false, true]);
    expect(ends('mode: min')).toEqual([false, true, true]);
  });

  it('when its time is over', async () => {
    const { summary, events } = await train({ overrides: ['trainer.max_seconds=1e-6'] });
    expect(summary.step).toBe(1);
    expect(summary.metrics.val_loss).toBeGreaterThan(0);
    expect(eventsOf(events, 'ended_early')[0]!.reason).toBe('it has taken 0.000001 s');
  });
});
