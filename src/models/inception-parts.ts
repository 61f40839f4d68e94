/** What GoogLeNet and Inception v3 have in common. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Conv2d, type ConvOptions } from '../nn/conv.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { tensor } from '../ops/host-data.ts';
import { relu } from '../ops/pointwise.ts';
import { numClasses } from './torchvision.ts';

export const inceptionOptions = {
  num_classes: numClasses,
  aux_logits: z
    .boolean()
    .default(true)
    .describe('Auxiliary heads: further outputs in training, for a MultiOutputLoss.'),
  transform_input: z
    .boolean()
    .default(false)
    .describe("Takes images in ImageNet's mean and deviation to 0.5 and 0.5, as Google's had."),
  init_weights: z
    .boolean()
    .default(true)
    .describe('Starts with cut-off normals; false: with what PyTorch has for every layer.'),
};

/** A convolution without bias, batch norm and ReLU. */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(options: ConvOptions) {
    super();
    this.conv = new Conv2d({ ...options, bias: false });
    this.bn = new BatchNorm2d({ num_features: options.out_channels, eps: 1e-3 });
  }

  forward(x: Tensor): Tensor {
    return relu(this.bn.call(this.conv.call(x)));
  }
}

/** The convolutions and linear layers. */
export function weighted(model: Module<[Tensor], unknown>): (Conv2d | Linear)[] {
  return model.modules().filter((module) => module instanceof Conv2d || module instanceof Linear);
}

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Images (N, 3, H, W), normalised by ImageNet's statistics, as (pixel - 0.5) / 0.5. */
export function toInceptionInput(x: Tensor): Tensor {
  if (x.ndim !== 4 || x.shape[1] !== 3) {
    const message = `needs images (N, 3, H, W), got ${formatShape(x.shape)}`;
    throw opError(ShapeError, 'transform_input', message);
  }
  const channels = (values: number[]) => tensor(values, { dtype: x.dtype }).reshape([3, 1, 1]);
  const scale = channels(DEVIATION.map((deviation) => deviation / 0.5));
  return x.mul(scale).add(channels(MEAN.map((mean) => (mean - 0.5) / 0.5)));
}
