import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { readSafetensors } from '../../../src/io/safetensors.ts';
import {
  type Checkpoint,
  readCheckpoint,
  readModelWeights,
  writeCheckpoint,
} from '../../../src/train/checkpoint/checkpoint.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';
import { Setting } from '../setting.ts';

const FILES = ['model.safetensors', 'state.safetensors', 'state.json'];

let checkpoint: Checkpoint;

beforeAll(() => {
  const vector = (...values: number[]) => ({
    dtype: 'float32' as const,
    shape: [values.length],
    data: Float32Array.from(values),
  });
  checkpoint = {
    state: {
      step: 12,
      epoch: 1,
      batch: 5,
      generator: { seed: 3, counter: 7 },
      data: { samples: 50, batch_size: 8, shuffle: true, drop_last: false, seed: 3 },
      optimizer: { type: 'SGD', param_groups: [{ lr: 0.1, params: ['weight'] }] },
      scheduler: null,
      early_stopping: { best: null, bad: 0 },
      callbacks: { states: [], logged: {}, stopped: null },
      best: null,
      metrics: { train_loss: 0.5 },
      records: 4,
      recorded_at: 12,
      closed_at: 7,
    },
    model: new Map([['weight', vector(1, 2, 3)]]),
    tensors: new Map([['optimizer.weight.momentum_buffer', vector(4, 5, 6)]]),
  };
});

async function written(): Promise<string> {
  const folder = join(await temporaryFolder(), 'step-12');
  await writeCheckpoint(folder, checkpoint);
  return folder;
}

describe('a checkpoint', () => {
  it('is read as it was written', async () => {
    const folder = await written();
    expect(await readCheckpoint(folder)).toEqual(checkpoint);
    const { state, model } = checkpoint;
    const file = join(folder, 'model.safetensors');
    expect(await readModelWeights(folder)).toEqual({ state, file, weights: model });
  });

  it('replaces an older one in the same place', async () => {
    const folder = await written();
    const newer = { ...checkpoint, state: { ...checkpoint.state, records: 5 } };
    await writeCheckpoint(folder, newer);
    expect(await readCheckpoint(folder)).toEqual(newer);
  });

  it.each(FILES)('shows one flipped bit anywhere in %s', async (name) => {
    const folder = await written();
    const path = join(folder, name);
    const whole = await readFile(path);
    for (let i = 0; i < whole.length; i++) {
      const flipped = Buffer.from(whole);
      flipped[i]! ^= 1 << (i % 8);
      await writeFile(path, flipped);
      const reading = readCheckpoint(folder);
      await expect(reading, `byte ${i}`).rejects.toThrow(FileError);
      await expect(reading, `byte ${i}`).rejects.toThrow(path);
    }
  });

  it.each(FILES)('shows that %s was cut off, grew, or is missing', async (name) => {
    const folder = await written();
    const path = join(folder, name);
    const { length } = await readFile(path);
    await appendFile(path, ' ');
    await expect(readCheckpoint(folder)).rejects.toThrow(`${path} is damaged`);
    await truncate(path, length - 1);
    await expect(readCheckpoint(folder)).rejects.toThrow(`${path} is damaged`);
    await truncate(path, 0);
    await expect(readCheckpoint(folder)).rejects.toThrow(`${path} is damaged`);
    await rm(path);
    await expect(readCheckpoint(folder)).rejects.toThrow(`cannot read ${path}: there is no`);
  });

  it('of a newer version is not guessed at', async () => {
    const folder = await written();
    const path = join(folder, 'state.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"version": 1', '"version": 2'));
    await expect(readCheckpoint(folder)).rejects.toThrow(`${path} has version 2`);
  });

  it('needs a folder to be written in', async () => {
    const path = join(await temporaryFolder(), 'missing', 'step-12');
    await expect(writeCheckpoint(path, checkpoint)).rejects.toThrow(/cannot write .*step-12/);
  });
});

describe('the checkpoint of a run', () => {
  it("has the model under PyTorch's keys and the momentum by parameter", async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['trainer.max_steps=2'] });
    const folder = join(summary.directory, 'checkpoints', 'step-2');
    const model = await readSafetensors(join(folder, 'model.safetensors'));
    expect([...model.tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['hidden.bias', [12]],
      ['hidden.weight', [12, 16]],
      ['out.bias', [3]],
      ['out.weight', [3, 12]],
    ]);
    const state = await readSafetensors(join(folder, 'state.safetensors'));
    expect([...state.tensors.keys()].sort()).toEqual([
      'metrics.accuracy.correct',
      'metrics.accuracy.total',
      'metrics.loss',
      'metrics.samples',
      'optimizer.hidden.bias.momentum_buffer',
      'optimizer.hidden.weight.momentum_buffer',
      'optimizer.out.bias.momentum_buffer',
      'optimizer.out.weight.momentum_buffer',
    ]);
  });
});
