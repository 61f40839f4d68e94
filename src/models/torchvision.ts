/** What the models of torchvision have in common: names, pages, how channels are counted. */

import type { z } from 'zod';
import type { AnyModule } from '../nn/module.ts';
import { modules, schemas } from '../nn/registry.ts';

/** An option of every model. */
export const numClasses = schemas.size.default(1000).describe('Logits a sample.');

/** Makes `name` a type of models, with the options of `schema`. */
export function registerModel<Schema extends z.ZodObject>(
  name: string,
  schema: Schema,
  create: (options: z.output<Schema>) => AnyModule,
): void {
  modules.register(name, {
    schema,
    page: `https://pytorch.org/vision/stable/models/generated/torchvision.models.${name}.html`,
    create,
  });
}

/**
 * Makes each of `designs` a type of models under its name, and gives by name the functions that
 * make such a model in code.
 *
 * @param schemaOf the options of a design's models, with their defaults.
 */
export function modelFamily<
  Name extends string,
  Design,
  Schema extends z.ZodObject,
  Model extends AnyModule,
>(
  designs: Readonly<Record<Name, Design>>,
  schemaOf: (design: Design) => Schema,
  create: (design: Design, given?: z.input<Schema>) => Model,
): Readonly<Record<Name, (given?: z.input<Schema>) => Model>> {
  const entries = Object.entries<Design>(designs).map(([name, design]) => {
    const make = (given?: z.input<Schema>) => create(design, given);
    registerModel(name, schemaOf(design), (options) => make(options as z.input<Schema>));
    return [name, make] as const;
  });
  return Object.fromEntries(entries) as Record<Name, (given?: z.input<Schema>) => Model>;
}

/** Lets `model` load weights under the keys that a file of torchvision's may have. */
export function acceptOldKeys(model: AnyModule, newKey: (key: string) => string): void {
  model.registerLoadStateDictPreHook((_, state, prefix) => {
    for (const [key, value] of [...state]) {
      const renamed = key.startsWith(prefix) ? newKey(key) : key;
      // A file that has both has one too many: the old one is left, and is no key of the model.
      if (state.has(renamed)) continue;
      state.delete(key);
      state.set(renamed, value);
    }
  });
}

/** The next multiple of `divisor`, unless that takes more than a tenth away. */
export function makeDivisible(channels: number, divisor = 8, least = divisor): number {
  const near = Math.max(least, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return near < 0.9 * channels ? near + divisor : near;
}
