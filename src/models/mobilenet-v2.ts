/**
 * MobileNet V2 with torchvision's name and state_dict keys.
 * Sandler et al. 2018, https://arxiv.org/abs/1801.04381;
 * https://pytorch.org/vision/stable/models/mobilenetv2.html
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU6 } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingNormal_, normal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { schemas } from '../nn/registry.ts';
import { Conv2dNormActivation, type Conv2dNormActivationOptions } from '../nn/vision-blocks.ts';
import { makeDivisible, numClasses, registerModel } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  width_mult: z.number().positive().default(1).describe('Scales the channels of every layer.'),
  dropout: schemas.probability.default(0.2).describe('Before the linear layer.'),
});

export type MobileNetV2Options = z.input<typeof options>;

const layer = (options: Conv2dNormActivationOptions) =>
  new Conv2dNormActivation({ ...options, activation_layer: () => new ReLU6() });

/** Widens, filters each channel on its own, narrows; added to its input where shapes agree. */
class InvertedResidual extends Module {
  readonly conv: Sequential;
  readonly #isResidual: boolean;

  constructor(inputs: number, outputs: number, stride: number, expand_ratio: number) {
    super();
    const hidden = Math.round(inputs * expand_ratio);
    const widening =
      expand_ratio === 1
        ? []
        : [layer({ in_channels: inputs, out_channels: hidden, kernel_size: 1 })];
    this.conv = new Sequential([
      ...widening,
      layer({ in_channels: hidden, out_channels: hidden, stride, groups: hidden }),
      new Conv2d({ in_channels: hidden, out_channels: outputs, kernel_size: 1, bias: false }),
      new BatchNorm2d({ num_features: outputs }),
    ]);
    this.#isResidual = stride === 1 && inputs === outputs;
  }

  forward(x: Tensor): Tensor {
    const change = this.conv.call(x);
    return this.#isResidual ? x.add(change) : change;
  }
}

/** Blocks of one width: how much they widen, their channels, their number, the first's stride. */
const STAGES = [
  { t: 1, c: 16, n: 1, s: 1 },
  { t: 6, c: 24, n: 2, s: 2 },
  { t: 6, c: 32, n: 3, s: 2 },
  { t: 6, c: 64, n: 4, s: 2 },
  { t: 6, c: 96, n: 3, s: 1 },
  { t: 6, c: 160, n: 3, s: 2 },
  { t: 6, c: 320, n: 1, s: 1 },
] as const;

/** (N, 3, H, W) -> logits (N, num_classes). */
export class MobileNetV2 extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(given: MobileNetV2Options = {}) {
    super();
    const { num_classes, width_mult, dropout: p } = parseOptions('MobileNetV2', options, given);
    let inputs = makeDivisible(32 * width_mult);
    const layers: Module[] = [layer({ in_channels: 3, out_channels: inputs, stride: 2 })];
    for (const { t, c, n, s } of STAGES) {
      const outputs = makeDivisible(c * width_mult);
      for (let i = 0; i < n; i++) {
        layers.push(new InvertedResidual(inputs, outputs, i === 0 ? s : 1, t));
        inputs = outputs;
      }
    }
    const last = makeDivisible(1280 * Math.max(1, width_mult));
    layers.push(layer({ in_channels: inputs, out_channels: last, kernel_size: 1 }));
    this.features = new Sequential(layers);
    const linear = new Linear({ in_features: last, out_features: num_classes });
    this.classifier = new Sequential([new Dropout({ p }), linear]);
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: 'fan_out' });
      else if (module instanceof Linear) {
        normal_(module.weight, 0, 0.01);
        zeros_(module.bias!);
      }
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x).mean([2, 3]));
  }
}

export const mobilenet_v2 = (given?: MobileNetV2Options) => new MobileNetV2(given);

registerModel('mobilenet_v2', options, mobilenet_v2);
