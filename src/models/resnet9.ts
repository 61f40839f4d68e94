/**
 * ResNet-9, the fast network for CIFAR-10 of David Page's "How to train your ResNet" (myrtle.ai,
 * 2018), with the state_dict keys of his code: about 6.5 million parameters.
 * https://github.com/davidcpage/cifar10-fast/blob/master/dawn.py
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Conv2d } from '../nn/conv.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveMaxPool2d, MaxPool2d } from '../nn/pooling.ts';
import { modules, schemas } from '../nn/registry.ts';
import { relu } from '../ops/pointwise.ts';

const options = strict({
  num_classes: schemas.size.default(10).describe('Logits a sample.'),
  in_channels: schemas.size.default(3).describe('Channels of the images.'),
  scale: z.number().default(0.125).describe('What the logits are multiplied by.'),
});

export type ResNet9Options = z.input<typeof options>;

const conv = (in_channels: number, out_channels: number) =>
  new Conv2d({ in_channels, out_channels, kernel_size: 3, padding: 1, bias: false });
const norm = (num_features: number) => new BatchNorm2d({ num_features });

/** (N, in_channels, H, W) -> logits (N, num_classes); H and W are at least 8, 32 in CIFAR-10. */
export class ResNet9 extends Module {
  readonly prep_conv: Conv2d;
  readonly prep_bn = norm(64);
  readonly layer1_conv = conv(64, 128);
  readonly layer1_bn = norm(128);
  readonly layer1_residual_res1_conv = conv(128, 128);
  readonly layer1_residual_res1_bn = norm(128);
  readonly layer1_residual_res2_conv = conv(128, 128);
  readonly layer1_residual_res2_bn = norm(128);
  readonly layer2_conv = conv(128, 256);
  readonly layer2_bn = norm(256);
  readonly layer3_conv = conv(256, 512);
  readonly layer3_bn = norm(512);
  readonly layer3_residual_res1_conv = conv(512, 512);
  readonly layer3_residual_res1_bn = norm(512);
  readonly layer3_residual_res2_conv = conv(512, 512);
  readonly layer3_residual_res2_bn = norm(512);
  readonly linear: Linear;
  readonly #halve = new MaxPool2d({ kernel_size: 2 });
  /** In CIFAR-10 the window of 4 x 4 of the original. */
  readonly #pool = new AdaptiveMaxPool2d({ output_size: 1 });
  readonly #scale: number;

  constructor(given: ResNet9Options = {}) {
    super();
    const { num_classes, in_channels, scale } = parseOptions('ResNet9', options, given);
    this.prep_conv = conv(in_channels, 64);
    this.linear = new Linear({ in_features: 512, out_features: num_classes, bias: false });
    this.#scale = scale;
  }

  forward(x: Tensor): Tensor {
    const layer = (conv: Conv2d, bn: BatchNorm2d, input: Tensor) => relu(bn.call(conv.call(input)));
    const halved = (conv: Conv2d, bn: BatchNorm2d, input: Tensor) =>
      this.#halve.call(layer(conv, bn, input));
    const prep = layer(this.prep_conv, this.prep_bn, x);
    const layer1 = halved(this.layer1_conv, this.layer1_bn, prep);
    const inner1 = layer(this.layer1_residual_res1_conv, this.layer1_residual_res1_bn, layer1);
    const sum1 = layer(this.layer1_residual_res2_conv, this.layer1_residual_res2_bn, inner1).add(
      layer1,
    );
    const layer2 = halved(this.layer2_conv, this.layer2_bn, sum1);
    const layer3 = halved(this.layer3_conv, this.layer3_bn, layer2);
    const inner3 = layer(this.layer3_residual_res1_conv, this.layer3_residual_res1_bn, layer3);
    const sum3 = layer(this.layer3_residual_res2_conv, this.layer3_residual_res2_bn, inner3).add(
      layer3,
    );
    return this.linear.call(this.#pool.call(sum3).flatten(1)).mul(this.#scale);
  }
}

export const resnet9 = (given?: ResNet9Options) => new ResNet9(given);

modules.register('resnet9', {
  schema: options,
  summary: 'The fast ResNet-9 for CIFAR-10 of David Page.',
  page: 'https://github.com/davidcpage/cifar10-fast',
  create: resnet9,
});
