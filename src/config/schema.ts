/** The schema of a whole config: the one place where its keys and defaults are written. */

import { z } from 'zod';
import { nearestName } from '../base/errors.ts';
import { type Spec, strict } from '../base/registry.ts';
import type { ScheduleOptions } from '../optim/index.ts';

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

const trainer = strict({
  /** Passes over the training data. */
  epochs: count().optional(),
  /** Optimizer steps; with `epochs`, whichever ends first. */
  max_steps: count().optional(),
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

/** The metrics of a run, as records and summaries name them. */
const METRICS = ['train_loss', 'train_accuracy', 'val_loss', 'val_accuracy'];

/** Schedules that follow steps unless told otherwise: PyTorch documents them as stepped per batch. */
const BY_STEP = ['OneCycleLR', 'CyclicLR'];
const BY_METRIC = 'ReduceLROnPlateau';

/** A schedule's `interval` and `monitor`, filled in. */
export function scheduleOptions({ scheduler, data }: Pick<TrainConfig, 'scheduler' | 'data'>): {
  interval: 'step' | 'epoch';
  monitor: string;
} {
  const { type = '', interval, monitor } = (scheduler ?? {}) as Partial<Spec> & ScheduleOptions;
  return {
    interval: interval ?? (BY_STEP.includes(type) ? 'step' : 'epoch'),
    monitor: monitor ?? (data.val === undefined ? 'train_loss' : 'val_loss'),
  };
}

/** What is wrong with a schedule's `interval` and `monitor`, by key. */
function scheduleFaults(config: Pick<TrainConfig, 'scheduler' | 'data'>): [string, string][] {
  const { scheduler } = config;
  if (scheduler === undefined) return [];
  const { interval, monitor } = scheduleOptions(config);
  const byMetric = scheduler.type === BY_METRIC;
  if (!byMetric) {
    const faulty = scheduler.monitor !== undefined;
    return faulty ? [['monitor', `only ${BY_METRIC} looks at a metric`]] : [];
  }
  const faults: [string, string][] = [];
  if (interval === 'step') {
    faults.push(['interval', `${BY_METRIC} needs a metric, which only an epoch has: use epoch`]);
  }
  if (!METRICS.includes(monitor)) {
    const nearest = nearestName(monitor, METRICS);
    const hint =
      nearest === undefined ? `known: ${METRICS.join(', ')}` : `did you mean "${nearest}"?`;
    faults.push(['monitor', `there is no metric "${monitor}"; ${hint}`]);
  } else if (monitor.startsWith('val_') && config.data.val === undefined) {
    faults.push(['monitor', 'there is no data.val to measure it on']);
  }
  return faults;
}

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
    /** How the learning rate changes, with `interval: step` or `epoch` beside the type's arguments. */
    scheduler: registries.schedulers.spec().optional(),
    trainer,
    expect: expect.optional(),
  }).check((context) => {
    const { data, expect, scheduler } = context.value;
    for (const [key, message] of scheduleFaults({ data, scheduler })) {
      const path = ['scheduler', key];
      context.issues.push({ code: 'custom', input: scheduler, path, message });
    }
    for (const key of ['val_loss', 'val_accuracy'] as const) {
      if (data.val !== undefined || expect?.[key] === undefined) continue;
      context.issues.push({
        code: 'custom',
        input: expect[key],
        path: ['expect', key],
        message: 'there is no data.val to measure it on',
      });
    }
  });
}

/** A config with every default filled in. */
export type TrainConfig = z.output<ReturnType<typeof configSchema>>;
export type TrainerConfig = TrainConfig['trainer'];
export type DataConfig = TrainConfig['data'];
/** Bounds by metric. */
export type Expectations = NonNullable<TrainConfig['expect']>;
