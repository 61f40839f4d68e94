/** `trainer:`, the training loop. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';
import { anyOfKeys, count } from './values.ts';

/** As PyTorch Lightning's EarlyStopping. */
const earlyStopping = strict({
  monitor: z
    .string()
    .optional()
    .describe('A metric. Default: the loss on data.val, or train_loss where there is none.'),
  patience: count()
    .default(3)
    .describe('Evaluations in a row without improvement after which training ends.'),
  min_delta: z.number().min(0).default(0).describe('A smaller change is no improvement.'),
  mode: z
    .enum(['min', 'max'])
    .optional()
    .describe('Whether less or more is better. Default: what is better for the metric.'),
});

/** As PyTorch Lightning's EMAWeightAveraging. */
const ema = strict({
  decay: z
    .number()
    .min(0)
    .max(1)
    .default(0.999)
    .describe('The share of the old average in the new one.'),
  update_every_n_steps: count().default(1).describe('Steps between two updates of the average.'),
  update_starting_at_step: z
    .int()
    .min(0)
    .default(0)
    .describe('The step after which averaging begins; until then it is the weights themselves.'),
  use_buffers: z
    .boolean()
    .default(true)
    .describe('Averages running statistics too; else they are those of the newest step.'),
});

export const trainer = strict({
  epochs: count().optional().describe('Passes over the training data.'),
  max_steps: count().optional().describe('Optimizer steps; with `epochs`, whichever ends first.'),
  accumulate_grad_batches: count()
    .default(1)
    .describe(
      "Batches whose gradients one optimizer step has; in memory there are only one batch's.",
    ),
  max_seconds: z
    .number()
    .positive()
    .optional()
    .describe('Seconds after which training ends as it does after the last step.'),
  monitor: z
    .string()
    .optional()
    .describe(
      'The metric by which the best checkpoint is chosen. Default: val_accuracy where it is ' +
        'measured, else val_loss.',
    ),
  early_stopping: earlyStopping
    .optional()
    .describe('Ends training when a metric no longer improves.'),
  clip_grad_norm: z
    .number()
    .positive()
    .optional()
    .describe('Gradients are scaled so that the norm of all of them together is at most this.'),
  clip_grad_value: z
    .number()
    .positive()
    .optional()
    .describe('Every element of the gradients is limited to this magnitude.'),
  ema: ema
    .optional()
    .describe(
      'Keeps an exponential moving average of the weights. Evaluations, the choice of the best ' +
        'checkpoint and `data.test` are of the average.',
    ),
  log_every: count().default(50).describe('Steps between two records of the training loss.'),
  eval_every: count().default(1).describe('Epochs between two passes over `data.val`.'),
  checkpoint_every: count()
    .optional()
    .describe('Steps between two checkpoints, beside the one at the end of every epoch.'),
  keep: count().default(2).describe('The newest checkpoints that are kept, beside the best one.'),
  detect_anomaly: z
    .boolean()
    .default(false)
    .describe(
      'Computes op by op and ends training at the first one that makes NaN or an infinity, with ' +
        'its name, module and shapes. For finding a fault: many times slower.',
    ),
})
  .refine(({ epochs, max_steps }) => epochs !== undefined || max_steps !== undefined, {
    error: 'needs epochs, max_steps or both: nothing says when training ends',
  })
  .meta(anyOfKeys('epochs', 'max_steps'));
