/** What the models of torchvision have in common here: names in the registry, and their pages. */

import type { z } from 'zod';
import type { Module } from '../nn/module.ts';
import { modules } from '../nn/registry.ts';

/** Makes `name` a type of models, with the options of `schema`. */
export function registerModel<Schema extends z.ZodObject>(
  name: string,
  schema: Schema,
  create: (options: z.output<Schema>) => Module,
): void {
  modules.register(name, {
    schema,
    page: `https://pytorch.org/vision/stable/models/generated/torchvision.models.${name}.html`,
    create,
  });
}
