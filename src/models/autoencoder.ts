/**
 * Autoencoders: networks that give back what they take, through a layer that is too narrow for it
 * (Hinton and Salakhutdinov 2006, https://doi.org/10.1126/science.1127647). The data set
 * `Reconstruction` makes the inputs of another one their own targets.
 */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU, Sigmoid } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d, ConvTranspose2d } from '../nn/conv.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { inferredSize, modules, schemas } from '../nn/registry.ts';

const PAPER = 'https://doi.org/10.1126/science.1127647';

const sigmoid = z
  .boolean()
  .default(false)
  .describe('Ends in a sigmoid, for inputs between 0 and 1, such as the pixels of ToTensor.');

const plainOptions = strict({
  in_features: schemas.size
    .optional()
    .describe('Numbers that each sample has. May be left out where the input is known.'),
  hidden_features: z
    .array(schemas.size)
    .default([128, 64])
    .describe('Numbers that each layer on the way to the code gives; the way back mirrors it.'),
  latent_features: schemas.size.default(12).describe('Numbers of the code.'),
  sigmoid,
});

/** `in_features` follows from the input in a config alone. */
export type AutoencoderOptions = Omit<z.input<typeof plainOptions>, 'in_features'> & {
  readonly in_features: number;
};

/** Linear layers with ReLUs between them. */
function linearLayers(widths: readonly number[]): Module[] {
  return widths.slice(1).flatMap((out_features, i) => {
    const linear = new Linear({ in_features: widths[i]!, out_features });
    return i === 0 ? [linear] : [new ReLU(), linear];
  });
}

/** Of linear layers: samples of any shape (N, ...) that have `in_features` numbers, to the same. */
export class Autoencoder extends Module {
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  constructor(given: AutoencoderOptions) {
    super();
    const parsed = parseOptions('Autoencoder', plainOptions.required({ in_features: true }), given);
    const { in_features, hidden_features, latent_features } = parsed;
    const widths = [in_features, ...hidden_features, latent_features];
    this.encoder = new Sequential(linearLayers(widths));
    const end = parsed.sigmoid ? [new Sigmoid()] : [];
    this.decoder = new Sequential([...linearLayers(widths.toReversed()), ...end]);
  }

  /** (N, ...) -> (N, latent_features). */
  encode(x: Tensor): Tensor {
    return this.encoder.call(x.flatten(1));
  }

  forward(x: Tensor): Tensor {
    return this.decoder.call(this.encode(x)).reshape(x.shape);
  }
}

const convOptions = strict({
  in_channels: schemas.size
    .optional()
    .describe('Channels of the images. May be left out where the input is known.'),
  channels: z
    .array(schemas.size)
    .min(1)
    .default([16, 32])
    .describe('Channels behind each convolution, each of which halves height and width.'),
  sigmoid,
});

/** `in_channels` follows from the input in a config alone. */
export type ConvAutoencoderOptions = Omit<z.input<typeof convOptions>, 'in_channels'> & {
  readonly in_channels: number;
};

/** Of convolutions with a stride of 2: (N, in_channels, H, W) to the same. */
export class ConvAutoencoder extends Module {
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  constructor(given: ConvAutoencoderOptions) {
    super();
    const required = convOptions.required({ in_channels: true });
    const { in_channels, channels, sigmoid } = parseOptions('ConvAutoencoder', required, given);
    const widths = [in_channels, ...channels];
    const halvings = channels.flatMap((out_channels, i) => {
      const window = { kernel_size: 3, stride: 2, padding: 1 };
      return [new Conv2d({ in_channels: widths[i]!, out_channels, ...window }), new ReLU()];
    });
    const back = widths.toReversed();
    const doublings = channels.flatMap((_, i) => {
      const window = { kernel_size: 4, stride: 2, padding: 1 };
      const sizes = { in_channels: back[i]!, out_channels: back[i + 1]! };
      return [...(i === 0 ? [] : [new ReLU()]), new ConvTranspose2d({ ...sizes, ...window })];
    });
    this.encoder = new Sequential(halvings);
    this.decoder = new Sequential([...doublings, ...(sigmoid ? [new Sigmoid()] : [])]);
  }

  /** (N, in_channels, H, W) -> (N, channels.at(-1), H / 2^n, W / 2^n) of n convolutions. */
  encode(x: Tensor): Tensor {
    return this.encoder.call(x);
  }

  /** @throws ShapeError where height or width cannot be halved as often as there are layers. */
  forward(x: Tensor): Tensor {
    const output = this.decoder.call(this.encode(x));
    if (output.shape.every((size, i) => size === x.shape[i])) return output;
    const message = `height and width must be multiples of ${2 ** (this.encoder.length / 2)}`;
    throw opError(ShapeError, 'ConvAutoencoder', `${message}, got ${formatShape(x.shape)}`);
  }
}

export const autoencoder = (given: AutoencoderOptions) => new Autoencoder(given);
export const conv_autoencoder = (given: ConvAutoencoderOptions) => new ConvAutoencoder(given);

modules.register('autoencoder', {
  schema: plainOptions,
  summary: 'An autoencoder of linear layers.',
  page: PAPER,
  create: (given: z.output<typeof plainOptions>, { input }) => {
    const found = input && numel(input.shape.slice(1));
    const in_features = inferredSize('autoencoder', 'in_features', given.in_features, found);
    return autoencoder({ ...given, in_features });
  },
});

modules.register('conv_autoencoder', {
  schema: convOptions,
  summary: 'An autoencoder of convolutions, for images.',
  page: PAPER,
  create: (given: z.output<typeof convOptions>, { input }) => {
    const found = input?.shape[1];
    const in_channels = inferredSize('conv_autoencoder', 'in_channels', given.in_channels, found);
    return conv_autoencoder({ ...given, in_channels });
  },
});
