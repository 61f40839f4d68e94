import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { runSweep, type SweepEvent } from '../../src/sweep/sweep.ts';
import { newestSweep } from '../../src/sweep/sweep-folder.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { listRuns } from '../../src/train/run/run-list.ts';
import { bytesOf, recordsOf, Setting } from '../train/setting.ts';

interface Options {
  readonly resume?: string;
  /** Stops when this says so. */
  readonly stopAt?: (event: TrainEvent | SweepEvent) => boolean;
}

async function sweep(setting: Setting, overrides: string[], { resume, stopAt }: Options = {}) {
  const base = ['report=false', 'tensorboard=false', ...overrides];
  const abort = new AbortController();
  const events: (TrainEvent | SweepEvent)[] = [];
  const summary = await runSweep({
    loaded: setting.config(base),
    load: async (more) => setting.config([...base, ...more]),
    out: setting.out,
    resume,
    threads: 1,
    signal: abort.signal,
    onEvent: (event) => {
      events.push(event);
      if (stopAt?.(event)) abort.abort('SIGINT');
    },
  });
  return { summary, events };
}

const GRID = 'sweep={parameters: {optimizer.lr: {values: [0.01, 1e30, 0.1]}}, monitor: val_loss}';
/** Three trials for an epoch each, of which the best one has two more. */
const HALVING = [
  'sweep={method: successive_halving, parameters: {optimizer.lr: {values: [1e-5, 0.1, 1e-6]}}}',
  'trainer.epochs=3',
];

describe('a grid', { timeout: 60_000 }, () => {
  it('trains every trial in a run of its own, and ranks them; a failed one ends only itself', async () => {
    const setting = await Setting.make();
    const expectation = 'expect={ val_loss: { min: 1e9 } }';
    const overrides = [GRID, 'trainer.epochs=2', expectation];
    const { summary, events } = await sweep(setting, overrides);
    expect(summary.trials.map(({ met }) => met)).toEqual([false, false, null]);
    expect(summary.trials.map(({ number, state }) => [number, state])).toEqual([
      [3, 'finished'],
      [1, 'finished'],
      [2, 'failed'],
    ]);
    const [best, second, failed] = summary.trials;
    expect(best!.value).toBeLessThan(second!.value!);
    expect(failed).toMatchObject({ value: null, message: expect.stringContaining('stopped') });
    expect(events.filter(({ event }) => event === 'trial')).toHaveLength(3);
    const records = (await recordsOf(join(summary.directory, best!.run!))) as {
      split: string;
      loss: number;
    }[];
    const losses = records.filter(({ split }) => split === 'val').map(({ loss }) => loss);
    expect(best!.value).toBe(Math.min(...losses));

    const runs = await listRuns(setting.out);
    expect(runs.map(({ name, number, state }) => [name, number, state])).toEqual([
      ['sweep-1', 1, 'finished'],
      ['sweep-1', 2, 'failed'],
      ['sweep-1', 3, 'finished'],
    ]);
    const csv = await readFile(join(summary.directory, 'sweep.csv'), 'utf8');
    expect(csv.split('\n')[0]).toBe('trial,state,val_loss,epochs,run,optimizer.lr');
    expect(csv.split('\n')[1]).toMatch(/^3,finished,[\d.]+,2,3,0.1$/);
    // As the same run would have been trained alone.
    const alone = await setting.train({ overrides: ['trainer.epochs=2'] });
    const last = (run: string) => bytesOf(join(run, 'checkpoints/last'));
    expect(await last(join(summary.directory, '3'))).toEqual(await last(alone.summary.directory));
  });

  it('goes on where it was stopped, and ends as one that was not', async () => {
    const setting = await Setting.make();
    const overrides = [GRID, 'trainer.epochs=1', 'trainer.log_every=1'];
    const { summary: whole } = await sweep(setting, overrides);
    let records = 0;
    const stopAt = ({ event }: { event: string }) => event === 'metrics' && ++records === 4;
    const stopped = await sweep(setting, overrides, { stopAt });
    expect(stopped.summary.stopped).toBe('SIGINT');
    const states = stopped.summary.trials.map(({ state }) => state);
    expect(states).toContain('waiting');
    const folder = await newestSweep(setting.out, 'shades');
    expect(folder).toBe(stopped.summary.directory);
    const { summary, events } = await sweep(setting, overrides, { resume: folder! });
    expect(summary.stopped).toBe(null);
    expect(summary.trials.map(({ number, value }) => [number, value])).toEqual(
      whole.trials.map(({ number, value }) => [number, value]),
    );
    // Nothing is trained twice.
    const finished = events.filter(({ event }) => event === 'end').length;
    const before = stopped.events.filter(({ event }) => event === 'end').length;
    expect(finished + before).toBe(2);
  });

  it('goes on only with the trials that it began with', async () => {
    const setting = await Setting.make();
    const { summary } = await sweep(setting, [GRID, 'trainer.epochs=1']);
    const other = GRID.replace('0.01', '0.02');
    await expect(
      sweep(setting, [other, 'trainer.epochs=1'], { resume: summary.directory }),
    ).rejects.toThrow('has other trials than the config');
  });
});

describe('successive halving', { timeout: 60_000 }, () => {
  it('trains the best on, from their own checkpoints', async () => {
    const setting = await Setting.make();
    const { summary, events } = await sweep(setting, HALVING);
    const byNumber = [...summary.trials].sort((a, b) => a.number - b.number);
    expect(byNumber.map(({ state }) => state).sort()).toEqual([
      ...['dropped', 'dropped', 'finished'],
    ]);
    expect(byNumber.map(({ epochs }) => epochs).sort()).toEqual([1, 1, 3]);
    const trials = events.filter((event) => event.event === 'trial');
    expect(trials.map((event) => ('epochs' in event ? event.epochs : 0))).toEqual([
      ...[1, 1, 1, 3],
    ]);
    expect(await listRuns(setting.out)).toHaveLength(3);
    // The survivor is what it would be without the others.
    const [best] = summary.trials;
    expect(best!.state).toBe('finished');
    const lr = `optimizer.lr=${best!.values['optimizer.lr']}`;
    const alone = await setting.train({ overrides: ['trainer.epochs=3', lr] });
    const model = async (run: string) =>
      (await bytesOf(join(run, 'checkpoints/last')))['model.safetensors'];
    expect(await model(join(summary.directory, best!.run!))).toBe(
      await model(alone.summary.directory),
    );
  });

  it.each([2, 4])('goes on after a stop in trial %i of its rounds', async (at) => {
    const setting = await Setting.make();
    const { summary: whole } = await sweep(setting, HALVING);
    let trials = 0;
    let isDue = false;
    const stopAt = ({ event }: { event: string }) => {
      if (event === 'trial') isDue = ++trials === at;
      return isDue && event === 'metrics';
    };
    const stopped = await sweep(setting, HALVING, { stopAt });
    expect(stopped.summary.stopped).toBe('SIGINT');
    const { summary } = await sweep(setting, HALVING, { resume: stopped.summary.directory });
    const outcome = ({ trials: all }: typeof summary) =>
      all.map(({ number, state, value, rounds }) => [number, state, value, rounds]);
    expect(outcome(summary)).toEqual(outcome(whole));
  });
});

describe('a sweep that is wrong', () => {
  it.each([
    ['{parameters: {}}', ['there is nothing to try']],
    [
      '{parameters: {optimizer.lrr: {values: [1, 2]}, data.batch_size: {values: [8, ten]}}, monitor: val_los}',
      ['did you mean "lr"?', 'values[1]: expected a positive integer, got "ten"', '"val_loss"?'],
    ],
    ['{parameters: {sweep.seed: {values: [1]}}}', ['a sweep cannot try itself']],
    ['{parameters: {optimizer.lr: {min: 0, max: 1}}}', ['grid needs values']],
    ['{method: random, parameters: {optimizer.lr: {values: [1]}}}', ['random needs trials']],
    ['{parameters: {model.layers.1.in_features: {values: [16, 15]}}}', ['trial 2:', 'in_features']],
  ])('%s says so before anything is trained', async (text, messages) => {
    const setting = await Setting.make();
    const failure = await sweep(setting, [`sweep=${text}`]).catch((error) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    for (const message of messages) expect(failure.message).toContain(message);
    await expect(listRuns(setting.out)).rejects.toThrow('cannot read');
  });

  it('says all of it at once, each once', async () => {
    const setting = await Setting.make();
    const text = '{parameters: {optimizer.lrr: {values: [1, 2, 3]}, seed: {values: [-1, -2]}}}';
    const failure = await sweep(setting, [`sweep=${text}`]).catch((error) => error);
    expect(failure.message.match(/unknown key/g)).toHaveLength(1);
    expect(failure.message.match(/expected an integer/g)).toHaveLength(2);
  });
});
