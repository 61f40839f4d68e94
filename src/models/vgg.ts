/**
 * VGG with torchvision's names and state_dict keys.
 * Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556;
 * https://pytorch.org/vision/stable/models/vgg.html
 */

import type { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingNormal_, normal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { numClasses, registerModel } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  dropout: schemas.probability.default(0.5).describe('Between the linear layers.'),
});

export type VGGOptions = z.input<typeof options>;

/** The channels of each convolution; `pool` halves height and width. */
type Design = readonly (number | 'pool')[];

/** Of `counts` convolutions before each pooling. */
function design(counts: readonly number[]): Design {
  const widths = [64, 128, 256, 512, 512];
  return counts.flatMap((count, i) => [...Array<number>(count).fill(widths[i]!), 'pool'] as Design);
}

/** (N, 3, H, W) -> logits (N, num_classes); H and W are at least 32. */
export class VGG extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 7 });
  readonly classifier: Sequential;

  constructor(
    convolutions: Design,
    batch_norm: boolean,
    { num_classes = 1000, dropout: p = 0.5 }: VGGOptions = {},
  ) {
    super();
    this.features = featuresOf(convolutions, batch_norm);
    this.classifier = new Sequential([
      new Linear({ in_features: 512 * 7 * 7, out_features: 4096 }),
      new ReLU(),
      new Dropout({ p }),
      new Linear({ in_features: 4096, out_features: 4096 }),
      new ReLU(),
      new Dropout({ p }),
      new Linear({ in_features: 4096, out_features: num_classes }),
    ]);
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        kaimingNormal_(module.weight, { mode: 'fan_out', nonlinearity: 'relu' });
        zeros_(module.bias!);
      } else if (module instanceof Linear) {
        normal_(module.weight, 0, 0.01);
        zeros_(module.bias!);
      }
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.avgpool.call(this.features.call(x)).flatten(1));
  }
}

function featuresOf(convolutions: Design, batch_norm: boolean): Sequential {
  const layers: Module[] = [];
  let in_channels = 3;
  for (const out_channels of convolutions) {
    if (out_channels === 'pool') {
      layers.push(new MaxPool2d({ kernel_size: 2 }));
      continue;
    }
    layers.push(new Conv2d({ in_channels, out_channels, kernel_size: 3, padding: 1 }));
    if (batch_norm) layers.push(new BatchNorm2d({ num_features: out_channels }));
    layers.push(new ReLU());
    in_channels = out_channels;
  }
  return new Sequential(layers);
}

const DESIGNS = {
  vgg11: design([1, 1, 2, 2, 2]),
  vgg13: design([2, 2, 2, 2, 2]),
  vgg16: design([2, 2, 3, 3, 3]),
  vgg19: design([2, 2, 4, 4, 4]),
} as const;

const maker =
  (name: keyof typeof DESIGNS, batch_norm: boolean) =>
  (given?: VGGOptions): VGG =>
    new VGG(DESIGNS[name], batch_norm, given);

export const vgg11 = maker('vgg11', false);
export const vgg11_bn = maker('vgg11', true);
export const vgg13 = maker('vgg13', false);
export const vgg13_bn = maker('vgg13', true);
export const vgg16 = maker('vgg16', false);
export const vgg16_bn = maker('vgg16', true);
export const vgg19 = maker('vgg19', false);
export const vgg19_bn = maker('vgg19', true);

const MAKERS = { vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn };
for (const [name, make] of Object.entries(MAKERS)) registerModel(name, options, make);
