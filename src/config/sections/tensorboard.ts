/** `tensorboard:`, what goes into the event files of a run. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';

const contents = strict({
  histograms: z
    .boolean()
    .default(false)
    .describe('Weights, and gradients for one batch, after every epoch.'),
  images: z
    .int()
    .min(0)
    .max(256)
    .default(0)
    .describe('How many of the training images are shown, as the first epoch transforms them.'),
  graph: z.boolean().default(false).describe("The model's forward pass, in boxes by module."),
});

/** `true` is an object of defaults. */
export const tensorboard = z
  .union([z.boolean(), contents])
  .default(true)
  .describe(
    'Event files for TensorBoard in the folder of the run: metrics, hyperparameters and the ' +
      'config always; `false` for none.',
  );

export type TensorBoardContents = z.output<typeof contents>;

/** What is to be written; nothing where there are to be no event files. */
export function tensorBoardContents(
  value: z.output<typeof tensorboard>,
): TensorBoardContents | undefined {
  if (value === false) return undefined;
  return value === true ? contents.parse({}) : value;
}
