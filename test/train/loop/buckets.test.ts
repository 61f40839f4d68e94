import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { philox4x32 } from '../../../src/base/philox.ts';
import {
  DataLoader,
  datasets,
  TensorDataset,
  WeightedRandomSampler,
} from '../../../src/data/index.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { bytesOf, eventsOf, Setting } from '../setting.ts';

const LONGEST = 12;

/** Sequences of 1 to 12 tokens, 1 or 2; the class is which of them is more frequent. 0 pads. */
function sequences(samples: number): TensorDataset {
  const inputs = new BigInt64Array(samples * LONGEST);
  const targets = new BigInt64Array(samples);
  const lengths = new Int32Array(samples);
  for (let i = 0; i < samples; i++) {
    const words = Array.from({ length: 4 }, (_, j) => philox4x32([i, j, 0, 0], [5, 6])).flat();
    lengths[i] = 1 + (words[15]! % LONGEST);
    const tokens = words.slice(0, lengths[i]).map((word) => 1 + (word % 2));
    tokens.forEach((token, j) => {
      inputs[i * LONGEST + j] = BigInt(token);
    });
    const twos = tokens.filter((token) => token === 2).length;
    targets[i] = BigInt(2 * twos > tokens.length ? 1 : 0);
  }
  return new TensorDataset(samples, DESCRIPTION, { inputs, targets, lengths });
}

const DESCRIPTION = {
  input: { dtype: 'int64', shape: [LONGEST], varies: true },
  target: { dtype: 'int64', shape: [] },
  classes: ['ones', 'twos'],
} as const;

datasets.register('Sequences', {
  schema: z.strictObject({ samples: z.int() }),
  create: ({ samples }: { samples: number }) => ({
    ...DESCRIPTION,
    load: async () => sequences(samples),
  }),
});

const CONFIG = `
name: sequences
data:
  train: { type: Sequences, samples: 60 }
  val: { type: Sequences, samples: 25 }
  batch_size: 8
  buckets: [4, 8]
model:
  type: Sequential
  layers:
    - { type: EmbeddingBag, num_embeddings: 3, embedding_dim: 4, mode: mean, padding_idx: 0 }
    - { type: Linear, out_features: 2 }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 1 }
trainer: { epochs: 4 }
`;

async function settingOf(config: string): Promise<Setting> {
  const setting = await Setting.make();
  await writeFile(join(setting.folder, 'shades.yaml'), config);
  return setting;
}

const engine = referenceEngine();
const weighted = (seed: number, replacement = true) =>
  new WeightedRandomSampler({
    weights: Array.from({ length: 60 }, (_, i) => 1 + (i % 3)),
    num_samples: 33,
    replacement,
    seed,
  });
const LOADER = { engine, batch_size: 8, buckets: [4, 8], shuffle: true };

describe('buckets', () => {
  it('hold samples of like length, each once an epoch, in an order of the epoch', () => {
    const dataset = sequences(60);
    using loader = new DataLoader({ ...LOADER, dataset });
    const epochs = [0, 1, 0].map((epoch) =>
      [...loader.epoch(epoch)].map(({ indices, length, inputs }, i) => {
        const own = Array.from(indices, (index) => dataset.lengths![index]!);
        const least = { 4: 1, 8: 5, 12: 9 }[length!]!;
        // What is left of three buckets comes last, and together: three batches at most.
        if (i < 5) expect(Math.min(...own)).toBeGreaterThanOrEqual(least);
        expect(Math.max(...own)).toBeGreaterThanOrEqual(least);
        expect(Math.max(...own)).toBeLessThanOrEqual(length!);
        const rows = Array.from(indices, (index) =>
          Array.from(dataset.rows.inputs.slice(index * LONGEST, index * LONGEST + length!), Number),
        );
        expect(Array.from(engine.readSync(inputs), Number)).toEqual(rows.flat());
        return [...indices];
      }),
    );
    for (const batches of epochs) {
      expect(batches).toHaveLength(loader.batchesPerEpoch);
      expect(batches.flat().sort((a, b) => a - b)).toEqual([...new Int32Array(60).keys()]);
    }
    expect(epochs[2]).toEqual(epochs[0]);
    expect(epochs[1]).not.toEqual(epochs[0]);
    expect([...loader.epoch(1, { start: 3 })].map(({ indices }) => [...indices])).toEqual(
      epochs[1]!.slice(3),
    );
  });

  it.each([
    ['drawn by weight', { sampler: weighted(1) }],
    ['drawn by weight without coming again', { sampler: weighted(1, false) }],
    ['in a given order', { order: Int32Array.from({ length: 33 }, (_, i) => (i * 7) % 60) }],
  ])('hold samples %s, in as many batches every epoch', (_, options) => {
    const dataset = sequences(60);
    const { sampler, order } = { sampler: undefined, order: undefined, ...options };
    using loader = new DataLoader({ ...LOADER, dataset, shuffle: false, ...options });
    for (const epoch of [0, 1, 2, 7]) {
      const batches = [...loader.epoch(epoch)];
      expect(batches).toHaveLength(Math.ceil(33 / 8));
      expect(batches.map(({ size }) => size)).toEqual([8, 8, 8, 8, 1]);
      const taken = batches.flatMap(({ indices }) => [...indices]);
      const expected = [...(sampler?.order(epoch) ?? order!)];
      expect(taken.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
      const rest = [...loader.epoch(epoch, { start: 2 })].map(({ indices }) => [...indices]);
      expect(rest).toEqual(batches.slice(2).map(({ indices }) => [...indices]));
    }
  });

  it.each([
    ['of all samples', {}],
    ['of a sampler', { shuffle: false, sampler: weighted(3) }],
  ])('are shared out %s, with one length for all processes at a time', (_, options) => {
    const dataset = sequences(60);
    const loaders = [0, 1, 2].map((rank) => {
      const shard = { num_replicas: 3, rank };
      return new DataLoader({ ...LOADER, batch_size: 4, dataset, shard, ...options });
    });
    for (const epoch of [0, 1]) {
      const parts = loaders.map((loader) => [...loader.epoch(epoch)]);
      const shapes = parts.map((batches) => batches.map(({ size, length }) => [size, length]));
      expect(shapes[1]).toEqual(shapes[0]);
      expect(shapes[2]).toEqual(shapes[0]);
      expect(parts[0]).toHaveLength(loaders[0]!.batchesPerEpoch);
      const taken = parts.flat().flatMap(({ indices }) => [...indices]);
      const all = 'sampler' in options ? options.sampler.order(epoch) : new Int32Array(60).keys();
      expect(taken.toSorted((a, b) => a - b)).toEqual([...all].toSorted((a, b) => a - b));
    }
    for (const loader of loaders) loader.dispose();
  });

  it('drop their smaller batches where the config says so', () => {
    using loader = new DataLoader({ ...LOADER, dataset: sequences(60), drop_last: true });
    const sizes = [...loader.epoch(5)].map(({ size }) => size);
    expect(new Set(sizes)).toEqual(new Set([8]));
    expect(loader.samplesPerEpoch).toBe(8 * sizes.length);
  });

  it('refuse what they cannot hold', () => {
    const dataset = sequences(9);
    const make = (options: object) => () => new DataLoader({ ...LOADER, dataset, ...options });
    expect(make({ buckets: [8, 8] })).toThrow('buckets must be whole numbers that rise, got 8, 8');
    const whole = new TensorDataset(9, DESCRIPTION, { ...dataset.rows, lengths: undefined });
    expect(make({ dataset: whole })).toThrow('buckets need samples whose lengths vary');
  });
});

describe('training on sequences of different lengths', () => {
  it.each([
    ['shuffled', ''],
    ['drawn by class', '  sampler: { type: WeightedRandomSampler, weights: balanced }\n'],
  ])('learns, and goes on from the middle of an epoch with the same bytes: %s', async (_, line) => {
    const setting = await settingOf(CONFIG.replace('  buckets', `${line}  buckets`));
    const { summary: whole } = await setting.train();
    expect(whole.metrics.val_accuracy).toBeGreaterThan(0.75);
    // In the middle of the first epoch.
    const { summary: stopped } = await setting.train({ overrides: ['trainer.max_steps=5'] });
    expect(stopped).toMatchObject({ step: 5, epoch: 1 });
    const { summary: further } = await setting.train({
      overrides: ['trainer.max_steps=null'],
      resume: stopped.directory,
    });
    const last = async (run: string) => {
      const { 'state.json': _, ...tensors } = await bytesOf(join(run, 'checkpoints', 'last'));
      return tensors;
    };
    expect(await last(further.directory)).toEqual(await last(whole.directory));
  });

  it('trains an LSTM, and traces each shape of a batch once', async () => {
    const lstm = CONFIG.replace(
      / {4}- { type: EmbeddingBag.*\n/,
      `    - { type: Embedding, num_embeddings: 3, embedding_dim: 4, padding_idx: 0 }
    - { type: LSTM, hidden_size: 6, batch_first: true }
    - { type: Permute, dims: [0, 2, 1] }
    - { type: AdaptiveAvgPool1d, output_size: 1 }
    - Flatten
`,
    );
    const setting = await settingOf(lstm);
    const { summary, events } = await setting.train();
    expect(summary.metrics.train_loss).toBeLessThan(0.75);
    const retraces = eventsOf(events, 'retrace').map(({ reason }) => reason);
    // Three lengths, full batches and smaller ones, in training and evaluation.
    expect(retraces.length).toBeLessThanOrEqual(12);
    expect(new Set(retraces).size).toBe(retraces.length);
  });
});
