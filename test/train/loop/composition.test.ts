import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildTask } from '../../../src/train/task/task.ts';
import { bytesOf, eventsOf, Setting } from '../setting.ts';

const PARTS = [
  'data.train=[{ type: Shades, samples: 20 }, { type: Subset, dataset: { type: Shades, samples: 40 }, limit: 30 }]',
  'data.val={ type: Subset, dataset: { type: Shades, samples: 40 }, split: test, stratify: true }',
];

describe('training on data sets made of others', () => {
  it('takes all their samples, and goes on after a stop with the same bytes', async () => {
    const setting = await Setting.make();
    const { summary: whole, events } = await setting.train({ overrides: PARTS });
    const stopAt = { split: 'train', batch: 12 } as const;
    const { summary: stopped, events: told } = await setting.train({ overrides: PARTS, stopAt });
    expect(eventsOf(told, 'stopped')).toMatchObject([{ step: 10 }]);
    const { summary } = await setting.train({ overrides: PARTS, resume: stopped.directory });
    const last = (run: string) => bytesOf(join(run, 'checkpoints', 'last'));
    expect(await last(summary.directory)).toEqual(await last(whole.directory));
    const [start] = eventsOf(events, 'start');
    expect(start).toMatchObject({ train_samples: 50, val_samples: 9 });
  });

  it('takes samples as a sampler says, and goes on only with the same order', async () => {
    const setting = await Setting.make();
    const sampler = (type: string) => `data.sampler=${type}`;
    const weighted = '{ type: WeightedRandomSampler, weights: balanced, num_samples: 37 }';
    const overrides = [...PARTS, sampler(weighted)];
    const { summary: whole, events } = await setting.train({ overrides });
    expect(eventsOf(events, 'start')[0]).toMatchObject({ train_samples: 37 });
    const stopAt = { split: 'train', batch: 7 } as const;
    const { summary: stopped } = await setting.train({ overrides, stopAt });
    const other = [...PARTS, sampler(weighted.replace('37', '38'))];
    await expect(setting.train({ overrides: other, resume: stopped.directory })).rejects.toThrow(
      /data\.sampler: it gives another order of the samples than in the epoch/,
    );
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const last = (run: string) => bytesOf(join(run, 'checkpoints', 'last'));
    expect(await last(summary.directory)).toEqual(await last(whole.directory));
  });

  it.each([
    [
      'data={ train: { type: Shades, samples: 9 }, batch_size: 2, sampler: SequentialSampler, shuffle: true }',
      /data\.shuffle: the sampler says in which order samples come; leave shuffle out/,
    ],
    [
      'data.train=[{ type: Shades, samples: 9 }, { type: FakeData, size: 9 }]',
      /train\.datasets\[1\]: has inputs of float32 \(3, 224, 224\), but datasets\[0\] of/,
    ],
    [
      'data.val={ type: Subset, dataset: { type: Shades, samples: 9 }, classes: [drak] }',
      /val\.classes\[0\]: there is no class "drak"; did you mean "dark"\?/,
    ],
    ['data.train=[{ type: Shades }]', /train\[0\]\.samples: missing; expected an integer/],
    ['data.train=[]', /data\.train: expected a data set.* or at least 1 item/],
  ])('points at what is wrong: %s', async (override, message) => {
    const setting = await Setting.make();
    expect(() => buildTask(setting.config([override]))).toThrow(message);
  });

  it('points at samples that are not there', async () => {
    const setting = await Setting.make();
    const override =
      'data.train={ type: Subset, dataset: { type: Shades, samples: 9 }, indices: [9] }';
    await expect(setting.train({ overrides: [override] })).rejects.toThrow(
      /train\.indices: item 0 is 9, which is none of the 9 samples/,
    );
  });
});
