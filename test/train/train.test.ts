import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError, TorchtsError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { load } from '../../src/io/tensors.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from './setting.ts';

async function checkpointsOf(run: string): Promise<string[]> {
  return (await readdir(join(run, 'checkpoints'))).sort();
}

describe('a run', () => {
  it('tells what it does, in order', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ overrides: ['trainer.epochs=1'] });
    const told = events.filter(({ event }) => event !== 'progress' && event !== 'retrace');
    expect(told.map((e) => (e.event === 'metrics' ? `${e.split} ${e.step}` : e.event))).toEqual([
      'start',
      'train 3',
      'train 6',
      'train 7',
      'val 7',
      'checkpoint',
      'end',
    ]);
    // The last batch of an epoch is smaller, in training and in evaluation.
    expect(eventsOf(events, 'retrace').map(({ reason }) => reason)).toEqual([
      expect.stringContaining('training step'),
      expect.stringContaining('evaluation step'),
    ]);
    expect(told[0]).toMatchObject({
      name: 'shades',
      directory: join(setting.out, 'shades', '1'),
      device: 'cpu',
      threads: 1,
      parameters: 16 * 12 + 12 + 12 * 3 + 3,
      train_samples: 50,
      val_samples: 20,
      test_samples: 0,
      epochs: 1,
      total_steps: 7,
      start_step: 0,
    });
    expect(summary).toMatchObject({ step: 7, epoch: 1, ok: true });
    expect(summary).toMatchObject(
      JSON.parse(await readFile(join(summary.directory, 'summary.json'), 'utf8')),
    );
  });

  it('learns: the mean losses fall, and the shades are told apart', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ overrides: ['trainer.epochs=20'] });
    const losses = eventsOf(events, 'metrics').filter(({ split }) => split === 'train');
    expect(losses[0]!.loss).toBeGreaterThan(0.9);
    expect(summary.metrics.train_loss).toBeLessThan(0.5);
    expect(summary.metrics.val_accuracy).toBeGreaterThan(0.8);
  });

  it('learns as well in mixed precision, with float32 weights', async () => {
    const setting = await Setting.make();
    const run = (precision: string) =>
      setting.train({ overrides: ['trainer.epochs=20', `precision=${precision}`] });
    const { summary } = await run('float32');
    const mixed = (await run('bfloat16')).summary;
    expect(mixed.metrics.train_loss).not.toBe(summary.metrics.train_loss);
    expect(mixed.metrics.train_loss).toBeCloseTo(summary.metrics.train_loss!, 1);
    expect(mixed.metrics.val_accuracy).toBeCloseTo(summary.metrics.val_accuracy!, 1);
    const weights = await load(join(mixed.directory, 'checkpoints', 'last', 'model.safetensors'));
    expect(new Set([...weights.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
  });

  it('writes its records as a table too', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['trainer.epochs=1'] });
    const records = await recordsOf(summary.directory);
    const table = await readFile(join(summary.directory, 'metrics.csv'), 'utf8');
    const [names, ...rows] = table
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(names).toEqual([
      'step',
      'epoch',
      'split',
      'loss',
      'accuracy',
      'lr',
      'samples_per_second',
      'time',
    ]);
    const {
      time: _,
      samples_per_second: __,
      ...first
    } = Object.fromEntries(
      names!.map((name, i) => [name, name === 'split' ? rows[0]![i] : Number(rows[0]![i])]),
    );
    expect(first).toEqual(records[0]);
    expect(rows).toHaveLength(records.length);
  });

  it('writes its records as it emits them', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({
      overrides: ['trainer.epochs=2', 'trainer.eval_every=2'],
    });
    const text = await readFile(join(summary.directory, 'metrics.jsonl'), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual(eventsOf(events, 'metrics').map(({ event, ...record }) => record));
    expect(lines.map(({ split, step, epoch }) => `${split} ${step} ${epoch}`)).toEqual([
      'train 3 1',
      'train 6 1',
      'train 7 1',
      'train 10 2',
      'train 13 2',
      'train 14 2',
      'val 14 2',
    ]);
    for (const { lr, loss, accuracy, samples_per_second } of lines) {
      expect(lr).toBe(0.1);
      expect(loss).toBeGreaterThan(0);
      expect(accuracy).toBeGreaterThanOrEqual(0);
      expect(accuracy).toBeLessThanOrEqual(1);
      expect(samples_per_second).toBeGreaterThan(0);
    }
  });

  it('records the mean over the samples, whatever the sizes of the batches', async () => {
    const setting = await Setting.make();
    const still = ['optimizer.lr=0', 'trainer.epochs=1', 'model.layers.3.p=0'];
    const mean = async (...more: string[]) => {
      const { summary } = await setting.train({ overrides: [...still, ...more] });
      const [record] = (await recordsOf(summary.directory)) as { loss: number; accuracy: number }[];
      return record!;
    };
    // The same 50 samples as one batch, and as six batches of 8 and one of 2, in one record.
    const one = await mean('data.batch_size=50');
    const seven = await mean('trainer.log_every=100');
    expect(seven.loss).toBeCloseTo(one.loss, 6);
    expect(seven.accuracy).toBe(one.accuracy);
    const summed = await mean(
      'trainer.log_every=100',
      'loss={type: CrossEntropyLoss, reduction: sum}',
    );
    expect(summed.loss).toBeCloseTo(one.loss, 6);
  });

  it('has the resolved config, which trains the same again', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['optimizer.lr=0.05'] });
    const again = loadConfig(join(summary.directory, 'config.yaml')).config;
    expect(again).toEqual(setting.config(['optimizer.lr=0.05']).config);
  });

  it('says where it ran', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['trainer.max_steps=1'] });
    const env = JSON.parse(await readFile(join(summary.directory, 'env.json'), 'utf8'));
    expect(env).toMatchObject({ engine: 'cpu', node: process.version, seed: 3, threads: 1 });
    expect(Object.keys(env)).toEqual(
      'torchts node platform engine cpu isa onednn threads seed git'.split(' '),
    );
  });

  it('clips gradients as the config says', async () => {
    const setting = await Setting.make();
    const weights = async (...more: string[]) => {
      const overrides = ['trainer.max_steps=3', ...more];
      const { summary } = await setting.train({ overrides });
      return bytesOf(join(summary.directory, 'checkpoints', 'last'));
    };
    const free = await weights();
    expect(await weights('trainer.clip_grad_norm=1e6')).toEqual(free);
    expect(await weights('trainer.clip_grad_value=1e6')).toEqual(free);
    expect(await weights('trainer.clip_grad_norm=0.01')).not.toEqual(free);
    expect(await weights('trainer.clip_grad_value=0.001')).not.toEqual(free);
    expect(() => setting.config(['trainer.clip_grad_norm=0'])).toThrow('trainer.clip_grad_norm');
  });

  it('stops in the middle of an epoch at max_steps, and evaluates there', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ overrides: ['trainer.max_steps=9'] });
    expect(summary).toMatchObject({ step: 9, epoch: 2 });
    const records = eventsOf(events, 'metrics').map(({ split, step }) => `${split} ${step}`);
    expect(records.slice(-2)).toEqual(['train 9', 'val 9']);
  });

  it('takes the next free number', async () => {
    const setting = await Setting.make();
    await mkdir(join(setting.out, 'shades', '7'), { recursive: true });
    const short = { overrides: ['trainer.max_steps=1'] };
    const numbers = [await setting.train(short), await setting.train(short)];
    expect(numbers.map(({ summary }) => summary.directory)).toEqual([
      join(setting.out, 'shades', '8'),
      join(setting.out, 'shades', '9'),
    ]);
  });
});

describe('checkpoints', () => {
  it('are kept as far as asked for, and the best one', async () => {
    const setting = await Setting.make();
    const overrides = ['trainer.epochs=6', 'trainer.keep=1', 'optimizer.lr=0.3'];
    const { summary, events } = await setting.train({ overrides });
    const accuracy = eventsOf(events, 'metrics').filter(({ split }) => split === 'val');
    const best = accuracy.reduce((a, b) => (Number(b.accuracy) > Number(a.accuracy) ? b : a));
    const expected = new Set(['best', 'last', `step-${best.step}`, 'step-42']);
    expect(await checkpointsOf(summary.directory)).toEqual([...expected].sort());
    const link = (name: string) => readlink(join(summary.directory, 'checkpoints', name));
    expect([await link('best'), await link('last')]).toEqual([`step-${best.step}`, 'step-42']);
  });

  it('are written every so many steps and at the end of every epoch', async () => {
    const setting = await Setting.make();
    const overrides = ['trainer.checkpoint_every=3', 'trainer.epochs=2', 'trainer.keep=100'];
    const { summary, events } = await setting.train({ overrides });
    const steps = eventsOf(events, 'checkpoint').map(({ step }) => step);
    expect(steps).toEqual([3, 6, 7, 9, 12, 14]);
    expect((await checkpointsOf(summary.directory)).length).toBe(steps.length + 2);
  });

  it('without validation data: the best one is the last', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['data.val=null', 'trainer.keep=1'] });
    expect(await checkpointsOf(summary.directory)).toEqual(['best', 'last', 'step-21']);
    expect(await readlink(join(summary.directory, 'checkpoints', 'best'))).toBe('step-21');
    expect(Object.keys(summary.metrics)).toEqual(['train_loss', 'train_accuracy']);
  });
});

describe('expect', () => {
  it('that is met', async () => {
    const setting = await Setting.make();
    const overrides = ['expect={ train_loss: { max: 10, min: 0 }, seconds: { max: 1000 } }'];
    const { summary, events } = await setting.train({ overrides });
    expect(summary.ok).toBe(true);
    expect(eventsOf(events, 'expect').map(({ key, ok }) => [key, ok])).toEqual([
      ['train_loss', true],
      ['seconds', true],
    ]);
  });

  it('that is not met makes the run fail, after everything is written', async () => {
    const setting = await Setting.make();
    const overrides = ['expect={ val_accuracy: { min: 0.1 }, val_loss: { max: 0.001 } }'];
    const { summary, events } = await setting.train({ overrides });
    expect(summary.ok).toBe(false);
    const told = eventsOf(events, 'expect');
    expect(told.map(({ key, ok }) => [key, ok])).toEqual([
      ['val_loss', false],
      ['val_accuracy', true],
    ]);
    expect(told[0]!.message).toMatch(/^val_loss is \d.*, expected at most 0.001$/);
    const stored = JSON.parse(await readFile(join(summary.directory, 'summary.json'), 'utf8'));
    expect(stored.ok).toBe(false);
  });
});

describe('a run that cannot be', () => {
  it('says where the loss went, and what was saved last', async () => {
    const setting = await Setting.make();
    const overrides = ['optimizer.lr=1e30', 'trainer.log_every=2'];
    const error = await setting.train({ overrides }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TorchtsError);
    expect(error.message).toMatch(
      /^training stopped: the mean training loss of steps \d to \d is (NaN|Infinity); it began in step \d: .*; no checkpoint was written yet; try a smaller optimizer.lr/,
    );
    expect(await checkpointsOf(join(setting.out, 'shades', '1'))).toEqual([]);
  });

  it('keeps the last sound checkpoint when it diverges later', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ stopAt: { split: 'train', batch: 4 } });
    const training = setting.train({ overrides: ['optimizer.lr=1e30'], resume: summary.directory });
    await expect(training).rejects.toThrow(
      `the last checkpoint is ${join(summary.directory, 'checkpoints', 'step-4')}`,
    );
    const { summary: better } = await setting.train({ resume: summary.directory });
    expect(better.step).toBe(21);
  });

  it('does not save weights that are no longer finite', async () => {
    const setting = await Setting.make();
    // The loss of the only step is finite; the update after it is not.
    const overrides = ['optimizer.lr=1e39', 'trainer.max_steps=1', 'data.val=null'];
    await expect(setting.train({ overrides })).rejects.toThrow(
      /\.(weight|bias) is no longer finite after step 1/,
    );
  });

  it.each([
    ['model.layers.4.out_features=2', /model: the data has 3 classes, but the model gives 2/],
    ['loss={ type: CrossEntropyLoss, reduction: none }', /loss: gives \(8,\)/],
    ['loss=MSELoss', /loss: .*mse_loss.*cannot be broadcast/],
    ['model.layers.1.in_features=15', /model\.layers\[1\].*15/],
    ['data.val={ type: CIFAR10, root: datasets/cifar10-subset }', /data\.val: has inputs of/],
  ])('points at %s before it makes a folder', async (override, message) => {
    const setting = await Setting.make();
    const training = setting.train({ overrides: [override] });
    await expect(training).rejects.toThrow(ConfigError);
    await expect(training).rejects.toThrow(message);
    await expect(stat(setting.out)).rejects.toThrow(/ENOENT/);
  });

  it('says in one line that its folder cannot be made', async () => {
    const setting = await Setting.make();
    await writeFile(setting.out, 'a file, not a folder');
    const error = await setting.train().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect(error.message).toMatch(/^cannot make a folder for the run in .*shades: .*$/);
  });
});

describe('evaluate', () => {
  it('measures a checkpoint as the run itself did', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train();
    const request = {
      loaded: setting.config(),
      checkpoint: join(summary.directory, 'checkpoints', 'last'),
      threads: 1,
    };
    const { val_loss, val_accuracy } = summary.metrics;
    expect(await evaluate({ ...request, split: 'val' })).toMatchObject([
      { split: 'val', samples: 20, metrics: { loss: val_loss, accuracy: val_accuracy } },
    ]);
    expect(await evaluate({ ...request, split: 'train' })).toMatchObject([{ samples: 50 }]);
  });

  it('refuses a config without the split, and a model of other sizes', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['trainer.max_steps=1'] });
    const checkpoint = join(summary.directory, 'checkpoints', 'best');
    const on = (overrides: string[]) =>
      evaluate({ loaded: setting.config(overrides), checkpoint, split: 'val', threads: 1 });
    await expect(on(['data.val=null'])).rejects.toThrow(/there is no data.val/);
    await expect(on(['model.layers.1.out_features=13'])).rejects.toThrow(
      /model\.safetensors does not fit the model.*hidden\.bias has shape \(12,\), needs \(13,\)/,
    );
  });
});
