import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { datasets, TensorDataset } from '../../../src/data/index.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

const METRICS =
  'metrics=[Accuracy, { type: Accuracy, top_k: 2 }, { type: F1Score, average: macro }, ' +
  'ConfusionMatrix, { type: Recall, average: none, name: by_class }, Perplexity]';

describe('metrics of a run', () => {
  it('are in every record, and lists and matrices in a file of the last evaluation', async () => {
    const setting = await Setting.make();
    const { summary, events } = await setting.train({ overrides: [METRICS] });
    const names = ['loss', 'accuracy', 'top2_accuracy', 'f1_score', 'perplexity'];
    for (const record of await recordsOf(summary.directory)) {
      expect(Object.keys(record as object)).toEqual(['step', 'epoch', 'split', ...names, 'lr']);
    }
    const splits = ['train', 'val'].flatMap((split) => names.map((name) => `${split}_${name}`));
    expect(Object.keys(summary.metrics)).toEqual(splits);
    const file = join(summary.directory, 'evaluations', 'val.json');
    const kept = JSON.parse(await readFile(file, 'utf8'));
    expect(eventsOf(events, 'arrays').at(-1)).toEqual({ event: 'arrays', ...kept });
    const { confusion_matrix: matrix, by_class } = kept.arrays;
    expect(kept).toMatchObject({ step: 21, split: 'val', samples: 20 });
    expect(matrix.flat().reduce((a: number, b: number) => a + b)).toBe(20);
    const diagonal = matrix.map((row: number[], i: number) => row[i]!);
    const right = diagonal.reduce((a: number, b: number) => a + b);
    expect(summary.metrics.val_accuracy).toBeCloseTo(right / 20, 12);
    // The classes of the 20 samples are 0, 1, 2 in turn.
    expect(by_class).toEqual([diagonal[0] / 7, diagonal[1] / 7, diagonal[2] / 6]);
    expect(summary.metrics.val_perplexity).toBeCloseTo(Math.exp(summary.metrics.val_loss!), 5);
  });

  it('go on in the middle of an epoch', async () => {
    const setting = await Setting.make();
    const overrides = [METRICS];
    const { summary: whole } = await setting.train({ overrides });
    const { summary: stopped } = await setting.train({
      overrides,
      stopAt: { split: 'train', batch: 5 },
    });
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const folders = [summary, whole].map((run) => join(run.directory, 'checkpoints', 'last'));
    expect(await bytesOf(folders[0]!)).toEqual(await bytesOf(folders[1]!));
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it('may be others when a run goes on: those that stay keep their sums', async () => {
    const setting = await Setting.make();
    const { summary: stopped } = await setting.train({
      overrides: [METRICS, 'trainer.log_every=100'],
      stopAt: { split: 'train', batch: 5 },
    });
    const overrides = ['metrics=[Accuracy, CohenKappa]', 'trainer.log_every=100'];
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const { summary: whole } = await setting.train({ overrides });
    const [first] = (await recordsOf(summary.directory)) as { accuracy: number }[];
    const [same] = (await recordsOf(whole.directory)) as { accuracy: number }[];
    expect(first!.accuracy).toBe(same!.accuracy);
    expect(summary.metrics.val_cohen_kappa).toBe(whole.metrics.val_cohen_kappa);
  });

  it('choose the best checkpoint and end training by any name', async () => {
    const setting = await Setting.make();
    const best = async (...overrides: string[]) => {
      const { summary, events } = await setting.train({ overrides: [METRICS, ...overrides] });
      const state = join(summary.directory, 'checkpoints', 'last', 'state.json');
      const values = eventsOf(events, 'metrics').filter(({ split }) => split === 'val');
      return { best: JSON.parse(await readFile(state, 'utf8')).best, values };
    };
    const byAccuracy = await best();
    expect(byAccuracy.best.metric).toBe('val_accuracy');
    const byPerplexity = await best('trainer.monitor=val_perplexity');
    const least = Math.min(...byPerplexity.values.map(({ perplexity }) => Number(perplexity)));
    expect(byPerplexity.best).toMatchObject({ metric: 'val_perplexity', value: least });
    const stopping = '{ monitor: val_f1_score, patience: 1, min_delta: 2 }';
    const { values } = await best(`trainer.early_stopping=${stopping}`);
    expect(values).toHaveLength(2);
  });

  it.each([
    ['{ type: Accuracy, top_k: 4 }', /metrics\[0\]: .* top_k is 4, but there are 3 classes/],
    ['MeanSquaredError', /metrics\[0\]: .* one shape; the model gives \(N, 3\), the targets are/],
  ])('are refused before data are read: %s', async (metric, message) => {
    const setting = await Setting.make();
    const run = setting.train({ overrides: [`metrics=[${metric}]`] });
    await expect(run).rejects.toThrow(message);
  });
});

/** Ten samples whose input points at their class; what the loss leaves out has none. */
datasets.register('Unsure', {
  schema: z.strictObject({ unknown: z.int() }),
  create: ({ unknown }: { unknown: number }) => {
    const targets = Array.from({ length: 10 }, (_, i) => (i < 4 ? unknown : i % 3));
    const classes = ['a', 'b', 'c'];
    const description = {
      input: { dtype: 'float32', shape: [3] },
      target: { dtype: 'int64', shape: [] },
      classes,
    } as const;
    const rows = {
      inputs: Float32Array.from(targets.flatMap((c) => [0, 1, 2].map((i) => (i === c ? 1 : 0)))),
      targets: BigInt64Array.from(targets, BigInt),
    };
    return { ...description, load: async () => new TensorDataset(10, description, rows) };
  },
});

describe('targets that the loss leaves out', () => {
  const ALL = 'metrics=[Accuracy, { type: Accuracy, top_k: 2 }, ConfusionMatrix, Perplexity]';
  const LINEAR = 'model={ type: Linear, out_features: 3 }';
  const unsure = (unknown: number) => [
    ...['train', 'val'].map((split) => `data.${split}={ type: Unsure, unknown: ${unknown} }`),
    ...[LINEAR, 'optimizer.lr=1', 'trainer.epochs=20', 'data.batch_size=10'],
  ];
  const matrixOf = async (folder: string): Promise<number[][]> => {
    const file = join(folder, 'evaluations', 'val.json');
    return JSON.parse(await readFile(file, 'utf8')).arrays.confusion_matrix;
  };

  it.each([
    [-100, 'loss=CrossEntropyLoss'],
    [1, 'loss={ type: CrossEntropyLoss, ignore_index: 1 }'],
    [9, 'loss={ type: CrossEntropyLoss, ignore_index: 9 }'],
    [1, 'loss={ type: MultiOutputLoss, losses: [{ type: CrossEntropyLoss, ignore_index: 1 }] }'],
  ])('are neither right nor wrong: %d', async (unknown, loss) => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: [ALL, loss, ...unsure(unknown)] });
    const { val_accuracy, val_top2_accuracy, val_perplexity, val_loss } = summary.metrics;
    expect([val_accuracy, val_top2_accuracy]).toEqual([1, 1]);
    expect(val_perplexity).toBeCloseTo(Math.exp(val_loss!), 5);
    const matrix = await matrixOf(summary.directory);
    // Classes 1, 2, 0, 1, 2, 0.
    const each = (c: number) => (c === unknown ? 0 : 2);
    expect(matrix).toEqual([0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? each(i) : 0))));
  });

  it('have no part in the report', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: unsure(-100) });
    const page = await readFile(join(summary.directory, 'report.html'), 'utf8');
    expect(page).toMatch(/100(\.0*)? ?% of 6 samples of <code>val<\/code> are right/);
  });

  it('are counted where a metric names another', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({
      overrides: [
        ...['loss={ type: CrossEntropyLoss, ignore_index: 1 }', ...unsure(1)],
        'metrics=[{ type: Accuracy, ignore_index: -1 }, ConfusionMatrix]',
      ],
    });
    // Nothing taught it class 1: six of the ten are never right.
    expect(summary.metrics.val_accuracy).toBe(0.4);
  });
});
