/**
 * AlexNet with torchvision's name and state_dict keys.
 * Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks,
 * https://arxiv.org/abs/1404.5997; https://pytorch.org/vision/stable/models/alexnet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { numClasses, registerModel } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  dropout: schemas.probability.default(0.5).describe('Before the linear layers.'),
});

export type AlexNetOptions = z.input<typeof options>;

const pool = () => new MaxPool2d({ kernel_size: 3, stride: 2 });

function convolution(in_channels: number, out_channels: number, kernel_size: number): Conv2d {
  const padding = Math.floor(kernel_size / 2);
  return new Conv2d({ in_channels, out_channels, kernel_size, padding });
}

/** (N, 3, H, W) -> logits (N, num_classes); H and W are at least 63. */
export class AlexNet extends Module {
  readonly features = new Sequential([
    new Conv2d({ in_channels: 3, out_channels: 64, kernel_size: 11, stride: 4, padding: 2 }),
    new ReLU(),
    pool(),
    convolution(64, 192, 5),
    new ReLU(),
    pool(),
    convolution(192, 384, 3),
    new ReLU(),
    convolution(384, 256, 3),
    new ReLU(),
    convolution(256, 256, 3),
    new ReLU(),
    pool(),
  ]);
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 6 });
  readonly classifier: Sequential;

  constructor(given: AlexNetOptions = {}) {
    super();
    const { num_classes, dropout: p } = parseOptions('AlexNet', options, given);
    this.classifier = new Sequential([
      new Dropout({ p }),
      new Linear({ in_features: 256 * 6 * 6, out_features: 4096 }),
      new ReLU(),
      new Dropout({ p }),
      new Linear({ in_features: 4096, out_features: 4096 }),
      new ReLU(),
      new Linear({ in_features: 4096, out_features: num_classes }),
    ]);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.avgpool.call(this.features.call(x)).flatten(1));
  }
}

export const alexnet = (given?: AlexNetOptions) => new AlexNet(given);

registerModel('alexnet', options, alexnet);
