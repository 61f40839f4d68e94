/** `expect:`, what a run must reach. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';
import { anyOfKeys } from './values.ts';

/** Bounds a metric must keep; a run that ends outside of them has failed. */
const bounds = strict({
  min: z.number().optional().describe('The least value that will do.'),
  max: z.number().optional().describe('The greatest value that will do.'),
})
  .refine(({ min, max }) => min !== undefined || max !== undefined, {
    error: 'needs min, max or both',
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    error: 'min is greater than max: no value fits',
  })
  .meta(anyOfKeys('min', 'max'));

/** By the name of something measured, such as `val_loss`, or `seconds`. */
export const expect = z
  .object({
    train_loss: bounds.optional().describe('The loss of the last record of training.'),
    val_loss: bounds.optional().describe('The loss of the last pass over `data.val`.'),
    val_accuracy: bounds.optional().describe('The accuracy of the same pass.'),
    seconds: bounds.optional().describe('The length of the whole run.'),
  })
  .catchall(bounds);
