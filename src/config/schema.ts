/** The schema of a whole config: the one place where its keys and defaults are written. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import { contradictions } from './contradictions.ts';
import type { MetricSource } from './metrics.ts';
import { data } from './sections/data.ts';
import { engine } from './sections/engine.ts';
import { expect } from './sections/expect.ts';
import { sweep } from './sections/sweep.ts';
import { tensorboard } from './sections/tensorboard.ts';
import { trainer } from './sections/trainer.ts';
import type { SpecSource } from './sections/values.ts';

/** Where the names after `type:` come from. */
export interface Registries {
  readonly modules: SpecSource;
  readonly losses: SpecSource;
  readonly optimizers: SpecSource;
  readonly schedulers: SpecSource;
  readonly datasets: SpecSource;
  readonly batchTransforms: SpecSource;
  readonly samplers: SpecSource;
  readonly callbacks: SpecSource;
  readonly metrics: MetricSource;
}

/** Names of runs become names of folders. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The devices this version can train on. */
const device = z.enum(['auto', 'cpu'], {
  error: ({ input }) =>
    input === 'cuda' ? 'cuda is not part of this version; use auto or cpu' : undefined,
});

const precision = z.enum(['float32', 'bfloat16']);

/** The strict schema of a config whose specs name entries of `registries`. */
export function configSchema(registries: Registries) {
  return strict({
    name: z
      .string()
      .regex(FILE_NAME, {
        error: 'expected a file name of letters, digits, ".", "_" and "-" (at most 100)',
      })
      .describe("The folder of the runs, in `--out`. Default: the config's file name."),
    seed: z.int().min(0).default(0).describe('Everything random follows from it.'),
    device: device.default('auto').describe('Where it is computed; `auto` takes the fastest one.'),
    precision: precision
      .default('float32')
      .describe('`bfloat16` is mixed precision, as `autocast` has it; parameters stay float32.'),
    engine: engine.prefault({}).describe('How things are computed; never what.'),
    data: data(registries).describe('What is trained on, and measured on.'),
    model: registries.modules.spec().describe('What is trained: a module, often a Sequential.'),
    loss: registries.losses.spec().describe('What training makes small.'),
    optimizer: registries.optimizers.spec().describe('How the parameters follow their gradients.'),
    scheduler: registries.schedulers
      .spec()
      .optional()
      .describe(
        'How the learning rate changes, with `interval: step` or `epoch` beside the arguments of the type.',
      ),
    metrics: z
      .array(registries.metrics.spec())
      .optional()
      .describe(
        'What is measured beside the loss. Default: Accuracy where targets are classes, else nothing.',
      ),
    trainer: trainer.describe('How long and how it is trained.'),
    callbacks: z
      .array(registries.callbacks.spec())
      .default([])
      .describe('What is called while it trains; see docs/callbacks.md.'),
    tensorboard,
    report: z
      .boolean()
      .default(true)
      .describe('Writes `report.html` whenever the run comes to rest: one file with everything.'),
    sweep: sweep.optional().describe('Several runs over values of some keys; see docs/sweeps.md.'),
    expect: expect.optional().describe('What the run must reach; one that does not has failed.'),
  }).check(({ value, issues }) => {
    for (const { path, message, aim } of contradictions(value, registries.metrics)) {
      issues.push({ code: 'custom', input: value, path: [...path], message, params: { aim } });
    }
  });
}

/** A config with every default filled in. */
export type TrainConfig = z.output<ReturnType<typeof configSchema>>;
export type TrainerConfig = TrainConfig['trainer'];
export type DataConfig = TrainConfig['data'];
/** Bounds by metric. */
export type Expectations = NonNullable<TrainConfig['expect']>;
