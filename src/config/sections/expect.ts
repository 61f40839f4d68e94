/** `expect:`, what a run must reach. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';

/** Bounds a metric must keep; a run that ends outside of them has failed. */
const bounds = strict({ min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, {
    error: 'needs min, max or both',
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    error: 'min is greater than max: no value fits',
  });

/** The keys that `expect:` may bound; the first three are of the last record of each split. */
export const expect = strict({
  train_loss: bounds.optional(),
  val_loss: bounds.optional(),
  val_accuracy: bounds.optional(),
  seconds: bounds.optional().describe('The length of the whole run.'),
});
