/**
 * VGG with torchvision's names and state_dict keys.
 * Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556;
 * https://pytorch.org/vision/stable/models/vgg.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
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
import { modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  dropout: schemas.probability.default(0.5).describe('Between the linear layers.'),
});

export type VGGOptions = z.input<typeof options>;

export interface VGGDesign {
  /** Convolutions before each of the five poolings, which halve height and width. */
  readonly counts: readonly [number, number, number, number, number];
  /** Whether a batch norm stands behind each convolution. */
  readonly batch_norm: boolean;
}

const WIDTHS = [64, 128, 256, 512, 512] as const;

/** (N, 3, H, W) -> logits (N, num_classes); H and W are at least 32. */
export class VGG extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 7 });
  readonly classifier: Sequential;

  constructor(design: VGGDesign, given: VGGOptions = {}) {
    super();
    const { num_classes, dropout: p } = parseOptions('VGG', options, given);
    this.features = featuresOf(design);
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

function featuresOf({ counts, batch_norm }: VGGDesign): Sequential {
  const layers: Module[] = [];
  let in_channels = 3;
  for (const [stage, count] of counts.entries()) {
    const out_channels = WIDTHS[stage]!;
    for (let i = 0; i < count; i++) {
      layers.push(new Conv2d({ in_channels, out_channels, kernel_size: 3, padding: 1 }));
      if (batch_norm) layers.push(new BatchNorm2d({ num_features: out_channels }));
      layers.push(new ReLU());
      in_channels = out_channels;
    }
    layers.push(new MaxPool2d({ kernel_size: 2 }));
  }
  return new Sequential(layers);
}

const DESIGNS = {
  vgg11: { counts: [1, 1, 2, 2, 2], batch_norm: false },
  vgg11_bn: { counts: [1, 1, 2, 2, 2], batch_norm: true },
  vgg13: { counts: [2, 2, 2, 2, 2], batch_norm: false },
  vgg13_bn: { counts: [2, 2, 2, 2, 2], batch_norm: true },
  vgg16: { counts: [2, 2, 3, 3, 3], batch_norm: false },
  vgg16_bn: { counts: [2, 2, 3, 3, 3], batch_norm: true },
  vgg19: { counts: [2, 2, 4, 4, 4], batch_norm: false },
  vgg19_bn: { counts: [2, 2, 4, 4, 4], batch_norm: true },
} as const satisfies Record<string, VGGDesign>;

export const { vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn } = modelFamily(
  DESIGNS,
  () => options,
  (design: VGGDesign, given) => new VGG(design, given),
);
