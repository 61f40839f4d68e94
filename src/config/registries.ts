/** The registries of torchts, gathered for the config's schema. */

import { datasets } from '../data/index.ts';
import { losses, modules } from '../nn/index.ts';
import { optimizers } from '../optim/index.ts';
import type { Registries } from './schema.ts';

export const registries: Registries = { modules, losses, optimizers, datasets };
