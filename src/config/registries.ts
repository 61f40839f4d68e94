/** The registries of torchts, gathered for the config's schema. */

// The types of whole models, which stand in the registry of modules.
import '../models/index.ts';

import { callbacks } from '../callbacks/index.ts';
import { datasets, samplers } from '../data/index.ts';
import { batchTransforms } from '../data/transforms/batch-transforms.ts';
import { metrics } from '../metrics/index.ts';
import { losses, modules } from '../nn/index.ts';
import { optimizers, schedulers } from '../optim/index.ts';
import type { Registries } from './schema.ts';

export const registries: Registries = {
  modules,
  losses,
  optimizers,
  schedulers,
  datasets,
  batchTransforms,
  samplers,
  callbacks,
  metrics,
};
