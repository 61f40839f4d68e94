/**
 * Inception v3 with torchvision's name and state_dict keys.
 * Szegedy et al. 2015, https://arxiv.org/abs/1512.00567;
 * https://pytorch.org/vision/stable/models/inception.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Dropout } from '../nn/dropout.ts';
import { truncNormal_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import {
  InceptionA,
  InceptionAux,
  InceptionB,
  InceptionC,
  InceptionD,
  InceptionE,
} from './inception-blocks.ts';
import { BasicConv2d, inceptionOptions, toInceptionInput, weighted } from './inception-parts.ts';
import { registerModel } from './torchvision.ts';

const options = strict({
  ...inceptionOptions,
  dropout: schemas.probability.default(0.5).describe('Before the linear layer.'),
});

export type Inception3Options = z.input<typeof options>;

const pool = () => new MaxPool2d({ kernel_size: 3, stride: 2 });

function conv(in_channels: number, out_channels: number, kernel_size: number, window = {}) {
  return new BasicConv2d({ in_channels, out_channels, kernel_size, ...window });
}

/** In training with the auxiliary head: logits, and those of the head. */
export type InceptionOutputs = [logits: Tensor, aux_logits: Tensor];

/**
 * (N, 3, H, W) -> logits (N, num_classes), or `InceptionOutputs`. H and W are at least 75, and 299
 * in training with the auxiliary head.
 */
export class Inception3 extends Module<[input: Tensor], Tensor | InceptionOutputs> {
  readonly transform_input: boolean;
  readonly Conv2d_1a_3x3 = conv(3, 32, 3, { stride: 2 });
  readonly Conv2d_2a_3x3 = conv(32, 32, 3);
  readonly Conv2d_2b_3x3 = conv(32, 64, 3, { padding: 1 });
  readonly maxpool1 = pool();
  readonly Conv2d_3b_1x1 = conv(64, 80, 1);
  readonly Conv2d_4a_3x3 = conv(80, 192, 3);
  readonly maxpool2 = pool();
  readonly Mixed_5b = new InceptionA(192, 32);
  readonly Mixed_5c = new InceptionA(256, 64);
  readonly Mixed_5d = new InceptionA(288, 64);
  readonly Mixed_6a = new InceptionB(288);
  readonly Mixed_6b = new InceptionC(768, 128);
  readonly Mixed_6c = new InceptionC(768, 160);
  readonly Mixed_6d = new InceptionC(768, 160);
  readonly Mixed_6e = new InceptionC(768, 192);
  readonly AuxLogits: InceptionAux | null;
  readonly Mixed_7a = new InceptionD(768);
  readonly Mixed_7b = new InceptionE(1280);
  readonly Mixed_7c = new InceptionE(2048);
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(given: Inception3Options = {}) {
    super();
    const parsed = parseOptions('Inception3', options, given);
    const { num_classes, aux_logits, init_weights } = parsed;
    this.transform_input = parsed.transform_input;
    this.AuxLogits = aux_logits ? new InceptionAux(768, num_classes) : null;
    this.dropout = new Dropout({ p: parsed.dropout });
    this.fc = new Linear({ in_features: 2048, out_features: num_classes });
    if (!init_weights) return;
    for (const layer of weighted(this)) {
      truncNormal_(layer.weight, { std: layer === this.AuxLogits?.fc ? 0.001 : 0.1 });
    }
  }

  forward(input: Tensor): Tensor | InceptionOutputs {
    const x = this.transform_input ? toInceptionInput(input) : input;
    const middle = [
      ...[this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3, this.maxpool1],
      ...[this.Conv2d_3b_1x1, this.Conv2d_4a_3x3, this.maxpool2],
      ...[this.Mixed_5b, this.Mixed_5c, this.Mixed_5d],
      ...[this.Mixed_6a, this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e],
    ].reduce((features, layer) => layer.call(features), x);
    const features = [this.Mixed_7a, this.Mixed_7b, this.Mixed_7c].reduce(
      (value, layer) => layer.call(value),
      middle,
    );
    const pooled = this.dropout.call(this.avgpool.call(features).flatten(1));
    const logits = this.fc.call(pooled);
    if (!this.training || this.AuxLogits === null) return logits;
    return [logits, this.AuxLogits.call(middle)];
  }
}

export const inception_v3 = (given?: Inception3Options) => new Inception3(given);

registerModel('inception_v3', options, inception_v3);
