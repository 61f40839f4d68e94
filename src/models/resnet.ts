/**
 * Residual networks with torchvision's names and state_dict keys.
 * He et al. 2015, https://arxiv.org/abs/1512.03385;
 * https://pytorch.org/vision/stable/models/resnet.html
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { kaimingNormal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { relu } from '../ops/pointwise.ts';
import { modelFamily, numClasses } from './torchvision.ts';

/** What a block is made for. */
export interface BlockOptions {
  readonly inplanes: number;
  /** Channels of the narrow part; the block gives `planes * expansion`. */
  readonly planes: number;
  readonly stride: number;
  readonly groups: number;
  readonly base_width: number;
}

/** A block's class: where it is used `expansion` says how wide its output is. */
export interface BlockType {
  readonly expansion: number;
  new (options: BlockOptions): Module & { lastNorm(): BatchNorm2d };
}

function conv3x3(in_channels: number, out_channels: number, stride = 1, groups = 1): Conv2d {
  const window = { kernel_size: 3, stride, padding: 1, groups, bias: false };
  return new Conv2d({ in_channels, out_channels, ...window });
}

function conv1x1(in_channels: number, out_channels: number, stride = 1): Conv2d {
  return new Conv2d({ in_channels, out_channels, kernel_size: 1, stride, bias: false });
}

const norm = (num_features: number) => new BatchNorm2d({ num_features });

/** What brings the block's input to the shape of its output; null where it has that already. */
function shortcut({ inplanes, stride }: BlockOptions, outplanes: number): Sequential | null {
  if (stride === 1 && inplanes === outplanes) return null;
  return new Sequential([conv1x1(inplanes, outplanes, stride), norm(outplanes)]);
}

/** Two 3x3 convolutions. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(options: BlockOptions) {
    super();
    const { inplanes, planes, stride } = options;
    this.conv1 = conv3x3(inplanes, planes, stride);
    this.bn1 = norm(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = norm(planes);
    this.downsample = shortcut(options, planes);
  }

  lastNorm(): BatchNorm2d {
    return this.bn2;
  }

  forward(x: Tensor): Tensor {
    const identity = this.downsample?.call(x) ?? x;
    const hidden = relu(this.bn1.call(this.conv1.call(x)));
    return relu(this.bn2.call(this.conv2.call(hidden)).add(identity));
  }
}

/** A 3x3 convolution between two of 1x1, with the stride in the middle, as torchvision has it. */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(options: BlockOptions) {
    super();
    const { inplanes, planes, stride, groups, base_width } = options;
    const width = Math.floor((planes * base_width) / 64) * groups;
    const outplanes = planes * Bottleneck.expansion;
    this.conv1 = conv1x1(inplanes, width);
    this.bn1 = norm(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = norm(width);
    this.conv3 = conv1x1(width, outplanes);
    this.bn3 = norm(outplanes);
    this.downsample = shortcut(options, outplanes);
  }

  lastNorm(): BatchNorm2d {
    return this.bn3;
  }

  forward(x: Tensor): Tensor {
    const identity = this.downsample?.call(x) ?? x;
    const narrow = relu(this.bn1.call(this.conv1.call(x)));
    const hidden = relu(this.bn2.call(this.conv2.call(narrow)));
    return relu(this.bn3.call(this.conv3.call(hidden)).add(identity));
  }
}

const options = strict({
  num_classes: numClasses,
  zero_init_residual: z
    .boolean()
    .default(false)
    .describe('Starts every block as the identity: the scale of its last normalisation is 0.'),
  stem: z
    .enum(['imagenet', 'cifar'])
    .default('imagenet')
    .describe(
      '`imagenet`: 7x7 with stride 2, then max-pooling; `cifar`: 3x3 with stride 1, for small ' +
        'images.',
    ),
});

export type ResNetOptions = z.input<typeof options>;

/** The kind of blocks, how many of them each of the four stages has, and how wide they are. */
export interface ResNetDesign {
  readonly block: BlockType;
  readonly layers: readonly [number, number, number, number];
  readonly groups?: number;
  readonly width_per_group?: number;
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = norm(64);
  readonly maxpool: MaxPool2d | null;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly fc: Linear;

  constructor(design: ResNetDesign, given: ResNetOptions = {}) {
    super();
    const { num_classes, zero_init_residual, stem } = parseOptions('ResNet', options, given);
    const cifar = stem === 'cifar';
    const window = cifar
      ? { kernel_size: 3, stride: 1, padding: 1 }
      : { kernel_size: 7, stride: 2, padding: 3 };
    this.conv1 = new Conv2d({ in_channels: 3, out_channels: 64, bias: false, ...window });
    this.maxpool = cifar ? null : new MaxPool2d({ kernel_size: 3, stride: 2, padding: 1 });
    [this.layer1, this.layer2, this.layer3, this.layer4] = stages(design);
    this.fc = new Linear({
      in_features: 512 * design.block.expansion,
      out_features: num_classes,
    });
    this.#initialize(zero_init_residual);
  }

  #initialize(zero_init_residual: boolean): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        kaimingNormal_(module.weight, { mode: 'fan_out', nonlinearity: 'relu' });
      } else if (zero_init_residual && 'lastNorm' in module) {
        zeros_((module as InstanceType<BlockType>).lastNorm().weight!);
      }
    }
  }

  forward(x: Tensor): Tensor {
    const stem = relu(this.bn1.call(this.conv1.call(x)));
    let features = this.maxpool?.call(stem) ?? stem;
    for (const stage of [this.layer1, this.layer2, this.layer3, this.layer4]) {
      features = stage.call(features);
    }
    return this.fc.call(this.avgpool.call(features).flatten(1));
  }
}

/** The four stages: each but the first begins by halving the image, and is twice as wide. */
function stages(design: ResNetDesign): [Sequential, Sequential, Sequential, Sequential] {
  const { block: Block, layers, groups = 1, width_per_group: base_width = 64 } = design;
  let inplanes = 64;
  const made = layers.map((count, stage) => {
    const planes = 64 << stage;
    const blocks = Array.from({ length: count }, (_, i) => {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const block = new Block({ inplanes, planes, stride, groups, base_width });
      inplanes = planes * Block.expansion;
      return block;
    });
    return new Sequential(blocks);
  });
  return made as [Sequential, Sequential, Sequential, Sequential];
}

const DESIGNS = {
  resnet18: { block: BasicBlock, layers: [2, 2, 2, 2] },
  resnet34: { block: BasicBlock, layers: [3, 4, 6, 3] },
  resnet50: { block: Bottleneck, layers: [3, 4, 6, 3] },
  resnet101: { block: Bottleneck, layers: [3, 4, 23, 3] },
  resnet152: { block: Bottleneck, layers: [3, 8, 36, 3] },
  resnext50_32x4d: { block: Bottleneck, layers: [3, 4, 6, 3], groups: 32, width_per_group: 4 },
  resnext101_32x8d: { block: Bottleneck, layers: [3, 4, 23, 3], groups: 32, width_per_group: 8 },
  resnext101_64x4d: { block: Bottleneck, layers: [3, 4, 23, 3], groups: 64, width_per_group: 4 },
  wide_resnet50_2: { block: Bottleneck, layers: [3, 4, 6, 3], width_per_group: 128 },
  wide_resnet101_2: { block: Bottleneck, layers: [3, 4, 23, 3], width_per_group: 128 },
} as const satisfies Record<string, ResNetDesign>;

export const {
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  resnext101_32x8d,
  resnext101_64x4d,
  wide_resnet50_2,
  wide_resnet101_2,
} = modelFamily(
  DESIGNS,
  () => options,
  (design: ResNetDesign, given) => new ResNet(design, given),
);
