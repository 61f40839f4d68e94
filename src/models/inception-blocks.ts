/**
 * The blocks of Inception v3: branches side by side, (N, C, H, W) -> (N, C', H', W'). Their letters
 * are torchvision's.
 */

import type { Tensor } from '../core/tensor.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { avgPool2d } from '../ops/avg-pooling.ts';
import { cat } from '../ops/joining.ts';
import { maxPool2d } from '../ops/pooling.ts';
import { BasicConv2d } from './inception-parts.ts';

type Window = number | readonly [height: number, width: number];

/** A convolution that keeps height and width. */
function conv(in_channels: number, out_channels: number, window: Window = 1): BasicConv2d {
  const [height, width] = typeof window === 'number' ? [window, window] : window;
  return new BasicConv2d({
    ...{ in_channels, out_channels, kernel_size: [height, width] },
    padding: [Math.floor(height / 2), Math.floor(width / 2)],
  });
}

/** A 3x3 convolution that halves height and width. */
const halving = (in_channels: number, out_channels: number) =>
  new BasicConv2d({ in_channels, out_channels, kernel_size: 3, stride: 2 });

const WIDE = [1, 7] as const;
const TALL = [7, 1] as const;

const through = (x: Tensor, ...layers: BasicConv2d[]) =>
  layers.reduce((value, layer) => layer.call(value), x);

const blurred = (x: Tensor) => avgPool2d(x, { kernel_size: 3, stride: 1, padding: 1 });
const halved = (x: Tensor) => maxPool2d(x, { kernel_size: 3, stride: 2 });

/** 35x35: windows of 5x5 and twice 3x3. */
export class InceptionA extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2 = conv(48, 64, 5);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(64, 96, 3);
  readonly branch3x3dbl_3 = conv(96, 96, 3);
  readonly branch_pool: BasicConv2d;

  constructor(inputs: number, pool_features: number) {
    super();
    this.branch1x1 = conv(inputs, 64);
    this.branch5x5_1 = conv(inputs, 48);
    this.branch3x3dbl_1 = conv(inputs, 64);
    this.branch_pool = conv(inputs, pool_features);
  }

  forward(x: Tensor): Tensor {
    const branches = [
      this.branch1x1.call(x),
      through(x, this.branch5x5_1, this.branch5x5_2),
      through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      this.branch_pool.call(blurred(x)),
    ];
    return cat(branches, 1);
  }
}

/** From 35x35 to 17x17. */
export class InceptionB extends Module {
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(64, 96, 3);
  readonly branch3x3dbl_3 = halving(96, 96);

  constructor(inputs: number) {
    super();
    this.branch3x3 = halving(inputs, 384);
    this.branch3x3dbl_1 = conv(inputs, 64);
  }

  forward(x: Tensor): Tensor {
    const double = through(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3);
    return cat([this.branch3x3.call(x), double, halved(x)], 1);
  }
}

/** 17x17: windows of 7x7 as rows and columns, once and twice. */
export class InceptionC extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(inputs: number, channels: number) {
    super();
    this.branch1x1 = conv(inputs, 192);
    this.branch7x7_1 = conv(inputs, channels);
    this.branch7x7_2 = conv(channels, channels, WIDE);
    this.branch7x7_3 = conv(channels, 192, TALL);
    this.branch7x7dbl_1 = conv(inputs, channels);
    this.branch7x7dbl_2 = conv(channels, channels, TALL);
    this.branch7x7dbl_3 = conv(channels, channels, WIDE);
    this.branch7x7dbl_4 = conv(channels, channels, TALL);
    this.branch7x7dbl_5 = conv(channels, 192, WIDE);
    this.branch_pool = conv(inputs, 192);
  }

  forward(x: Tensor): Tensor {
    const once = [this.branch7x7_1, this.branch7x7_2, this.branch7x7_3];
    const double = [
      ...[this.branch7x7dbl_1, this.branch7x7dbl_2, this.branch7x7dbl_3],
      ...[this.branch7x7dbl_4, this.branch7x7dbl_5],
    ];
    const branches = [
      this.branch1x1.call(x),
      through(x, ...once),
      through(x, ...double),
      this.branch_pool.call(blurred(x)),
    ];
    return cat(branches, 1);
  }
}

/** From 17x17 to 8x8. */
export class InceptionD extends Module {
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2 = halving(192, 320);
  readonly branch7x7x3_1: BasicConv2d;
  readonly branch7x7x3_2 = conv(192, 192, WIDE);
  readonly branch7x7x3_3 = conv(192, 192, TALL);
  readonly branch7x7x3_4 = halving(192, 192);

  constructor(inputs: number) {
    super();
    this.branch3x3_1 = conv(inputs, 192);
    this.branch7x7x3_1 = conv(inputs, 192);
  }

  forward(x: Tensor): Tensor {
    const wide = [this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4];
    const branches = [
      through(x, this.branch3x3_1, this.branch3x3_2),
      through(x, ...wide),
      halved(x),
    ];
    return cat(branches, 1);
  }
}

/** 8x8: rows and columns of 3 side by side. */
export class InceptionE extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a = conv(384, 384, [1, 3]);
  readonly branch3x3_2b = conv(384, 384, [3, 1]);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(448, 384, 3);
  readonly branch3x3dbl_3a = conv(384, 384, [1, 3]);
  readonly branch3x3dbl_3b = conv(384, 384, [3, 1]);
  readonly branch_pool: BasicConv2d;

  constructor(inputs: number) {
    super();
    this.branch1x1 = conv(inputs, 320);
    this.branch3x3_1 = conv(inputs, 384);
    this.branch3x3dbl_1 = conv(inputs, 448);
    this.branch_pool = conv(inputs, 192);
  }

  forward(x: Tensor): Tensor {
    const single = this.branch3x3_1.call(x);
    const double = through(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    const branches = [
      this.branch1x1.call(x),
      ...[this.branch3x3_2a.call(single), this.branch3x3_2b.call(single)],
      ...[this.branch3x3dbl_3a.call(double), this.branch3x3dbl_3b.call(double)],
      this.branch_pool.call(blurred(x)),
    ];
    return cat(branches, 1);
  }
}

/** The auxiliary head: (N, C, H, W), H and W at least 17, -> logits (N, num_classes). */
export class InceptionAux extends Module {
  readonly conv0: BasicConv2d;
  readonly conv1 = new BasicConv2d({ in_channels: 128, out_channels: 768, kernel_size: 5 });
  readonly fc: Linear;

  constructor(inputs: number, num_classes: number) {
    super();
    this.conv0 = conv(inputs, 128);
    this.fc = new Linear({ in_features: 768, out_features: num_classes });
  }

  forward(x: Tensor): Tensor {
    const pooled = avgPool2d(x, { kernel_size: 5, stride: 3 });
    return this.fc.call(this.conv1.call(this.conv0.call(pooled)).mean([2, 3]));
  }
}
