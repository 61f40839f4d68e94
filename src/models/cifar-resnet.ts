/**
 * The residual networks for CIFAR-10 of He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385,
 * with the state_dict keys and the initialisation of
 * https://github.com/akamaster/pytorch_resnet_cifar10
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { kaimingNormal_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { modules, schemas } from '../nn/registry.ts';
import { pad } from '../ops/padding.ts';
import { relu } from '../ops/pointwise.ts';
import { slice } from '../ops/slicing.ts';

const options = strict({
  num_classes: schemas.size.default(10).describe('Logits a sample.'),
  option: z
    .enum(['A', 'B'])
    .default('A')
    .describe(
      'What a shortcut does where the shape changes. A: every second pixel, zeros as the new ' +
        'channels; B: a 1x1 convolution.',
    ),
});

export type CifarResNetOptions = z.input<typeof options>;
type ShortcutOption = z.output<typeof options>['option'];

function conv3x3(in_channels: number, out_channels: number, stride = 1): Conv2d {
  const window = { kernel_size: 3, stride, padding: 1, bias: false };
  return new Conv2d({ in_channels, out_channels, ...window });
}

const norm = (num_features: number) => new BatchNorm2d({ num_features });

/** Every second pixel of (N, C, H, W), between channels of zeros: (N, 2 C, H / 2, W / 2). */
class ZeroPaddedShortcut extends Module {
  forward(x: Tensor): Tensor {
    const half = Math.floor(x.shape[1]! / 2);
    const [height, width] = x.shape.slice(2) as [number, number];
    const thinned = slice(slice(x, 2, 0, height, 2), 3, 0, width, 2);
    return pad(thinned, [0, 0, 0, 0, half, half]);
  }
}

interface BlockOptions {
  readonly inplanes: number;
  readonly planes: number;
  readonly stride: number;
  readonly option: ShortcutOption;
}

/** Two 3x3 convolutions. */
class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Module;

  constructor({ inplanes, planes, stride, option }: BlockOptions) {
    super();
    this.conv1 = conv3x3(inplanes, planes, stride);
    this.bn1 = norm(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = norm(planes);
    if (inplanes === planes) this.shortcut = new Sequential();
    else if (option === 'A') this.shortcut = new ZeroPaddedShortcut();
    else {
      const window = { kernel_size: 1, stride, bias: false };
      const projection = new Conv2d({ in_channels: inplanes, out_channels: planes, ...window });
      this.shortcut = new Sequential([projection, norm(planes)]);
    }
  }

  forward(x: Tensor): Tensor {
    const hidden = relu(this.bn1.call(this.conv1.call(x)));
    return relu(this.bn2.call(this.conv2.call(hidden)).add(this.shortcut.call(x)));
  }
}

/** `count` blocks, the first of which changes the shape where the stage is wider. */
function stage(inplanes: number, planes: number, count: number, option: ShortcutOption) {
  const stride = inplanes === planes ? 1 : 2;
  const blocks = Array.from({ length: count }, (_, i) =>
    i === 0
      ? new Block({ inplanes, planes, stride, option })
      : new Block({ inplanes: planes, planes, stride: 1, option }),
  );
  return new Sequential(blocks);
}

/** (N, 3, H, W) -> logits (N, num_classes): 6 `blocks` + 2 layers in three stages of 16, 32, 64. */
export class CifarResNet extends Module {
  readonly conv1 = conv3x3(3, 16);
  readonly bn1 = norm(16);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly linear: Linear;

  /** @param blocks of each stage. */
  constructor(blocks: number, given: CifarResNetOptions = {}) {
    super();
    const { num_classes, option } = parseOptions('CifarResNet', options, given);
    this.layer1 = stage(16, 16, blocks, option);
    this.layer2 = stage(16, 32, blocks, option);
    this.layer3 = stage(32, 64, blocks, option);
    this.linear = new Linear({ in_features: 64, out_features: num_classes });
    for (const module of this.modules()) {
      if (module instanceof Conv2d || module instanceof Linear) kaimingNormal_(module.weight);
    }
  }

  forward(x: Tensor): Tensor {
    let features = relu(this.bn1.call(this.conv1.call(x)));
    for (const stage of [this.layer1, this.layer2, this.layer3]) features = stage.call(features);
    return this.linear.call(features.mean([2, 3]));
  }
}

/** A maker of the network with `layers` layers that have weights, and its registration. */
function cifarResNet(layers: number): (given?: CifarResNetOptions) => CifarResNet {
  const make = (given?: CifarResNetOptions) => new CifarResNet((layers - 2) / 6, given);
  modules.register(`resnet${layers}`, {
    schema: options,
    summary: `The residual network of ${layers} layers for CIFAR-10.`,
    page: 'https://github.com/akamaster/pytorch_resnet_cifar10',
    create: make,
  });
  return make;
}

export const resnet20 = cifarResNet(20);
export const resnet32 = cifarResNet(32);
export const resnet44 = cifarResNet(44);
export const resnet56 = cifarResNet(56);
export const resnet110 = cifarResNet(110);
