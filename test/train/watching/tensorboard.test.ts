/** The event files of a run, read by a reader of their own: `test/io/tensorboard/event-reader.ts`. */

import { cp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/base/errors.ts';
import { type ReadEvent, readFolder, scalarsOf } from '../../io/tensorboard/event-reader.ts';
import { bytesOf, Setting } from '../setting.ts';

async function linesOf(run: string): Promise<Record<string, number | string>[]> {
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The points that a run's event files must show: those of `metrics.jsonl`, once each. */
async function recordedScalars(run: string): Promise<Record<string, [number, number][]>> {
  const series: Record<string, [number, number][]> = {};
  for (const { step, split, epoch, time, ...values } of await linesOf(run)) {
    for (const [key, value] of Object.entries(values)) {
      if (key === 'lr' && split === 'val') continue;
      const tag = key === 'lr' ? key : `${key}/${split}`;
      series[tag] = [...(series[tag] ?? []), [Number(step), Math.fround(Number(value))]];
    }
  }
  return series;
}

function tagsOf(events: readonly ReadEvent[]): string[] {
  return events.flatMap(({ values }) => values.map(({ tag }) => tag));
}

describe('the event files of a run', () => {
  it('have every record, the config, and what it is compared by', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train();
    const run = summary.directory;
    const events = await readFolder(run);
    expect(scalarsOf(events)).toEqual(await recordedScalars(run));
    expect(Object.keys(scalarsOf(events)).sort()).toEqual([
      'accuracy/train',
      'accuracy/val',
      'loss/train',
      'loss/val',
      'lr',
      'samples_per_second/train',
      'samples_per_second/val',
    ]);
    const [text] = events.flatMap(({ values }) => values.filter(({ plugin }) => plugin === 'text'));
    expect(text!.text![0]).toContain('    optimizer:\n      type: SGD\n      lr: 0.1');
    const sessions = tagsOf(events).filter((tag) => tag.startsWith('_hparams_'));
    expect(sessions).toEqual(['_hparams_/session_start_info', '_hparams_/session_end_info']);
    expect(events.some(({ graph_def }) => graph_def)).toBe(false);
  });

  it('have histograms, images and the graph where the config wants them', async () => {
    const setting = await Setting.make();
    const tensorboard = 'tensorboard={histograms: true, images: 9, graph: true}';
    const { summary } = await setting.train({ overrides: [tensorboard] });
    const plain = await setting.train();
    const events = await readFolder(summary.directory);
    const histograms = events.flatMap(({ step, values }) =>
      values.filter(({ histo }) => histo).map(({ tag, histo }) => [tag, step, histo!.num]),
    );
    expect(histograms).toContainEqual(['weights/hidden.weight', 7, 12 * 16]);
    expect(histograms).toContainEqual(['gradients/out.bias', 21, 3]);
    const [image] = events.flatMap(({ values }) => values.filter((value) => value.image));
    expect(image!.image).toMatchObject({ width: 8 * 4, height: 2 * 4 });
    expect(events.filter(({ graph_def }) => graph_def)).toHaveLength(1);
    // Looking changes nothing.
    const last = (run: string) => bytesOf(join(run, 'checkpoints/last'));
    expect(await last(summary.directory)).toEqual(await last(plain.summary.directory));
  });

  it.each([
    ['in the middle of an epoch', { split: 'train', batch: 10 }],
    ['before an epoch is evaluated', { split: 'train', batch: 7 }],
    ['while an epoch is evaluated', { split: 'val', batch: 2 }],
  ] as const)('have no point twice when a run was stopped %s', async (_, stopAt) => {
    const setting = await Setting.make();
    const overrides = ['tensorboard={histograms: true}', 'trainer.log_every=1'];
    const { summary } = await setting.train({ overrides, stopAt });
    const run = summary.directory;
    await setting.train({ overrides, resume: run });
    expect((await readdir(run)).filter((name) => name.includes('tfevents'))).toHaveLength(2);
    const events = await readFolder(run);
    expect(scalarsOf(events)).toEqual(await recordedScalars(run));
    const sessions = tagsOf(events).filter((tag) => tag.endsWith('session_end_info'));
    expect(sessions).toHaveLength(1);
  });

  it('have no point twice when a run was killed after its last checkpoint', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({
      overrides: ['trainer.keep=9', 'trainer.log_every=1'],
    });
    const run = summary.directory;
    // As a kill in the second epoch would leave it: records and points after the checkpoint.
    const killed = join(setting.out, 'shades', '9');
    await cp(run, killed, { recursive: true, verbatimSymlinks: true });
    for (const step of [14, 21]) {
      await rm(join(killed, `checkpoints/step-${step}`), { recursive: true });
    }
    for (const name of ['last', 'best']) {
      await rm(join(killed, 'checkpoints', name));
      await symlink('step-7', join(killed, 'checkpoints', name));
    }
    await setting.train({ overrides: ['trainer.log_every=1'], resume: killed });
    expect(scalarsOf(await readFolder(killed))).toEqual(await recordedScalars(killed));
  });

  it('are not there where the config wants none', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['tensorboard=false'] });
    expect((await readdir(summary.directory)).filter((name) => /tfevents/.test(name))).toEqual([]);
  });

  it('are refused with images of what has none, and with unknown contents', async () => {
    const setting = await Setting.make();
    expect(() => setting.config(['tensorboard={imges: 3}'])).toThrow(
      'unknown key "imges"; did you mean "images"?',
    );
    expect(() => setting.config(['tensorboard={images: -3}'])).toThrow(
      'expected an integer of at least 0',
    );
    const overrides = [
      'tensorboard.images=3',
      'data.train={type: FakeData, size: 50, image_size: [2, 4, 4], num_classes: 3}',
      'data.val={type: FakeData, size: 50, image_size: [2, 4, 4], num_classes: 3}',
    ];
    await expect(setting.train({ overrides })).rejects.toThrow(ConfigError);
  });
});
