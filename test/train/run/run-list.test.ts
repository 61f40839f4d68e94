/** What `torchts ls` and `torchts diff` know of runs that were really trained. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { diffRuns, shortNames } from '../../../src/train/run/run-diff.ts';
import { listRuns, readRunInfo } from '../../../src/train/run/run-list.ts';
import { Setting } from '../setting.ts';

describe('listRuns', () => {
  it('knows how runs ended', async () => {
    const setting = await Setting.make();
    const finished = await setting.train({ overrides: ['trainer.epochs=1'] });
    await setting.train({ stopAt: { split: 'train', batch: 9 } });
    await setting.train({ overrides: ['optimizer.lr=1e30'] }).catch(() => undefined);
    const runs = await listRuns(setting.out);
    expect(
      runs.map(({ name, number, state, step, total_steps }) => [
        ...[name, number, state, step, total_steps],
      ]),
    ).toEqual([
      ['shades', 1, 'finished', 7, 7],
      ['shades', 2, 'stopped', 9, 21],
      ['shades', 3, 'failed', expect.any(Number), 21],
    ]);
    const [first, second, third] = runs;
    expect(first!.metrics).toEqual(finished.summary.metrics);
    expect(first!.best).toMatchObject({ metric: 'val_accuracy', step: 7, mode: 'max' });
    expect(first!.seconds).toBe(finished.summary.seconds);
    expect(second!.message).toBe('by SIGINT');
    expect(third!.message).toContain('training stopped');
    expect(Date.parse(first!.started!)).toBeLessThanOrEqual(Date.parse(second!.started!));

    await setting.train({ resume: join(setting.out, 'shades', '2') });
    expect((await readRunInfo(join(setting.out, 'shades', '2'))).state).toBe('finished');
  });

  it('tells a run that trains from one whose process was killed', async () => {
    const setting = await Setting.make();
    let seen: unknown;
    const { summary } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    const run = summary.directory;
    const status = join(run, 'status.json');
    const text = (await readFile(status, 'utf8')).replace('"stopped"', '"running"');
    await writeFile(status, text);
    expect((await readRunInfo(run)).state).toBe('killed');
    await setting.train({
      resume: run,
      onEvent: async ({ event }) => {
        if (event === 'metrics') seen ??= readRunInfo(run);
      },
    });
    expect(await seen).toMatchObject({ state: 'running' });
  });

  it('lists damaged and foreign folders as such, and never fails on them', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['trainer.epochs=1'] });
    const make = async (path: string, files: Record<string, string>) => {
      await mkdir(join(setting.out, path), { recursive: true });
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(setting.out, path, name), text);
      }
    };
    await make('photos/holidays', { 'a.jpg': 'x' });
    await make('shades/7', { 'metrics.jsonl': '{}' });
    await make('broken/1', {
      'config.yaml': ': [',
      'env.json': '{',
      'metrics.jsonl': '{"step":3,"epoch":1,"split":"train","time":2}\n{"step":',
      'status.json': '{"state":"asleep"}',
      'summary.json': '[]',
    });
    await make('.hidden/1', { 'config.yaml': '', 'env.json': '' });
    await rm(join(summary.directory, 'status.json'));
    const runs = await listRuns(setting.out);
    expect(runs.map(({ path, state }) => [path.slice(setting.out.length + 1), state])).toEqual([
      ['broken/1', 'stopped'],
      ['photos', 'foreign'],
      ['shades/1', 'finished'],
      ['shades/7', 'damaged'],
    ]);
    expect(runs[0]).toMatchObject({ step: 3, seconds: 2, best: null, metrics: {} });
    await expect(listRuns(join(setting.out, 'nowhere'))).rejects.toThrow(FileError);
  });
});

describe('diffRuns', () => {
  it('has the keys that differ, and the metrics of both', async () => {
    const setting = await Setting.make();
    const a = await setting.train({ overrides: ['trainer.epochs=1'] });
    const b = await setting.train({
      overrides: ['trainer.epochs=2', 'optimizer.lr=0.2', 'model.layers.3=ReLU'],
    });
    const { config, metrics, environment } = await diffRuns(
      a.summary.directory,
      b.summary.directory,
    );
    expect(config).toEqual(
      [
        { key: 'model.layers[3].type', a: 'Dropout', b: 'ReLU' },
        { key: 'model.layers[3].p', a: 0.2, b: undefined },
        { key: 'model.layers[3].inplace', a: false, b: false },
        { key: 'optimizer.lr', a: 0.1, b: 0.2 },
        { key: 'trainer.epochs', a: 1, b: 2 },
      ].filter(({ a: left, b: right }) => left !== right),
    );
    expect(metrics).toContainEqual({
      key: 'val_loss',
      a: a.summary.metrics.val_loss,
      b: b.summary.metrics.val_loss,
    });
    expect(environment).toEqual([]);
    await expect(diffRuns(a.summary.directory, setting.out)).rejects.toThrow(FileError);
  });

  it('names runs by what tells them apart', () => {
    expect(shortNames('runs/a/1', 'runs/a/2')).toEqual(['a/1', 'a/2']);
    expect(shortNames('runs/a/1', 'old/a/1')).toEqual(['runs/a/1', 'old/a/1']);
    expect(shortNames('x', 'x')).toEqual(['x', 'x']);
  });
});
