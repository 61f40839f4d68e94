import { cp, mkdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, eventsOf, type RunOptions, recordsOf, Setting } from '../setting.ts';

const EVERY_4 = ['trainer.checkpoint_every=4'];

describe('the same command twice', () => {
  it('writes the same checkpoints, byte for byte, and the same records', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train({ overrides: EVERY_4 });
    const { summary: second } = await setting.train({ overrides: EVERY_4 });
    expect(second.directory).not.toBe(first.directory);
    for (const step of ['step-20', 'step-21']) {
      const [a, b] = await Promise.all(
        [first, second].map(({ directory }) => bytesOf(join(directory, 'checkpoints', step))),
      );
      expect(Object.keys(a!)).toEqual(['model.safetensors', 'state.json', 'state.safetensors']);
      expect(b).toEqual(a);
    }
    expect(await recordsOf(second.directory)).toEqual(await recordsOf(first.directory));
    expect(second.metrics).toEqual(first.metrics);
  });

  it('writes the same bytes with several threads as with one', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train({ threads: 1 });
    const { summary: second } = await setting.train({ threads: 2 });
    const [a, b] = await Promise.all(
      [first, second].map(({ directory }) => bytesOf(join(directory, 'checkpoints', 'last'))),
    );
    expect(b).toEqual(a);
  });

  it('trains something else from another seed', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train();
    const { summary: second } = await setting.train({ overrides: ['seed=4'] });
    expect(second.metrics).not.toEqual(first.metrics);
  });
});

describe('a run that was stopped and went on', () => {
  const stops: [string, RunOptions['stopAt'][], string[]][] = [
    ['in the middle of an epoch', [{ split: 'train', batch: 5 }], []],
    ['right after a record', [{ split: 'train', batch: 3 }], []],
    ['at the last step of an epoch', [{ split: 'train', batch: 7 }], []],
    ['at the first step', [{ split: 'train', batch: 1 }], []],
    ['while it was evaluated', [{ split: 'val', batch: 2 }], []],
    ['at the last batch of an evaluation', [{ split: 'val', batch: 3 }], []],
    ['at the very last step', [{ split: 'train', batch: 21 }], []],
    [
      'twice',
      [
        { split: 'train', batch: 4 },
        { split: 'train', batch: 7 },
      ],
      [],
    ],
    ['beside checkpoints by step', [{ split: 'train', batch: 9 }], EVERY_4],
    [
      'with Adam and clipping',
      [{ split: 'train', batch: 5 }],
      ['optimizer={type: Adam, amsgrad: true}', 'trainer.clip_grad_norm=0.5'],
    ],
    [
      'with a rate that changes after every step',
      [{ split: 'train', batch: 5 }],
      ['scheduler={type: OneCycleLR, max_lr: 0.2, total_steps: 21}'],
    ],
    [
      'with rates that follow the validation',
      [{ split: 'train', batch: 16 }],
      ['scheduler={type: ReduceLROnPlateau, patience: 0, threshold: 1}'],
    ],
    [
      'with a warm-up and a decay',
      [{ split: 'train', batch: 12 }],
      [
        'scheduler={type: SequentialLR, milestones: [1], schedulers: [{type: LinearLR}, ' +
          '{type: ExponentialLR, gamma: 0.5}]}',
      ],
    ],
    [
      'with gradients of several batches in a step, the last of them smaller',
      [{ split: 'train', batch: 4 }],
      ['trainer.accumulate_grad_batches=2'],
    ],
    [
      'and is to end early',
      [{ split: 'train', batch: 12 }],
      ['trainer.early_stopping={ patience: 1, min_delta: 10 }'],
    ],
    ['in its last, shortened epoch', [{ split: 'val', batch: 8 }], ['trainer.max_steps=17']],
  ];

  it.each(stops)('ends as one that was not: %s', async (_, points, overrides) => {
    const setting = await Setting.make();
    const { summary: whole } = await setting.train({ overrides });
    let { summary, events } = await setting.train({ overrides, stopAt: points[0]! });
    for (const stopAt of [...points.slice(1), undefined]) {
      expect(eventsOf(events, 'stopped')).toHaveLength(1);
      ({ summary, events } = await setting.train({
        overrides,
        resume: summary.directory,
        ...(stopAt && { stopAt }),
      }));
    }
    expect(summary.metrics).toEqual(whole.metrics);
    const last = await Promise.all(
      [summary, whole].map((run) => readlink(join(run.directory, 'checkpoints', 'last'))),
    );
    expect(last[0]).toBe(last[1]);
    for (const link of ['last', 'best']) {
      const resumed = await bytesOf(join(summary.directory, 'checkpoints', link));
      expect(resumed).toEqual(await bytesOf(join(whole.directory, 'checkpoints', link)));
    }
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it('forgets what it recorded after its last checkpoint when it was killed', async () => {
    const setting = await Setting.make();
    const { summary: whole } = await setting.train({ overrides: EVERY_4 });
    const { summary: stopped } = await setting.train({
      overrides: EVERY_4,
      stopAt: { split: 'train', batch: 8 },
    });
    // As if it had gone on for a while without reaching another checkpoint.
    const metrics = join(stopped.directory, 'metrics.jsonl');
    await cp(join(whole.directory, 'metrics.jsonl'), metrics);
    const { summary } = await setting.train({ overrides: EVERY_4, resume: stopped.directory });
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it('says where it goes on from, and does not start over', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    const checkpoint = join(summary.directory, 'checkpoints', 'step-9');
    expect(eventsOf(events, 'stopped')).toEqual([
      { event: 'stopped', step: 9, signal: 'SIGINT', checkpoint },
    ]);
    expect(eventsOf(events, 'end')).toEqual([]);
    const resumed = await setting.train({ resume: summary.directory });
    expect(eventsOf(resumed.events, 'start')[0]).toMatchObject({
      directory: summary.directory,
      start_step: 9,
      total_steps: 21,
    });
    expect(eventsOf(resumed.events, 'metrics')[0]!.time).toBeGreaterThan(
      eventsOf(events, 'metrics').at(-1)!.time,
    );
  });
});

describe('--resume', () => {
  it('auto takes the newest run that has a checkpoint', async () => {
    const setting = await Setting.make();
    await setting.train();
    const { summary: second } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    const { summary } = await setting.train({ resume: 'auto' });
    expect(summary.directory).toBe(second.directory);
    expect(summary.step).toBe(21);
  });

  it('auto starts a new run where there is none', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ resume: 'auto' });
    expect(summary.directory).toBe(join(setting.out, 'shades', '1'));
  });

  it('goes on for more epochs when the config asks for more', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train();
    const { summary } = await setting.train({
      overrides: ['trainer.epochs=4'],
      resume: first.directory,
    });
    expect([first.step, summary.step, summary.epoch]).toEqual([21, 28, 4]);
  });

  it('of a finished run trains nothing', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train();
    const { summary, events } = await setting.train({ resume: first.directory });
    expect(summary.metrics).toEqual(first.metrics);
    expect(eventsOf(events, 'metrics')).toEqual([]);
  });

  it.each([
    ['a folder that is no run', 'nothing', /nothing is not the folder of a run/],
    ['a run without a checkpoint', 'empty', /empty has no checkpoint to go on from/],
  ])('refuses %s', async (_, name, message) => {
    const setting = await Setting.make();
    const run = join(setting.folder, name);
    await mkdir(run);
    if (name === 'empty') await writeFile(join(run, 'config.yaml'), '');
    await expect(setting.train({ resume: run })).rejects.toThrow(message);
  });

  it.each([
    [
      'another optimizer',
      ['optimizer={ type: Plain, lr: 0.1 }'],
      /optimizer\.type: .* SGD until now; Plain cannot go on/,
    ],
    [
      'a model of other sizes',
      ['model.layers.1.out_features=13'],
      /model\.layers\[1\]\.out_features: .*\(.*: 12 -> 13\): .*hidden\.weight has shape/,
    ],
    [
      'an optimizer with other state',
      ['optimizer.momentum=0'],
      /optimizer\.momentum: .*\(.*: 0\.9 -> 0\): .*momentum_buffer is unexpected/,
    ],
    ['another batch size within an epoch', ['data.batch_size=4'], /batch_size is 4, but was 8/],
    ['another seed within an epoch', ['seed=9'], /seed is 9, but was 3/],
  ])('refuses %s', async (_, overrides, message) => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    const before = await bytesOf(join(summary.directory, 'checkpoints', 'last'));
    await expect(setting.train({ overrides, resume: summary.directory })).rejects.toThrow(message);
    expect(await bytesOf(join(summary.directory, 'checkpoints', 'last'))).toEqual(before);
  });
});
