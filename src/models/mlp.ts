/** The multi-layer perceptron of torchvision, with its state_dict keys. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import { Sequential } from '../nn/container.ts';
import { Dropout } from '../nn/dropout.ts';
import { Linear } from '../nn/linear.ts';
import type { Module } from '../nn/module.ts';
import { build, inferredSize, modules, schemas } from '../nn/registry.ts';

const PAGE = 'https://docs.pytorch.org/vision/stable/generated/torchvision.ops.MLP.html';

const options = strict({
  in_channels: schemas.size
    .optional()
    .describe('Numbers that each sample has. May be left out where the input is known.'),
  hidden_channels: z
    .array(schemas.size)
    .min(1)
    .describe('Numbers that each linear layer gives; the last are the outputs.'),
  activation_layer: z
    .lazy(() => modules.spec())
    .prefault('ReLU')
    .describe('What stands behind each linear layer but the last.'),
  bias: z.boolean().default(true).describe('Whether the linear layers have biases.'),
  dropout: schemas.probability.default(0).describe('Behind every layer, the last one included.'),
});

/** `in_channels` follows from the input in a config alone. */
export type MLPOptions = Omit<z.input<typeof options>, 'in_channels'> & {
  readonly in_channels: number;
};

/**
 * (..., in_channels) -> (..., hidden_channels.at(-1)).
 * https://docs.pytorch.org/vision/stable/generated/torchvision.ops.MLP.html
 */
export class MLP extends Sequential {
  constructor(given: MLPOptions) {
    super(layersOf(parseOptions('MLP', options.required({ in_channels: true }), given)));
  }
}

function layersOf({
  in_channels,
  hidden_channels,
  activation_layer,
  bias,
  dropout: p,
}: z.output<typeof options>): Module[] {
  const widths = [in_channels!, ...hidden_channels];
  return hidden_channels.flatMap((out_features, i) => {
    const linear = new Linear({ in_features: widths[i]!, out_features, bias });
    const isLast = i === hidden_channels.length - 1;
    return [linear, ...(isLast ? [] : [build(activation_layer)]), new Dropout({ p })];
  });
}

export const mlp = (given: MLPOptions) => new MLP(given);

modules.register('mlp', {
  schema: options,
  summary: 'A multi-layer perceptron, as torchvision.ops.MLP.',
  page: PAGE,
  create: (given: z.output<typeof options>, { input }) => {
    const found = input?.shape.at(-1);
    return mlp({
      ...given,
      in_channels: inferredSize('mlp', 'in_channels', given.in_channels, found),
    });
  },
});
