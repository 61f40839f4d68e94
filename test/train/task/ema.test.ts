import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src/io/safetensors.ts';
import { load } from '../../../src/io/tensors.ts';
import { evaluate } from '../../../src/train/evaluate.ts';
import { bytesOf, recordsOf, Setting } from '../setting.ts';

/** In the second epoch. */
const LAST = 9;

/** A model with running statistics; a checkpoint after every step. */
const STEPS = [
  'model.layers=[Flatten, { type: Linear, out_features: 4 }, BatchNorm1d, { type: Linear, out_features: 3 }]',
  'trainer.checkpoint_every=1',
  'trainer.keep=100',
  `trainer.max_steps=${LAST}`,
];

const numbers = async (path: string, key: string) =>
  Array.from((await readSafetensors(path)).tensors.get(key)!.data, Number);

/** What the weights named `key` were after each step, and their average. */
async function history(run: string, key: string) {
  const folder = (step: number) => join(run, 'checkpoints', `step-${step}`);
  const steps = Array.from({ length: LAST }, (_, i) => i + 1);
  const read = (file: string) =>
    Promise.all(steps.map((step) => numbers(join(folder(step), file), key)));
  return { weights: await read('model.safetensors'), averages: await read('ema.safetensors') };
}

/** Lightning's: the first average is a copy, and every `every`th step from `start` on counts. */
function expected(weights: number[][], decay: number, every: number, start: number): number[][] {
  let average: number[] | undefined;
  return weights.map((now, step) => {
    if (step >= start && step % every === 0) {
      average = average?.map((a, i) => decay * a + (1 - decay) * now[i]!) ?? now;
    }
    return average ?? now;
  });
}

describe('trainer.ema', () => {
  it.each([
    ['{ decay: 0.9 }', 0.9, 1, 0],
    ['{ decay: 0.5, update_every_n_steps: 3, update_starting_at_step: 4 }', 0.5, 3, 4],
  ])('averages as EMAWeightAveraging: %s', async (options, decay, every, start) => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: [...STEPS, `trainer.ema=${options}`] });
    for (const key of ['3.weight', '2.running_var']) {
      const { weights, averages } = await history(summary.directory, key);
      const wanted = expected(weights, decay, every, start);
      for (const [step, average] of averages.entries()) {
        for (const [i, value] of average.entries()) {
          expect(value, `${key} after step ${step + 1}`).toBeCloseTo(wanted[step]![i]!, 5);
        }
      }
    }
    const last = join(summary.directory, 'checkpoints', 'last');
    expect((await load(join(last, 'ema.safetensors'))).get('2.num_batches_tracked')?.item()).toBe(
      LAST,
    );
  });

  it('leaves training as it is, and takes running statistics as they are if told so', async () => {
    const setting = await Setting.make();
    const { summary: plain } = await setting.train({ overrides: STEPS });
    const ema = 'trainer.ema={ decay: 0.9, use_buffers: false }';
    const { summary } = await setting.train({ overrides: [...STEPS, ema] });
    const model = (run: string) => readFile(join(run, 'checkpoints', 'last', 'model.safetensors'));
    expect(await model(summary.directory)).toEqual(await model(plain.directory));
    const { weights, averages } = await history(summary.directory, '2.running_var');
    expect(averages).toEqual(weights);
  });

  it('is what is evaluated, chosen, tested and scored', async () => {
    const setting = await Setting.make();
    const overrides = [
      'trainer.ema={ decay: 0.8 }',
      'data.test={ type: Shades, samples: 20, split: test }',
    ];
    const { summary } = await setting.train({ overrides });
    const last = join(summary.directory, 'checkpoints', 'last');
    const score = async (trained: boolean, checkpoint = last, split = 'val') => {
      const loaded = setting.config(overrides);
      const [result] = await evaluate({ loaded, checkpoint, split, trained, threads: 1 });
      return result!.metrics.loss;
    };
    expect(await score(false)).toBe(summary.metrics.val_loss);
    expect(await score(true)).not.toBe(summary.metrics.val_loss);
    const best = join(summary.directory, 'checkpoints', 'best');
    expect(await score(false, best, 'test')).toBe(summary.metrics.test_loss);
    // Also a config that no longer asks for an average is scored with the one there is.
    const loaded = setting.config();
    const [plain] = await evaluate({ loaded, checkpoint: last, split: 'val', threads: 1 });
    expect(plain!.metrics.loss).toBe(summary.metrics.val_loss);
  });

  it.each([
    ['in the middle of an epoch', { split: 'train', batch: 5 } as const],
    ['while it was evaluated', { split: 'val', batch: 2 } as const],
  ])('goes on exactly: %s', async (_, stopAt) => {
    const setting = await Setting.make();
    const overrides = ['trainer.ema={ decay: 0.9, update_every_n_steps: 2 }'];
    const { summary: whole } = await setting.train({ overrides });
    const { summary: stopped } = await setting.train({ overrides, stopAt });
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const folders = [summary, whole].map((run) => join(run.directory, 'checkpoints', 'last'));
    expect(await readdir(folders[0]!)).toContain('ema.safetensors');
    expect(await bytesOf(folders[0]!)).toEqual(await bytesOf(folders[1]!));
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it('begins with the weights as they are where a run goes on with it', async () => {
    const setting = await Setting.make();
    const { summary: first } = await setting.train({ stopAt: { split: 'train', batch: 5 } });
    const overrides = ['trainer.ema={ decay: 1 }'];
    const { summary } = await setting.train({ overrides, resume: first.directory });
    const { val_loss, train_loss } = summary.metrics;
    expect(val_loss).toBeGreaterThan(0);
    expect(train_loss).toBeGreaterThan(0);
    const last = join(summary.directory, 'checkpoints', 'last');
    const average = await numbers(join(last, 'ema.safetensors'), 'out.weight');
    const trained = await numbers(join(last, 'model.safetensors'), 'out.weight');
    expect(average).not.toEqual(trained);
  });
});
