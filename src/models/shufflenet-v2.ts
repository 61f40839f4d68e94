/**
 * ShuffleNet V2 with torchvision's names and state_dict keys.
 * Ma et al. 2018, https://arxiv.org/abs/1807.11164;
 * https://pytorch.org/vision/stable/models/shufflenetv2.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { channelShuffle } from '../nn/functional/shuffle.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { MaxPool2d } from '../nn/pooling.ts';
import { Conv2dNormActivation } from '../nn/vision-blocks.ts';
import { cat } from '../ops/joining.ts';
import { modelFamily, numClasses } from './torchvision.ts';

const options = strict({ num_classes: numClasses });

export type ShuffleNetV2Options = z.input<typeof options>;

/** Channels of the stem, of the three stages, and of the last convolution. */
export type ShuffleNetV2Design = readonly [number, number, number, number, number];

/** Blocks of each stage. */
const REPEATS = [4, 8, 4] as const;

/** A 1x1 convolution, batch norm and ReLU. */
function pointwise(in_channels: number, out_channels: number): Module[] {
  return [
    new Conv2d({ in_channels, out_channels, kernel_size: 1, bias: false }),
    new BatchNorm2d({ num_features: out_channels }),
    new ReLU(),
  ];
}

/** A 3x3 filter of each channel and batch norm. */
function depthwise(channels: number, stride: number): Module[] {
  const sizes = { in_channels: channels, out_channels: channels, groups: channels };
  return [
    new Conv2d({ ...sizes, kernel_size: 3, stride, padding: 1, bias: false }),
    new BatchNorm2d({ num_features: channels }),
  ];
}

/**
 * Two branches side by side, whose channels are then mixed. With stride 1 the first branch is half
 * of the input as it is.
 */
class InvertedResidual extends Module {
  readonly branch1: Sequential;
  readonly branch2: Sequential;
  readonly #halves: boolean;

  constructor(inputs: number, outputs: number, stride: 1 | 2) {
    super();
    const width = outputs / 2;
    this.#halves = stride === 1;
    this.branch1 = new Sequential(
      this.#halves ? [] : [...depthwise(inputs, stride), ...pointwise(inputs, width)],
    );
    this.branch2 = new Sequential([
      ...pointwise(this.#halves ? width : inputs, width),
      ...depthwise(width, stride),
      ...pointwise(width, width),
    ]);
  }

  forward(x: Tensor): Tensor {
    const [first, second] = this.#halves ? (x.chunk(2, 1) as [Tensor, Tensor]) : [x, x];
    return channelShuffle(cat([this.branch1.call(first), this.branch2.call(second)], 1), 2);
  }
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class ShuffleNetV2 extends Module {
  readonly conv1: Sequential;
  readonly maxpool = new MaxPool2d({ kernel_size: 3, stride: 2, padding: 1 });
  readonly stage2: Sequential;
  readonly stage3: Sequential;
  readonly stage4: Sequential;
  readonly conv5: Sequential;
  readonly fc: Linear;

  constructor(design: ShuffleNetV2Design, given: ShuffleNetV2Options = {}) {
    super();
    const { num_classes } = parseOptions('ShuffleNetV2', options, given);
    const [stem, , , width, last] = design;
    this.conv1 = new Conv2dNormActivation({ in_channels: 3, out_channels: stem, stride: 2 });
    [this.stage2, this.stage3, this.stage4] = stagesOf(design);
    this.conv5 = new Sequential(pointwise(width, last));
    this.fc = new Linear({ in_features: last, out_features: num_classes });
  }

  forward(x: Tensor): Tensor {
    let features = this.maxpool.call(this.conv1.call(x));
    for (const stage of [this.stage2, this.stage3, this.stage4, this.conv5]) {
      features = stage.call(features);
    }
    return this.fc.call(features.mean([2, 3]));
  }
}

/** Each halves height and width, and widens. */
function stagesOf(design: ShuffleNetV2Design): [Sequential, Sequential, Sequential] {
  const stages = REPEATS.map((count, i) => {
    const [inputs, outputs] = design.slice(i) as [number, number];
    const others = Array.from(
      { length: count - 1 },
      () => new InvertedResidual(outputs, outputs, 1),
    );
    return new Sequential([new InvertedResidual(inputs, outputs, 2), ...others]);
  });
  return stages as [Sequential, Sequential, Sequential];
}

const DESIGNS = {
  shufflenet_v2_x0_5: [24, 48, 96, 192, 1024],
  shufflenet_v2_x1_0: [24, 116, 232, 464, 1024],
  shufflenet_v2_x1_5: [24, 176, 352, 704, 1024],
  shufflenet_v2_x2_0: [24, 244, 488, 976, 2048],
} as const satisfies Record<string, ShuffleNetV2Design>;

export const { shufflenet_v2_x0_5, shufflenet_v2_x1_0, shufflenet_v2_x1_5, shufflenet_v2_x2_0 } =
  modelFamily(
    DESIGNS,
    () => options,
    (design: ShuffleNetV2Design, given) => new ShuffleNetV2(design, given),
  );
