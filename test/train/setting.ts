/** Small training runs: a config file in a temporary folder, images made from a seed. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { philox4x32 } from '../../src/base/philox.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import {
  type BatchReader,
  type DatasetSource,
  datasets,
  ImageDataset,
  transforms,
} from '../../src/data/index.ts';
import { optimizers, SGD } from '../../src/optim/index.ts';
import type { RunSummary, TrainEvent } from '../../src/train/events.ts';
import { train } from '../../src/train/train.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';

const CLASSES = ['dark', 'mixed', 'bright'];
const SIDE = 4;

/** Called before each batch is read; a test may stop the run there. */
let onBatch: (split: string) => void = () => undefined;

datasets.register('Shades', {
  schema: z.strictObject({
    samples: z.int(),
    split: z.enum(['train', 'val', 'test']).default('train'),
  }),
  create: ({ samples, split }: { samples: number; split: string }): DatasetSource => ({
    input: { dtype: 'float32', shape: [1, SIDE, SIDE] },
    target: { dtype: 'int64', shape: [] },
    classes: CLASSES,
    load: async () => watched(shades(samples), split),
  }),
});

optimizers.register('Plain', {
  schema: z.strictObject({ lr: z.number() }),
  create: (options: { lr: number }, params) => new SGD(params, options),
});

/** Images whose class is how bright they are; every byte follows from its position. */
function shades(samples: number): ImageDataset {
  const images = new Uint8Array(samples * SIDE * SIDE);
  const labels = Int32Array.from({ length: samples }, (_, i) => i % CLASSES.length);
  for (let i = 0; i < images.length; i++) {
    const noise = philox4x32([i, 0, 0, 0], [1, 2])[0] % 120;
    images[i] = labels[Math.floor(i / (SIDE * SIDE))]! * 60 + noise;
  }
  const data = { classes: CLASSES, channels: 1, height: SIDE, width: SIDE, images, labels };
  return new ImageDataset(data, [transforms.build('ToTensor')]);
}

function watched(dataset: ImageDataset, split: string): ImageDataset {
  const open = dataset.open.bind(dataset);
  dataset.open = (engine): BatchReader => {
    const reader = open(engine);
    return {
      read(request) {
        onBatch(split);
        reader.read(request);
      },
      dispose: () => reader.dispose(),
    };
  };
  // Sets made of it are watched too.
  const take = dataset.take.bind(dataset);
  const join = dataset.join.bind(dataset);
  dataset.take = (places) => watched(take(places), split);
  dataset.join = (others) => {
    const joined = join(others);
    return joined && watched(joined, split);
  };
  return dataset;
}

/** 50 samples in batches of 8: seven steps an epoch, the last batch smaller. Dropout draws. */
const CONFIG = `
name: shades
seed: 3
data:
  train: { type: Shades, samples: 50 }
  val: { type: Shades, samples: 20, split: val }
  batch_size: 8
model:
  type: Sequential
  layers:
    - Flatten
    - { type: Linear, name: hidden, out_features: 12 }
    - ReLU
    - { type: Dropout, p: 0.2 }
    - { type: Linear, name: out, out_features: 3 }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.1, momentum: 0.9 }
trainer: { epochs: 3, log_every: 3 }
`;

export interface Finished {
  readonly summary: RunSummary;
  readonly events: TrainEvent[];
}

export interface RunOptions {
  readonly overrides?: readonly string[];
  readonly resume?: string;
  readonly threads?: number;
  readonly profile?: string | true;
  readonly onEvent?: (event: TrainEvent) => void;
  /** Aborts the signal while this batch of the split (counted from 1, in all epochs) is read. */
  readonly stopAt?: { readonly split: 'train' | 'val' | 'test'; readonly batch: number };
}

/** A folder to train in. */
export class Setting {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Setting> {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'shades.yaml'), CONFIG);
    return new Setting(folder);
  }

  get out(): string {
    return join(this.folder, 'runs');
  }

  config(overrides: readonly string[] = []): LoadedConfig {
    return loadConfig(join(this.folder, 'shades.yaml'), { overrides });
  }

  async train({
    overrides,
    resume,
    threads = 1,
    profile,
    stopAt,
    onEvent,
  }: RunOptions = {}): Promise<Finished> {
    const abort = new AbortController();
    const events: TrainEvent[] = [];
    let taken = 0;
    onBatch = (split) => {
      if (split === stopAt?.split && ++taken === stopAt.batch) abort.abort('SIGINT');
    };
    const summary = await train({
      loaded: this.config(overrides),
      out: this.out,
      resume,
      threads,
      profile,
      signal: abort.signal,
      onEvent: (event) => {
        events.push(event);
        onEvent?.(event);
      },
    });
    return { summary, events };
  }
}

/** Every file of a checkpoint, in base64 by name. */
export async function bytesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const read = async (name: string) =>
    [name, await readFile(join(folder, name), 'base64')] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

/** The records of a run without what a clock measured. */
export async function recordsOf(run: string): Promise<unknown[]> {
  const text = await readFile(join(run, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { time, samples_per_second, ...rest } = JSON.parse(line);
      if (!(time > 0 && samples_per_second > 0)) throw new Error(`no times in ${line}`);
      return rest;
    });
}

export function eventsOf<Name extends TrainEvent['event']>(events: TrainEvent[], name: Name) {
  return events.filter((e): e is Extract<TrainEvent, { event: Name }> => e.event === name);
}
