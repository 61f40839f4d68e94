/** The registries of torchts, gathered for the config's schema. */

import { Registry } from '../base/registry.ts';
import type { Registries } from './schema.ts';

export const registries: Registries = {
  modules: new Registry('module'),
  losses: new Registry('loss'),
  optimizers: new Registry('optimizer'),
  datasets: new Registry('data set'),
};
