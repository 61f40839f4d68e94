import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/train/evaluate.ts';
import { bytesOf, Setting } from '../setting.ts';

const SPAM = ['win money now', 'money now', 'win big', 'big money win', 'win now', 'big win now'];
const HAM = ['see you at nine', 'at home', 'see you', 'you at home', 'nine at home', 'see home'];

const table = (rows: readonly (readonly [string, string])[]) =>
  `text,label\n${rows.map((row) => row.join(',')).join('\n')}\n`;

const MAIL = table([
  ...SPAM.map((text) => [text, 'spam'] as const),
  ...HAM.map((text) => [text, 'ham'] as const),
]);

/** A setting with texts to train and to measure on. */
async function texts(): Promise<Setting> {
  const setting = await Setting.make();
  const { folder } = setting;
  await writeFile(join(folder, 'train.csv'), MAIL);
  await writeFile(
    join(folder, 'val.csv'),
    table([
      ['win it', 'spam'],
      ['home', 'ham'],
    ]),
  );
  await writeFile(
    join(folder, 'shades.yaml'),
    `
name: mail
data:
  train: { type: TextDataset, path: ${folder}/train.csv, lowercase: true }
  val: { type: TextDataset, path: ${folder}/val.csv }
  batch_size: 4
model:
  type: Sequential
  layers:
    - { type: EmbeddingBag, embedding_dim: 8, padding_idx: 0 }
    - { type: Linear, out_features: 2 }
loss: CrossEntropyLoss
optimizer: { type: Adam, lr: 0.05 }
trainer: { epochs: 10 }
report: false
`,
  );
  return setting;
}

const last = async (run: string) => {
  const { 'state.json': _, ...tensors } = await bytesOf(join(run, 'checkpoints', 'last'));
  return tensors;
};

const learnedBy = async (run: string) =>
  JSON.parse(await readFile(join(run, 'learned.json'), 'utf8'));

describe('what training texts taught', () => {
  it('is read for validation as in training, and kept by the run', async () => {
    const setting = await texts();
    const { summary } = await setting.train();
    expect(summary.metrics.val_accuracy).toBe(1);
    const file = join(summary.directory, 'learned.json');
    const { vocabulary } = await learnedBy(summary.directory);
    expect(vocabulary).toHaveLength(11);
    expect(vocabulary).not.toContain('it');

    // Other training texts, and then none: the run is measured as before.
    const checkpoint = join(summary.directory, 'checkpoints', 'best');
    const request = { checkpoint, split: 'val', threads: 1 };
    const measured = async () => {
      const [result] = await evaluate({ ...request, loaded: setting.config() });
      return result!.metrics;
    };
    const before = await measured();
    await writeFile(join(setting.folder, 'train.csv'), table([['all is new', 'egg']]));
    expect(await measured()).toEqual(before);
    await rm(join(setting.folder, 'train.csv'));
    expect(await measured()).toEqual(before);
    await writeFile(file, '{"kind":"texts"}');
    await expect(measured()).rejects.toThrow('what a run learned from its texts is damaged');
    await writeFile(file, '{');
    await expect(measured()).rejects.toThrow('learned.json is damaged');
  });

  it('stays when a run goes on', async () => {
    const setting = await texts();
    const { summary: whole } = await setting.train();
    const stopAt = (steps: string) => [`trainer.max_steps=${steps}`];
    const { summary: stopped } = await setting.train({ overrides: stopAt('7') });
    // A word comes to stand before others of its frequency.
    await writeFile(join(setting.folder, 'train.csv'), MAIL.replace('win money', 'aaa win money'));
    const go = { resume: stopped.directory };
    const { summary: further } = await setting.train({ ...go, overrides: stopAt('null') });
    expect(await learnedBy(further.directory)).toEqual(await learnedBy(whole.directory));
    await writeFile(join(setting.folder, 'train.csv'), MAIL);
    const { summary: again } = await setting.train({ overrides: stopAt('7') });
    const { summary: same } = await setting.train({
      resume: again.directory,
      overrides: stopAt('null'),
    });
    expect(await last(same.directory)).toEqual(await last(whole.directory));
  });

  it('is not read in another way', async () => {
    const setting = await texts();
    const train = setting.train({ overrides: ['data.val.tokenizer=char'] });
    await expect(train).rejects.toThrow(
      'tokenizer is char, but the training texts were read with word',
    );
  });
});
