/**
 * The two networks of DCGAN (Radford et al. 2015, https://arxiv.org/abs/1511.06434), as PyTorch's
 * tutorial writes them, with its state_dict keys and initialisation; docs/models.md shows how they
 * are trained. https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { LeakyReLU, ReLU, Sigmoid, Tanh } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d, ConvTranspose2d } from '../nn/conv.ts';
import { normal_, zeros_ } from '../nn/init.ts';
import { Module } from '../nn/module.ts';
import { modules, schemas } from '../nn/registry.ts';

const PAGE = 'https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html';

const generatorOptions = strict({
  nz: schemas.size.default(100).describe('Random numbers that an image is made from.'),
  ngf: schemas.size.default(64).describe('Channels before the last layer.'),
  nc: schemas.size.default(3).describe('Channels of the images.'),
});

const discriminatorOptions = strict({
  nc: schemas.size.default(3).describe('Channels of the images.'),
  ndf: schemas.size.default(64).describe('Channels behind the first layer.'),
});

export type DCGANGeneratorOptions = z.input<typeof generatorOptions>;
export type DCGANDiscriminatorOptions = z.input<typeof discriminatorOptions>;

const norm = (num_features: number) => new BatchNorm2d({ num_features });

/** Doubles height and width, or halves them. */
const by2 = { kernel_size: 4, stride: 2, padding: 1, bias: false } as const;
/** From 1 x 1 to 4 x 4, or back. */
const by4 = { kernel_size: 4, bias: false } as const;

/** Weights from N(0, 0.02), those of norms from N(1, 0.02). */
function initialize(model: Module): void {
  for (const module of model.modules()) {
    if (module instanceof Conv2d || module instanceof ConvTranspose2d) {
      normal_(module.weight, 0, 0.02);
    } else if (module instanceof BatchNorm2d) {
      normal_(module.weight!, 1, 0.02);
      zeros_(module.bias!);
    }
  }
}

/** Noise (N, nz, 1, 1) -> images (N, nc, 64, 64) of values in (-1, 1). */
export class DCGANGenerator extends Module {
  readonly main: Sequential;

  constructor(given: DCGANGeneratorOptions = {}) {
    super();
    const { nz, ngf, nc } = parseOptions('DCGANGenerator', generatorOptions, given);
    const first = new ConvTranspose2d({ ...by4, in_channels: nz, out_channels: 8 * ngf });
    const up = (in_channels: number, out_channels: number) =>
      new ConvTranspose2d({ ...by2, in_channels, out_channels });
    this.main = new Sequential([
      ...[first, norm(8 * ngf), new ReLU()],
      ...[up(8 * ngf, 4 * ngf), norm(4 * ngf), new ReLU()],
      ...[up(4 * ngf, 2 * ngf), norm(2 * ngf), new ReLU()],
      ...[up(2 * ngf, ngf), norm(ngf), new ReLU()],
      ...[up(ngf, nc), new Tanh()],
    ]);
    initialize(this);
  }

  forward(noise: Tensor): Tensor {
    return this.main.call(noise);
  }
}

/** Images (N, nc, 64, 64) -> how likely each is a real one (N, 1, 1, 1). */
export class DCGANDiscriminator extends Module {
  readonly main: Sequential;

  constructor(given: DCGANDiscriminatorOptions = {}) {
    super();
    const { nc, ndf } = parseOptions('DCGANDiscriminator', discriminatorOptions, given);
    const down = (in_channels: number, out_channels: number) =>
      new Conv2d({ ...by2, in_channels, out_channels });
    const leaky = () => new LeakyReLU({ negative_slope: 0.2 });
    this.main = new Sequential([
      ...[down(nc, ndf), leaky()],
      ...[down(ndf, 2 * ndf), norm(2 * ndf), leaky()],
      ...[down(2 * ndf, 4 * ndf), norm(4 * ndf), leaky()],
      ...[down(4 * ndf, 8 * ndf), norm(8 * ndf), leaky()],
      ...[new Conv2d({ ...by4, in_channels: 8 * ndf, out_channels: 1 }), new Sigmoid()],
    ]);
    initialize(this);
  }

  forward(images: Tensor): Tensor {
    return this.main.call(images);
  }
}

export const dcgan_generator = (given?: DCGANGeneratorOptions) => new DCGANGenerator(given);
export const dcgan_discriminator = (given?: DCGANDiscriminatorOptions) =>
  new DCGANDiscriminator(given);

modules.register('dcgan_generator', {
  schema: generatorOptions,
  summary: "DCGAN's generator: images from noise.",
  page: PAGE,
  create: dcgan_generator,
});

modules.register('dcgan_discriminator', {
  schema: discriminatorOptions,
  summary: "DCGAN's discriminator: how likely an image is a real one.",
  page: PAGE,
  create: dcgan_discriminator,
});
