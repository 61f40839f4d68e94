/** The schema of a whole config: the one place where its keys and defaults are written. */

import { z } from 'zod';
import { type Spec, strict } from '../base/registry.ts';
import { contradictions } from './contradictions.ts';
import { METRICS } from './metrics.ts';

/** What a registry offers to the schema. */
export interface SpecSource {
  spec(): z.ZodType<Spec>;
}

/** Where the names after `type:` come from. */
export interface Registries {
  readonly modules: SpecSource;
  readonly losses: SpecSource;
  readonly optimizers: SpecSource;
  readonly schedulers: SpecSource;
  readonly datasets: SpecSource;
}

/** Names of runs become names of folders. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const count = () => z.int().positive();

/** The devices this version can train on; `auto` takes the fastest one. */
const device = z.enum(['auto', 'cpu'], {
  error: ({ input }) =>
    input === 'cuda' ? 'cuda is not part of this version; use auto or cpu' : undefined,
});

/** `bfloat16` is mixed precision, as `autocast` has it; parameters stay float32. */
const precision = z.enum(['float32', 'bfloat16']);

/** Bounds a metric must keep; a run that ends outside of them has failed. */
const bounds = strict({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, {
    error: 'needs min, max or both',
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    error: 'min is greater than max: no value fits',
  });

/** As PyTorch Lightning's EarlyStopping. */
const earlyStopping = strict({
  /** Default: val_loss, or train_loss where there is no data.val. */
  monitor: z.enum(METRICS).optional(),
  /** Evaluations in a row without improvement after which training ends. */
  patience: count().default(3),
  /** A smaller change is no improvement. */
  min_delta: z.number().min(0).default(0),
  /** Whether less is better. Default: more is better for accuracies, less for losses. */
  mode: z.enum(['min', 'max']).optional(),
});

const trainer = strict({
  /** Passes over the training data. */
  epochs: count().optional(),
  /** Optimizer steps; with `epochs`, whichever ends first. */
  max_steps: count().optional(),
  /** Batches whose gradients one optimizer step has; in memory there are only one batch's. */
  accumulate_grad_batches: count().default(1),
  /** Seconds after which training ends as it does after the last step. */
  max_seconds: z.number().positive().optional(),
  /** Ends training when a metric no longer improves. */
  early_stopping: earlyStopping.optional(),
  /** Gradients are scaled so that the norm of all of them together is at most this. */
  clip_grad_norm: z.number().positive().optional(),
  /** Every element of the gradients is limited to this magnitude. */
  clip_grad_value: z.number().positive().optional(),
  /** Steps between two records of the training loss. */
  log_every: count().default(50),
  /** Epochs between two passes over `data.val`. */
  eval_every: count().default(1),
  /** Steps between two checkpoints, beside the one at the end of every epoch. */
  checkpoint_every: count().optional(),
  /** The newest checkpoints that are kept, beside the best one. */
  keep: count().default(2),
}).refine(({ epochs, max_steps }) => epochs !== undefined || max_steps !== undefined, {
  error: 'needs epochs, max_steps or both: nothing says when training ends',
});

/** How the engine computes; never what. */
const engine = strict({
  /** Computes cheap values again for backward instead of keeping them: less memory, more time. */
  recompute: z.boolean().default(false),
  /** Winograd's algorithm for 3 x 3 convolutions: fewer multiplications, larger rounding errors. */
  winograd: z.boolean().default(true),
});

/** The keys that `expect:` may bound; the first three are of the last record of each split. */
const expect = strict({
  train_loss: bounds.optional(),
  val_loss: bounds.optional(),
  val_accuracy: bounds.optional(),
  /** The length of the whole run. */
  seconds: bounds.optional(),
});

/** The strict schema of a config whose specs name entries of `registries`. */
export function configSchema(registries: Registries) {
  return strict({
    /** The folder of the runs, in `--out`. Default: the config's file name. */
    name: z.string().regex(FILE_NAME, {
      error: 'expected a file name of letters, digits, ".", "_" and "-" (at most 100)',
    }),
    /** Everything random follows from it. */
    seed: z.int().min(0).default(0),
    device: device.default('auto'),
    precision: precision.default('float32'),
    engine: engine.prefault({}),
    data: strict({
      train: registries.datasets.spec(),
      val: registries.datasets.spec().optional(),
      batch_size: count(),
      shuffle: z.boolean().default(true),
      /** Leaves out a last batch that is smaller than the others. */
      drop_last: z.boolean().default(false),
    }),
    model: registries.modules.spec(),
    loss: registries.losses.spec(),
    optimizer: registries.optimizers.spec(),
    /**
     * How the learning rate changes, with `interval: step` or `epoch` beside the type's arguments.
     */
    scheduler: registries.schedulers.spec().optional(),
    trainer,
    expect: expect.optional(),
  }).check(({ value, issues }) => {
    for (const { path, message } of contradictions(value)) {
      issues.push({ code: 'custom', input: value, path, message });
    }
  });
}

/** A config with every default filled in. */
export type TrainConfig = z.output<ReturnType<typeof configSchema>>;
export type TrainerConfig = TrainConfig['trainer'];
export type DataConfig = TrainConfig['data'];
/** Bounds by metric. */
export type Expectations = NonNullable<TrainConfig['expect']>;
