/**
 * U-Net (Ronneberger et al. 2015), with padded convolutions and batch norm, and with the state_dict
 * keys of https://github.com/milesial/Pytorch-UNet
 */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d, ConvTranspose2d } from '../nn/conv.ts';
import { type AnyModule, Module } from '../nn/module.ts';
import { MaxPool2d } from '../nn/pooling.ts';
import { inferredSize, modules, schemas } from '../nn/registry.ts';
import { Upsample } from '../nn/resampling.ts';
import { cat } from '../ops/joining.ts';

const options = strict({
  in_channels: schemas.size
    .optional()
    .describe('Channels of the images. May be left out where the input is known.'),
  num_classes: schemas.size.describe('Channels of the output: the logits of each pixel.'),
  base_channels: schemas.size
    .default(64)
    .refine((size) => size % 2 === 0, 'expected an even number')
    .describe('Channels at full size; each of the four halvings doubles them.'),
  bilinear: z
    .boolean()
    .default(false)
    .describe('Enlarges by interpolation, not by transposed convolutions.'),
});

/** `in_channels` follows from the input in a config alone. */
export type UNetOptions = Omit<z.input<typeof options>, 'in_channels'> & {
  readonly in_channels: number;
};

/** Images are halved four times. */
const HALVINGS = 4;

/** Twice a 3x3 convolution, batch norm and ReLU; the size stays. */
class DoubleConv extends Module {
  readonly double_conv: Sequential;

  constructor(in_channels: number, out_channels: number, mid_channels = out_channels) {
    super();
    const part = (from: number, to: number) => [
      new Conv2d({ in_channels: from, out_channels: to, kernel_size: 3, padding: 1, bias: false }),
      new BatchNorm2d({ num_features: to }),
      new ReLU(),
    ];
    this.double_conv = new Sequential([
      ...part(in_channels, mid_channels),
      ...part(mid_channels, out_channels),
    ]);
  }

  forward(x: Tensor): Tensor {
    return this.double_conv.call(x);
  }
}

class Down extends Module {
  readonly maxpool_conv: Sequential;

  constructor(in_channels: number, out_channels: number) {
    super();
    const pool = new MaxPool2d({ kernel_size: 2 });
    this.maxpool_conv = new Sequential([pool, new DoubleConv(in_channels, out_channels)]);
  }

  forward(x: Tensor): Tensor {
    return this.maxpool_conv.call(x);
  }
}

/** Enlarges what comes from below and joins it with what was there on the way down. */
class Up extends Module<[below: Tensor, beside: Tensor]> {
  readonly up: AnyModule;
  readonly conv: DoubleConv;

  constructor(in_channels: number, out_channels: number, bilinear: boolean) {
    super();
    const half = in_channels / 2;
    if (bilinear) {
      this.up = new Upsample({ scale_factor: 2, mode: 'bilinear', align_corners: true });
      this.conv = new DoubleConv(in_channels, out_channels, half);
    } else {
      const window = { kernel_size: 2, stride: 2 };
      this.up = new ConvTranspose2d({ in_channels, out_channels: half, ...window });
      this.conv = new DoubleConv(in_channels, out_channels);
    }
  }

  forward(below: Tensor, beside: Tensor): Tensor {
    return this.conv.call(cat([beside, this.up.call(below)], 1));
  }
}

class OutConv extends Module {
  readonly conv: Conv2d;

  constructor(in_channels: number, out_channels: number) {
    super();
    this.conv = new Conv2d({ in_channels, out_channels, kernel_size: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.conv.call(x);
  }
}

/**
 * (N, in_channels, H, W) -> logits of every pixel (N, num_classes, H, W); H and W are multiples of
 * 16.
 * https://arxiv.org/abs/1505.04597
 */
export class UNet extends Module {
  readonly inc: DoubleConv;
  readonly down1: Down;
  readonly down2: Down;
  readonly down3: Down;
  readonly down4: Down;
  readonly up1: Up;
  readonly up2: Up;
  readonly up3: Up;
  readonly up4: Up;
  readonly outc: OutConv;

  constructor(given: UNetOptions) {
    super();
    const parsed = parseOptions('UNet', options.required({ in_channels: true }), given);
    const { in_channels, num_classes, base_channels: base, bilinear } = parsed;
    // Interpolation keeps the number of channels, so the layers below give half as many.
    const factor = bilinear ? 2 : 1;
    this.inc = new DoubleConv(in_channels, base);
    this.down1 = new Down(base, 2 * base);
    this.down2 = new Down(2 * base, 4 * base);
    this.down3 = new Down(4 * base, 8 * base);
    this.down4 = new Down(8 * base, (16 * base) / factor);
    this.up1 = new Up(16 * base, (8 * base) / factor, bilinear);
    this.up2 = new Up(8 * base, (4 * base) / factor, bilinear);
    this.up3 = new Up(4 * base, (2 * base) / factor, bilinear);
    this.up4 = new Up(2 * base, base, bilinear);
    this.outc = new OutConv(base, num_classes);
  }

  /** @throws ShapeError where height or width is no multiple of 16. */
  forward(x: Tensor): Tensor {
    if (x.shape.slice(2).some((size) => size % 2 ** HALVINGS !== 0)) {
      const message = `height and width must be multiples of ${2 ** HALVINGS}`;
      throw opError(ShapeError, 'UNet', `${message}, got ${formatShape(x.shape)}`);
    }
    const x1 = this.inc.call(x);
    const x2 = this.down1.call(x1);
    const x3 = this.down2.call(x2);
    const x4 = this.down3.call(x3);
    const x5 = this.down4.call(x4);
    const up = this.up2.call(this.up1.call(x5, x4), x3);
    return this.outc.call(this.up4.call(this.up3.call(up, x2), x1));
  }
}

export const unet = (given: UNetOptions) => new UNet(given);

modules.register('unet', {
  schema: options,
  summary: 'U-Net: logits for every pixel of an image.',
  page: 'https://github.com/milesial/Pytorch-UNet',
  create: (given: z.output<typeof options>, { input }) => {
    const found = input?.shape[1];
    return unet({
      ...given,
      in_channels: inferredSize('unet', 'in_channels', given.in_channels, found),
    });
  },
});
