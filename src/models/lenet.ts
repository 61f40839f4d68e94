/** LeNet-5 (LeCun et al. 1998), as PyTorch's tutorial writes it, with its state_dict keys. */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Conv2d } from '../nn/conv.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { MaxPool2d } from '../nn/pooling.ts';
import { modules, schemas } from '../nn/registry.ts';
import { relu } from '../ops/pointwise.ts';

const PAGE = 'https://docs.pytorch.org/tutorials/beginner/blitz/neural_networks_tutorial.html';

const options = strict({
  num_classes: schemas.size.default(10).describe('Logits a sample.'),
  in_channels: schemas.size.default(1).describe('Channels of the images.'),
  padding: schemas.pairOrZero
    .default(0)
    .describe('Of the first convolution: 0 for images of 32 x 32, 2 for the 28 x 28 of MNIST.'),
});

export type LeNet5Options = z.input<typeof options>;

/**
 * (N, in_channels, 32, 32) -> logits (N, num_classes); with a padding of 2, images of 28 x 28. Of
 * the paper's network the sigmoids are ReLUs here, the averages maxima, the last layer is linear,
 * and every map of the second convolution sees all of the first.
 * http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf;
 * https://docs.pytorch.org/tutorials/beginner/blitz/neural_networks_tutorial.html
 */
export class LeNet5 extends Module {
  readonly conv1: Conv2d;
  readonly conv2 = new Conv2d({ in_channels: 6, out_channels: 16, kernel_size: 5 });
  readonly fc1 = new Linear({ in_features: 16 * 5 * 5, out_features: 120 });
  readonly fc2 = new Linear({ in_features: 120, out_features: 84 });
  readonly fc3: Linear;
  readonly #pool = new MaxPool2d({ kernel_size: 2 });

  constructor(given: LeNet5Options = {}) {
    super();
    const { num_classes, in_channels, padding } = parseOptions('LeNet5', options, given);
    this.conv1 = new Conv2d({ in_channels, out_channels: 6, kernel_size: 5, padding });
    this.fc3 = new Linear({ in_features: 84, out_features: num_classes });
  }

  forward(x: Tensor): Tensor {
    const maps = this.#pool.call(relu(this.conv1.call(x)));
    const features = this.#pool.call(relu(this.conv2.call(maps))).flatten(1);
    return this.fc3.call(relu(this.fc2.call(relu(this.fc1.call(features)))));
  }
}

export const lenet5 = (given?: LeNet5Options) => new LeNet5(given);

modules.register('lenet5', {
  schema: options,
  summary: 'LeNet-5, for handwritten digits.',
  page: PAGE,
  create: lenet5,
});
