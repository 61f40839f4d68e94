/**
 * GoogLeNet (Inception v1 with batch norm) with torchvision's name and state_dict keys.
 * Szegedy et al. 2014, https://arxiv.org/abs/1409.4842;
 * https://pytorch.org/vision/stable/models/googlenet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Sequential } from '../nn/container.ts';
import { Dropout } from '../nn/dropout.ts';
import { truncNormal_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { adaptiveAvgPool2d } from '../ops/avg-pooling.ts';
import { cat } from '../ops/joining.ts';
import { relu } from '../ops/pointwise.ts';
import { BasicConv2d, inceptionOptions, toInceptionInput, weighted } from './inception-parts.ts';
import { registerModel } from './torchvision.ts';

const options = strict({
  ...inceptionOptions,
  dropout: schemas.probability.default(0.2).describe('Before the last linear layer.'),
  dropout_aux: schemas.probability
    .default(0.7)
    .describe('Before the last linear layers of the auxiliary heads.'),
});

export type GoogLeNetOptions = z.input<typeof options>;

const conv = (in_channels: number, out_channels: number, kernel_size: number, stride = 1) =>
  new BasicConv2d({
    ...{ in_channels, out_channels, kernel_size, stride, padding: Math.floor(kernel_size / 2) },
  });

const pool = (kernel_size: number, stride: number, padding = 0) =>
  new MaxPool2d({ kernel_size, stride, padding, ceil_mode: true });

/** Of each branch: channels of 1x1; before and of 3x3; before and of "5x5"; behind the pooling. */
type Widths = readonly [number, number, number, number, number, number];

/** Four branches side by side. As in torchvision, what the paper has as 5x5 is 3x3. */
class Inception extends Module {
  readonly branch1: BasicConv2d;
  readonly branch2: Sequential;
  readonly branch3: Sequential;
  readonly branch4: Sequential;

  constructor(inputs: number, [one, three_red, three, five_red, five, pooled]: Widths) {
    super();
    this.branch1 = conv(inputs, one, 1);
    this.branch2 = new Sequential([conv(inputs, three_red, 1), conv(three_red, three, 3)]);
    this.branch3 = new Sequential([conv(inputs, five_red, 1), conv(five_red, five, 3)]);
    this.branch4 = new Sequential([pool(3, 1, 1), conv(inputs, pooled, 1)]);
  }

  forward(x: Tensor): Tensor {
    const branches = [this.branch1, this.branch2, this.branch3, this.branch4];
    return cat(
      branches.map((branch) => branch.call(x)),
      1,
    );
  }
}

/** An auxiliary head: (N, C, H, W) -> logits (N, num_classes). */
class InceptionAux extends Module {
  readonly conv: BasicConv2d;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly dropout: Dropout;

  constructor(inputs: number, num_classes: number, p: number) {
    super();
    this.conv = conv(inputs, 128, 1);
    this.fc1 = new Linear({ in_features: 2048, out_features: 1024 });
    this.fc2 = new Linear({ in_features: 1024, out_features: num_classes });
    this.dropout = new Dropout({ p });
  }

  forward(x: Tensor): Tensor {
    const features = this.conv.call(adaptiveAvgPool2d(x, 4)).flatten(1);
    return this.fc2.call(this.dropout.call(relu(this.fc1.call(features))));
  }
}

/** In training with auxiliary heads: logits, those of the later head, those of the earlier one. */
export type GoogLeNetOutputs = [logits: Tensor, aux_logits2: Tensor, aux_logits1: Tensor];

/** (N, 3, H, W) -> logits (N, num_classes), or `GoogLeNetOutputs`; H and W are at least 15. */
export class GoogLeNet extends Module<[input: Tensor], Tensor | GoogLeNetOutputs> {
  readonly transform_input: boolean;
  readonly conv1 = conv(3, 64, 7, 2);
  readonly maxpool1 = pool(3, 2);
  readonly conv2 = conv(64, 64, 1);
  readonly conv3 = conv(64, 192, 3);
  readonly maxpool2 = pool(3, 2);
  readonly inception3a = new Inception(192, [64, 96, 128, 16, 32, 32]);
  readonly inception3b = new Inception(256, [128, 128, 192, 32, 96, 64]);
  readonly maxpool3 = pool(3, 2);
  readonly inception4a = new Inception(480, [192, 96, 208, 16, 48, 64]);
  readonly inception4b = new Inception(512, [160, 112, 224, 24, 64, 64]);
  readonly inception4c = new Inception(512, [128, 128, 256, 24, 64, 64]);
  readonly inception4d = new Inception(512, [112, 144, 288, 32, 64, 64]);
  readonly inception4e = new Inception(528, [256, 160, 320, 32, 128, 128]);
  readonly maxpool4 = pool(2, 2);
  readonly inception5a = new Inception(832, [256, 160, 320, 32, 128, 128]);
  readonly inception5b = new Inception(832, [384, 192, 384, 48, 128, 128]);
  readonly aux1: InceptionAux | null;
  readonly aux2: InceptionAux | null;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(given: GoogLeNetOptions = {}) {
    super();
    const parsed = parseOptions('GoogLeNet', options, given);
    const { num_classes, aux_logits, init_weights, dropout_aux } = parsed;
    this.transform_input = parsed.transform_input;
    this.aux1 = aux_logits ? new InceptionAux(512, num_classes, dropout_aux) : null;
    this.aux2 = aux_logits ? new InceptionAux(528, num_classes, dropout_aux) : null;
    this.dropout = new Dropout({ p: parsed.dropout });
    this.fc = new Linear({ in_features: 1024, out_features: num_classes });
    if (!init_weights) return;
    for (const { weight } of weighted(this)) truncNormal_(weight, { std: 0.01 });
  }

  forward(input: Tensor): Tensor | GoogLeNetOutputs {
    const x = this.transform_input ? toInceptionInput(input) : input;
    const stem = this.conv3.call(this.conv2.call(this.maxpool1.call(this.conv1.call(x))));
    const third = this.inception3b.call(this.inception3a.call(this.maxpool2.call(stem)));
    const first = this.inception4a.call(this.maxpool3.call(third));
    const second = [this.inception4b, this.inception4c, this.inception4d].reduce(
      (features, block) => block.call(features),
      first,
    );
    const fourth = this.maxpool4.call(this.inception4e.call(second));
    const features = this.inception5b.call(this.inception5a.call(fourth));
    const pooled = this.dropout.call(this.avgpool.call(features).flatten(1));
    const logits = this.fc.call(pooled);
    if (!this.training || this.aux1 === null || this.aux2 === null) return logits;
    return [logits, this.aux2.call(second), this.aux1.call(first)];
  }
}

export const googlenet = (given?: GoogLeNetOptions) => new GoogLeNet(given);

registerModel('googlenet', options, googlenet);
