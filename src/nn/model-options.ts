/** What a config says of its model as a whole, beside the arguments of the model's type. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';

const patterns = () => z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const weights = strict({
  file: z
    .string()
    .min(1)
    .describe(
      'safetensors, the index of several, a file of torch.save, or the folder of a checkpoint; ' +
        'looked for as the folders of data are.',
    ),
  strict: z
    .boolean()
    .default(true)
    .describe('Every key must fit; `false` leaves what does not as it was initialised.'),
  exclude: patterns()
    .optional()
    .describe('Keys of the model that stay as they were initialised, such as a new head `fc.*`.'),
  prefix: z
    .string()
    .optional()
    .describe('Takes only keys of the file that begin with it, and takes it off.'),
  rename: z
    .record(z.string(), z.string())
    .optional()
    .describe('What keys begin with, and what instead: `{ classifier.: fc. }`.'),
  ema: z
    .boolean()
    .default(true)
    .describe('Of a checkpoint that keeps an average of the weights: takes that.'),
});

export type WeightsOptions = z.output<typeof weights>;

/** Keys that stand beside the arguments of a config's model; of its parts they mean nothing. */
export const modelOptions = {
  weights: z
    .union([z.string().min(1), weights])
    .optional()
    .describe('Weights to begin with: a file, or an object with `file`; see docs/weights.md.'),
  freeze: patterns()
    .optional()
    .describe(
      'Parameters that are not trained, by patterns: `["*", "!fc.*"]` is all but those of `fc`.',
    ),
  freeze_batch_norm: z
    .boolean()
    .optional()
    .describe(
      'Whether frozen batch norms keep their statistics and use them, as in evaluation. Default: ' +
        'true; PyTorch without more goes on with those of each batch.',
    ),
};

/** The options of a whole model, filled in, and its spec without them. */
export interface WholeModel<Spec> {
  readonly spec: Spec;
  readonly weights: WeightsOptions | undefined;
  readonly freeze: string | readonly string[];
  readonly freeze_batch_norm: boolean;
}

/** Takes the options of the whole model out of a config's `model`, which was checked. */
export function wholeModel<Spec extends Readonly<Record<string, unknown>>>(
  model: Spec,
): WholeModel<Omit<Spec, keyof typeof modelOptions>> {
  const { weights: from, freeze = [], freeze_batch_norm = true, ...spec } = model;
  return {
    spec,
    weights: from === undefined ? undefined : filledIn(from as string | WeightsOptions),
    freeze: freeze as WholeModel<Spec>['freeze'],
    freeze_batch_norm: freeze_batch_norm as boolean,
  };
}

function filledIn(from: string | WeightsOptions): WeightsOptions {
  return typeof from === 'string' ? weights.parse({ file: from }) : from;
}
