import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/train/evaluate.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

const SETS = [
  'data.val=null',
  'data.val={ small: { type: Shades, samples: 9, split: val }, one: { type: Shades, samples: 1, split: val } }',
  'data.test={ type: Shades, samples: 20, split: test }',
  'data.eval_batch_size=6',
];

describe('several validation sets and a test set', () => {
  it('are measured under their names, the test set by the best checkpoint', async () => {
    const setting = await Setting.make();
    const expectation = 'expect={ test_loss: { max: 100 }, val_one_accuracy: { min: 0 } }';
    const { summary, events } = await setting.train({ overrides: [...SETS, expectation] });
    const splits = ['train', 'val_small', 'val_one', 'test'];
    expect(Object.keys(summary.metrics)).toEqual(
      splits.flatMap((split) => [`${split}_loss`, `${split}_accuracy`]),
    );
    expect(eventsOf(events, 'start')[0]).toMatchObject({ val_samples: 10, test_samples: 20 });
    expect(eventsOf(events, 'expect').map(({ ok }) => ok)).toEqual([true, true]);
    const checkpoints = join(summary.directory, 'checkpoints');
    const { best } = JSON.parse(await readFile(join(checkpoints, 'last', 'state.json'), 'utf8'));
    expect(best.metric).toBe('val_small_accuracy');
    const records = (await recordsOf(summary.directory)) as { split: string; step: number }[];
    expect(records.at(-1)).toMatchObject({ split: 'test', step: best.step });
    expect(records.filter(({ split }) => split === 'val_one')).toHaveLength(3);
    const measure = (checkpoint: string, split: string) =>
      evaluate({
        loaded: setting.config(SETS),
        checkpoint: join(checkpoints, checkpoint),
        split,
        threads: 1,
      });
    expect(await measure('best', 'test')).toMatchObject([
      { samples: 20, metrics: { loss: summary.metrics.test_loss } },
    ]);
    expect(await measure('last', 'val')).toMatchObject([
      { split: 'val_small', metrics: { loss: summary.metrics.val_small_loss } },
      { split: 'val_one', samples: 1, metrics: { loss: summary.metrics.val_one_loss } },
    ]);
    await expect(measure('last', 'val_smal')).rejects.toThrow(/did you mean "val_small"\?/);
  });

  it.each([
    ['in the middle of the second set', { split: 'val', batch: 3 } as const],
    ['while it was tested', { split: 'test', batch: 2 } as const],
  ])('end as in a run that was not stopped: %s', async (_, stopAt) => {
    const setting = await Setting.make();
    const { summary: whole } = await setting.train({ overrides: SETS });
    const { summary: stopped, events } = await setting.train({ overrides: SETS, stopAt });
    expect(eventsOf(events, 'stopped')).toHaveLength(1);
    for (let times = 0; times < 2; times++) {
      const { summary } = await setting.train({ overrides: SETS, resume: stopped.directory });
      expect(summary.metrics).toEqual(whole.metrics);
      expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
    }
    const folders = [stopped, whole].map((run) => join(run.directory, 'checkpoints', 'last'));
    expect(await bytesOf(folders[0]!)).toEqual(await bytesOf(folders[1]!));
  });

  it.each([
    [
      'data.test={ type: FakeData, image_size: [1, 4, 5], num_classes: 3 }',
      /data\.test: has inputs of float32 \(1, 4, 5\), but data\.train of float32 \(1, 4, 4\)/,
    ],
    [
      'data.val.one={ type: FakeData, image_size: [3, 4, 4], num_classes: 3 }',
      /data\.val\.one: has inputs of float32 \(3, 4, 4\)/,
    ],
    ['data.val.one.sampels=3', /data\.val\.one: unknown key "sampels"; did you mean "samples"\?/],
    ['data.test.sampels=3', /data\.test: unknown key "sampels"/],
    [
      'data.val.two words={ type: Shades, samples: 3 }',
      /data\.val.*the name of a set is a word of letters/,
    ],
    [
      'trainer.monitor=val_two_loss',
      /there is no metric "val_two_loss"; did you mean "val_one_loss"/,
    ],
    ['trainer.monitor=test_loss', /trainer\.monitor: data\.test is measured once/],
    ['trainer.early_stopping.monitor=val_loss', /there is no metric "val_loss"; did you mean/],
  ])('are checked before any data are read: %s', async (override, message) => {
    const setting = await Setting.make();
    const run = (async () => setting.train({ overrides: [...SETS, override] }))();
    await expect(run).rejects.toThrow(message);
  });
});
