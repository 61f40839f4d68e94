/** `sweep:`, several runs of one config over values of some keys. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';
import { count } from './values.ts';

const parameter = strict({
  values: z.array(z.unknown()).min(1).optional().describe('What is tried.'),
  min: z.number().optional().describe('The least value of a range that is drawn from.'),
  max: z.number().optional().describe('The greatest value of the range.'),
  log: z.boolean().default(false).describe('Draws evenly from the logarithms of the range.'),
  integer: z.boolean().default(false).describe('Draws integers only.'),
})
  .refine(
    ({ values, min, max }) => (values === undefined) === (min !== undefined && max !== undefined),
    {
      error: 'needs either values, or min and max',
    },
  )
  .refine(({ min, max }) => min === undefined || max === undefined || min < max, {
    error: 'min must be less than max',
  })
  .refine(({ min, log }) => !log || min === undefined || min > 0, {
    error: 'log needs a min above 0',
  });

export const sweep = strict({
  method: z
    .enum(['grid', 'random', 'successive_halving'])
    .default('grid')
    .describe(
      '`grid`: every combination; `random`: as many draws as `trials`; `successive_halving`: ' +
        'many short runs, of which the best go on for longer.',
    ),
  parameters: z
    .record(z.string(), parameter)
    .describe('What is tried, by the path of the key: `optimizer.lr: { values: [0.1, 0.01] }`.'),
  trials: count().max(10_000).optional().describe('How many runs; a grid is cut off there.'),
  monitor: z
    .string()
    .optional()
    .describe('The metric that trials are compared by. Default: what the best checkpoint is.'),
  mode: z.enum(['min', 'max']).optional().describe('Whether less of it is better.'),
  seed: z.int().min(0).default(0).describe('What `random` draws from.'),
  eta: z
    .int()
    .min(2)
    .default(3)
    .describe('One in so many trials goes on, for so many times as many epochs.'),
  min_epochs: count().default(1).describe('Epochs of the first round of `successive_halving`.'),
});

export type SweepConfig = z.output<typeof sweep>;
