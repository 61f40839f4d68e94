/** Small registries with the shapes of the real ones, for tests of the config alone. */

import { z } from 'zod';
import { Registry, strict } from '../../src/base/registry.ts';
import type { Registries } from '../../src/config/schema.ts';
import type { Metric } from '../../src/metrics/index.ts';

const size = z.int().positive();
const pair = z.union([size, z.tuple([size, size])]);

function registry(kind: string, schemas: Record<string, z.ZodObject>, common?: z.ZodRawShape) {
  const out = new Registry<unknown>(kind, common);
  for (const [type, schema] of Object.entries(schemas)) {
    out.register(type, { schema, create: (options) => options });
  }
  return out;
}

const modules: Registry<unknown> = registry(
  'module',
  {
    Conv2d: strict({
      in_channels: size.optional(),
      out_channels: size,
      kernel_size: pair,
      bias: z.boolean().default(true),
      padding_mode: z.enum(['zeros', 'reflect']).default('zeros'),
    }),
    Linear: strict({ in_features: size.optional(), out_features: size }),
    ReLU: strict({ inplace: z.boolean().default(false) }),
    Dropout: strict({ p: z.number().min(0).max(1).default(0.5) }),
    MaxPool2d: strict({ kernel_size: pair, stride: pair.optional() }),
    Flatten: strict({}),
    Sequential: strict({ layers: z.array(z.lazy(() => modules.spec())).min(1) }),
  },
  { name: z.string().optional() },
);

const transforms = registry('transform', {
  ToTensor: strict({}),
  Normalize: strict({ mean: z.array(z.number()), std: z.array(z.number().positive()) }),
});

const metrics = new Registry<Pick<Metric, 'name' | 'higher_is_better' | 'scalar'>>('metric', {
  name: z.string().optional(),
});
metrics.register('Accuracy', {
  schema: strict({}),
  create: () => ({ name: 'accuracy', higher_is_better: true, scalar: true }),
});
metrics.register('ConfusionMatrix', {
  schema: strict({}),
  create: () => ({ name: 'confusion_matrix', higher_is_better: true, scalar: false }),
});

export const registries: Registries = {
  modules,
  losses: registry('loss', {
    CrossEntropyLoss: strict({ label_smoothing: z.number().min(0).max(1).default(0) }),
    MSELoss: strict({ reduction: z.enum(['mean', 'sum', 'none']).default('mean') }),
  }),
  optimizers: registry('optimizer', {
    SGD: strict({ lr: z.number().positive(), momentum: z.number().min(0).default(0) }),
    Adam: strict({
      lr: z.number().positive().default(1e-3),
      betas: z.tuple([z.number(), z.number()]).optional(),
    }),
  }),
  schedulers: registry('lr_scheduler', { StepLR: strict({ step_size: size }) }),
  callbacks: registry('callback', {}),
  batchTransforms: registry('batch transform', {}),
  samplers: registry('sampler', {}),
  metrics,
  datasets: registry('data set', {
    CIFAR10: strict({
      root: z.string().min(1),
      split: z.enum(['train', 'test']),
      transforms: z.array(z.lazy(() => transforms.spec())).default([]),
    }),
  }),
};
