/**
 * DenseNet with torchvision's names and state_dict keys.
 * Huang et al. 2016, https://arxiv.org/abs/1608.06993;
 * https://pytorch.org/vision/stable/models/densenet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { dropout } from '../nn/functional/dropout.ts';
import { kaimingNormal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { cat } from '../ops/joining.ts';
import { relu } from '../ops/pointwise.ts';
import { acceptOldKeys, modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  drop_rate: schemas.probability.default(0).describe('Dropout behind every layer.'),
});

export type DenseNetOptions = z.input<typeof options>;

interface Design {
  /** Channels that each layer adds. */
  readonly growth_rate: number;
  /** Layers of each block. */
  readonly blocks: readonly number[];
  readonly num_init_features: number;
}

/** The narrow part of a layer has this many times the channels it adds. */
const BN_SIZE = 4;

const norm = (num_features: number) => new BatchNorm2d({ num_features });

class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly relu1 = new ReLU();
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly relu2 = new ReLU();
  readonly conv2: Conv2d;

  constructor(
    in_channels: number,
    growth: number,
    readonly drop_rate: number,
  ) {
    super();
    const narrow = BN_SIZE * growth;
    this.norm1 = norm(in_channels);
    this.conv1 = new Conv2d({ in_channels, out_channels: narrow, kernel_size: 1, bias: false });
    this.norm2 = norm(narrow);
    const window = { kernel_size: 3, padding: 1, bias: false };
    this.conv2 = new Conv2d({ in_channels: narrow, out_channels: growth, ...window });
  }

  forward(x: Tensor): Tensor {
    const narrow = this.conv1.call(this.relu1.call(this.norm1.call(x)));
    const added = this.conv2.call(this.relu2.call(this.norm2.call(narrow)));
    if (this.drop_rate === 0) return added;
    return dropout(added, { p: this.drop_rate, training: this.training });
  }
}

/** Each layer sees what all before it gave. */
class DenseBlock extends Module {
  readonly #layers: [string, DenseLayer][];

  constructor(count: number, inputs: number, growth: number, drop_rate: number) {
    super();
    this.#layers = Array.from({ length: count }, (_, i) => [
      `denselayer${i + 1}`,
      new DenseLayer(inputs + i * growth, growth, drop_rate),
    ]);
  }

  override namedChildren(): [string, DenseLayer][] {
    return this.#layers;
  }

  forward(x: Tensor): Tensor {
    const features = [x];
    for (const [, layer] of this.#layers) features.push(layer.call(cat(features, 1)));
    return cat(features, 1);
  }
}

/** Halves channels, height and width. */
function transition(in_channels: number): Sequential {
  const out_channels = Math.floor(in_channels / 2);
  return new Sequential(
    new Map<string, Module>([
      ['norm', norm(in_channels)],
      ['relu', new ReLU()],
      ['conv', new Conv2d({ in_channels, out_channels, kernel_size: 1, bias: false })],
      ['pool', new AvgPool2d({ kernel_size: 2, stride: 2 })],
    ]),
  );
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class DenseNet extends Module {
  readonly features: Sequential;
  readonly classifier: Linear;

  constructor(design: Design, given: DenseNetOptions = {}) {
    super();
    const { num_classes, drop_rate } = parseOptions('DenseNet', options, given);
    const { layers, width } = featuresOf(design, drop_rate);
    this.features = new Sequential(layers);
    this.classifier = new Linear({ in_features: width, out_features: num_classes });
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight);
    }
    zeros_(this.classifier.bias!);
    acceptOldKeys(this, (key) => key.replace(/(\.denselayer\d+\.(?:norm|conv))\.([12]\.)/, '$1$2'));
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(relu(this.features.call(x)).mean([2, 3]));
  }
}

function featuresOf({ growth_rate, blocks, num_init_features }: Design, drop_rate: number) {
  const stem = { kernel_size: 7, stride: 2, padding: 3, bias: false };
  const layers = new Map<string, Module>([
    ['conv0', new Conv2d({ in_channels: 3, out_channels: num_init_features, ...stem })],
    ['norm0', norm(num_init_features)],
    ['relu0', new ReLU()],
    ['pool0', new MaxPool2d({ kernel_size: 3, stride: 2, padding: 1 })],
  ]);
  let width = num_init_features;
  for (const [i, count] of blocks.entries()) {
    layers.set(`denseblock${i + 1}`, new DenseBlock(count, width, growth_rate, drop_rate));
    width += count * growth_rate;
    if (i === blocks.length - 1) continue;
    layers.set(`transition${i + 1}`, transition(width));
    width = Math.floor(width / 2);
  }
  layers.set('norm5', norm(width));
  return { layers, width };
}

const DESIGNS = {
  densenet121: { growth_rate: 32, blocks: [6, 12, 24, 16], num_init_features: 64 },
  densenet161: { growth_rate: 48, blocks: [6, 12, 36, 24], num_init_features: 96 },
  densenet169: { growth_rate: 32, blocks: [6, 12, 32, 32], num_init_features: 64 },
  densenet201: { growth_rate: 32, blocks: [6, 12, 48, 32], num_init_features: 64 },
} as const satisfies Record<string, Design>;

export const { densenet121, densenet161, densenet169, densenet201 } = modelFamily(
  DESIGNS,
  () => options,
  (design: Design, given) => new DenseNet(design, given),
);
