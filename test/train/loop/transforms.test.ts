/** Training with random transforms: a run that is stopped and goes on draws the same. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, Setting } from '../setting.ts';

const CONFIG = `
name: augmented
data:
  train:
    type: FakeData
    size: 40
    image_size: [3, 9, 9]
    num_classes: 3
    transforms:
      - { type: RandomResizedCrop, size: 6 }
      - { type: ColorJitter, brightness: 0.5, hue: 0.1 }
      - TrivialAugmentWide
      - { type: ToDtype, dtype: float32, scale: true }
      - { type: RandomErasing, value: random }
  batch_size: 8
  num_workers: 2
model:
  type: Sequential
  layers: [Flatten, { type: Linear, out_features: 3 }]
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.1 }
trainer: { epochs: 3 }
`;

describe('random transforms', () => {
  it('draw the same when a run goes on in the middle of an epoch, for any num_workers', async () => {
    const setting = await Setting.make();
    await writeFile(join(setting.folder, 'shades.yaml'), CONFIG);
    const { summary: whole } = await setting.train();
    const { summary: stopped } = await setting.train({ overrides: ['trainer.max_steps=7'] });
    expect(stopped).toMatchObject({ step: 7, epoch: 2 });
    const { summary: further } = await setting.train({
      overrides: ['trainer.max_steps=null', 'data.num_workers=0'],
      resume: stopped.directory,
    });
    const last = async (run: string) => {
      const { 'state.json': _, ...tensors } = await bytesOf(join(run, 'checkpoints', 'last'));
      return tensors;
    };
    expect(await last(further.directory)).toEqual(await last(whole.directory));
    const { summary: other } = await setting.train({ overrides: ['seed=4'] });
    expect(await last(other.directory)).not.toEqual(await last(whole.directory));
  });
});
