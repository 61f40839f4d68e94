import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  Callback,
  callbacks,
  type JsonValue,
  type MetricsRecord,
  type TrainingRun,
} from '../../../src/callbacks/index.ts';
import { noGrad } from '../../../src/core/grad-mode.ts';
import { generatorState } from '../../../src/core/random.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

/** What was called, with the position at that time. */
let calls: string[] = [];
/** What the callback `Script` does in its hooks; set by each test. */
let script: Partial<Callback> & Record<string, unknown> = {};

class Diary extends Callback {
  #note(name: string, { position: { step, epoch, batch } }: TrainingRun, more = ''): void {
    calls.push(`${name} ${step}/${epoch}/${batch}${more}`);
  }
  override onTrainStart(run: TrainingRun) {
    this.#note('onTrainStart', run);
  }
  override async onTrainEpochStart(run: TrainingRun) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#note('onTrainEpochStart', run);
  }
  override onTrainBatchEnd(run: TrainingRun) {
    this.#note('onTrainBatchEnd', run);
  }
  override onValidationStart(run: TrainingRun) {
    this.#note('onValidationStart', run);
  }
  override onValidationEnd(run: TrainingRun, { split, step }: MetricsRecord) {
    this.#note('onValidationEnd', run, ` ${split} ${step}`);
  }
  override onTrainEpochEnd(run: TrainingRun) {
    this.#note('onTrainEpochEnd', run);
  }
  override onRecord(run: TrainingRun, { split, step }: MetricsRecord) {
    this.#note('onRecord', run, ` ${split} ${step}`);
  }
  override onSaveCheckpoint(run: TrainingRun, path: string) {
    this.#note('onSaveCheckpoint', run, ` ${path.slice(run.directory.length + 1)}`);
  }
  override onTrainEnd(run: TrainingRun) {
    this.#note('onTrainEnd', run);
  }
  override onException(run: TrainingRun, error: unknown) {
    this.#note('onException', run, ` ${(error as Error).name}`);
  }
  override teardown(run: TrainingRun) {
    this.#note('teardown', run);
  }
}

/** Keeps a number that follows from every hook it has heard, and how often it was asked to. */
class Counter extends Callback {
  count = 0;
  override onTrainEpochStart() {
    this.count += 1000;
  }
  override onTrainBatchEnd(run: TrainingRun) {
    this.count += 1;
    if (run.position.step % 4 === 0) run.log('heard', this.count);
  }
  override onValidationStart(run: TrainingRun) {
    this.count += 10;
    run.log('asked', this.count);
  }
  override onValidationEnd() {
    this.count += 100;
  }
  override stateDict() {
    return { count: this.count };
  }
  override loadStateDict(state: JsonValue) {
    this.count = (state as { count: number }).count;
  }
}

class StopAt extends Callback {
  constructor(readonly step: number) {
    super();
  }
  override onTrainBatchEnd(run: TrainingRun) {
    if (run.position.step === this.step) run.stop('enough');
  }
}

callbacks.register('Diary', { schema: z.strictObject({}), create: () => new Diary() });
callbacks.register('Counter', { schema: z.strictObject({}), create: () => new Counter() });
callbacks.register('StopAt', {
  schema: z.strictObject({ step: z.int() }),
  create: ({ step }: { step: number }) => new StopAt(step),
});
callbacks.register('Script', {
  schema: z.strictObject({}),
  create: () => Object.assign(new (class extends Callback {})(), script),
});

const ONE_EPOCH = ['trainer.epochs=1', 'trainer.log_every=5'];
const SCRIPT = [...ONE_EPOCH, 'callbacks=[Script]'];

describe('hooks', () => {
  it('are called in order, each at its place', async () => {
    calls = [];
    const setting = await Setting.make();
    await setting.train({ overrides: [...ONE_EPOCH, 'trainer.max_steps=2', 'callbacks=[Diary]'] });
    expect(calls).toEqual([
      'onTrainStart 0/0/0',
      'onTrainEpochStart 0/0/0',
      'onTrainBatchEnd 1/0/1',
      'onTrainBatchEnd 2/0/2',
      'onRecord 2/0/2 train 2',
      'onValidationStart 2/0/2',
      'onRecord 2/0/2 val 2',
      'onValidationEnd 2/0/2 val 2',
      'onTrainEpochEnd 2/0/2',
      'onSaveCheckpoint 2/0/2 checkpoints/step-2',
      'onTrainEnd 2/0/2',
      'teardown 2/0/2',
    ]);
  });

  it('see an epoch that was stopped go on, without another start of it', async () => {
    calls = [];
    const setting = await Setting.make();
    const overrides = [...ONE_EPOCH, 'callbacks=[Diary]'];
    const { summary } = await setting.train({ overrides, stopAt: { split: 'train', batch: 6 } });
    expect(calls.slice(-3)).toEqual([
      'onTrainBatchEnd 6/0/6',
      'onSaveCheckpoint 6/0/6 checkpoints/step-6',
      'teardown 6/0/6',
    ]);
    calls = [];
    await setting.train({ overrides, resume: summary.directory });
    expect(calls.slice(0, 2)).toEqual(['onTrainStart 6/0/6', 'onTrainBatchEnd 7/0/7']);
    calls = [];
    await setting.train({ overrides, resume: summary.directory });
    expect(calls).toEqual([]);
  });

  it('leave what is computed as it was', async () => {
    const setting = await Setting.make();
    const { summary: alone } = await setting.train();
    const { summary: watched } = await setting.train({ overrides: ['callbacks=[Diary]'] });
    expect(watched.metrics).toEqual(alone.metrics);
    const [a, b] = await Promise.all(
      [alone, watched].map(({ directory }) =>
        readFile(join(directory, 'checkpoints/last/model.safetensors'), 'base64'),
      ),
    );
    expect(b).toBe(a);
  });

  it('may change the model', async () => {
    script = {
      onTrainBatchEnd({ model }) {
        noGrad(() => {
          for (const parameter of model.parameters()) parameter.mul_(0);
        });
      },
    };
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: SCRIPT });
    expect(summary.metrics.val_loss).toBeCloseTo(Math.log(3), 6);
  });
});

describe('a run that was stopped and went on', () => {
  it.each([
    ['between two records', { split: 'train', batch: 5 } as const],
    ['while it was evaluated', { split: 'val', batch: 2 } as const],
  ])('has the same states and records as one that was not: %s', async (_, stopAt) => {
    const overrides = ['callbacks=[Counter, Diary]'];
    const setting = await Setting.make();
    const { summary: whole } = await setting.train({ overrides });
    const { summary: stopped } = await setting.train({ overrides, stopAt });
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const [a, b] = await Promise.all(
      [whole, summary].map(({ directory }) => bytesOf(join(directory, 'checkpoints', 'last'))),
    );
    expect(b).toEqual(a);
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
    const records = await recordsOf(whole.directory);
    expect(records[1]).toMatchObject({ step: 6, heard: 1004 });
    expect(records[3]).toMatchObject({ step: 7, split: 'val', asked: 1017 });
  });
});

describe('stop', () => {
  it('ends training as early stopping does, and for good', async () => {
    const overrides = ['callbacks=[{ type: StopAt, step: 9 }]'];
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ overrides });
    expect(eventsOf(events, 'ended_early')).toEqual([
      { event: 'ended_early', step: 9, reason: 'enough' },
    ]);
    expect(summary.step).toBe(9);
    expect(summary.metrics.val_loss).toBeGreaterThan(0);
    const again = await setting.train({ overrides, resume: summary.directory });
    expect(again.summary.step).toBe(9);
    const without = await setting.train({ resume: summary.directory });
    expect(without.summary.step).toBe(21);
  });
});

describe('a callback that fails', () => {
  it('ends the run in its name, and leaves the last checkpoint', async () => {
    calls = [];
    script = {
      onTrainBatchEnd({ position }) {
        if (position.step === 6) throw new TypeError('no such thing');
      },
    };
    const setting = await Setting.make();
    const overrides = [...ONE_EPOCH, 'trainer.checkpoint_every=5', 'callbacks=[Script, Diary]'];
    const failing = setting.train({ overrides });
    const last = join(setting.out, 'shades/1/checkpoints/step-5');
    await expect(failing).rejects.toThrow(
      'training stopped: callback Script failed in onTrainBatchEnd after step 6: ' +
        `TypeError: no such thing; the last checkpoint is ${last}`,
    );
    expect(Object.keys(await bytesOf(last))).toHaveLength(3);
    expect(calls.slice(-2)).toEqual(['onException 6/0/6 TorchtsError', 'teardown 6/0/6']);
  });

  it.each([
    ['a teardown', { teardown: () => Promise.reject(new Error('late')) }, /in teardown .*late/],
    ['a state that JSON cannot hold', { stateDict: () => Number.NaN }, /stateDict\(\) is no JSON/],
    [
      'a map in a state',
      { stateDict: () => ({ a: [new Map()] }) as unknown as JsonValue },
      /stateDict\(\)\.a\.0 is no JSON value/,
    ],
    [
      'a log of no number',
      { onTrainStart: (run: TrainingRun) => run.log('x', Number.NaN) },
      /x must be a finite number, got NaN/,
    ],
    [
      'a log under a name that records use',
      { onTrainStart: (run: TrainingRun) => run.log('loss', 1) },
      /"loss" cannot be logged/,
    ],
    ['a hook that nobody calls', { onTrainEpocEnd() {} }, /did you mean onTrainEpochEnd\?/],
    ['a hook in snake case', { on_train_end() {} }, /did you mean onTrainEnd\?/],
  ])('for %s', async (_, hooks, message) => {
    script = hooks;
    const setting = await Setting.make();
    await expect(setting.train({ overrides: SCRIPT })).rejects.toThrow(message);
  });
});

describe('the run that hooks see', () => {
  it('gives samples and gradients, and stays as it is', async () => {
    const seen: unknown[] = [];
    script = {
      async onTrainEpochStart(run) {
        const before = generatorState();
        const { inputs, targets } = await run.sampleBatch({ split: 'val', size: 5 });
        seen.push(inputs.shape, targets.tolist());
        const gradients = await run.gradients();
        seen.push([...gradients].map(([name, { shape }]) => [name, ...shape]));
        seen.push((await gradients.get('out.bias')!.data()).some((value) => value !== 0));
        expect(generatorState()).toEqual(before);
      },
    };
    const setting = await Setting.make();
    const overrides = [
      ...ONE_EPOCH,
      'model.layers.2={ type: BatchNorm1d, name: norm, num_features: 12 }',
    ];
    const { summary: watched } = await setting.train({ overrides: [...overrides, SCRIPT.at(-1)!] });
    expect(seen).toEqual([
      [5, 1, 4, 4],
      [0, 1, 2, 0, 1],
      [
        ['hidden.weight', 12, 16],
        ['hidden.bias', 12],
        ['norm.weight', 12],
        ['norm.bias', 12],
        ['out.weight', 3, 12],
        ['out.bias', 3],
      ],
      true,
    ]);
    const { summary: alone } = await setting.train({ overrides });
    expect(watched.metrics).toEqual(alone.metrics);
  });
});
