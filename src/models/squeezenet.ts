/**
 * SqueezeNet with torchvision's names and state_dict keys.
 * Iandola et al. 2016, https://arxiv.org/abs/1602.07360;
 * https://pytorch.org/vision/stable/models/squeezenet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingUniform_, normal_, zeros_ } from '../nn/init.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { cat } from '../ops/joining.ts';
import { modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  dropout: schemas.probability.default(0.5).describe('Before the last convolution.'),
});

export type SqueezeNetOptions = z.input<typeof options>;

/** Few channels, then many of 1x1 and as many of 3x3 side by side. */
class Fire extends Module {
  readonly squeeze: Conv2d;
  readonly squeeze_activation = new ReLU();
  readonly expand1x1: Conv2d;
  readonly expand1x1_activation = new ReLU();
  readonly expand3x3: Conv2d;
  readonly expand3x3_activation = new ReLU();

  constructor(inplanes: number, squeeze: number, expand: number) {
    super();
    const from = { in_channels: squeeze, out_channels: expand };
    this.squeeze = new Conv2d({ in_channels: inplanes, out_channels: squeeze, kernel_size: 1 });
    this.expand1x1 = new Conv2d({ ...from, kernel_size: 1 });
    this.expand3x3 = new Conv2d({ ...from, kernel_size: 3, padding: 1 });
  }

  forward(x: Tensor): Tensor {
    const narrow = this.squeeze_activation.call(this.squeeze.call(x));
    const one = this.expand1x1_activation.call(this.expand1x1.call(narrow));
    const three = this.expand3x3_activation.call(this.expand3x3.call(narrow));
    return cat([one, three], 1);
  }
}

const pool = () => new MaxPool2d({ kernel_size: 3, stride: 2, ceil_mode: true });

/** A first convolution, and fires of (squeeze, expand), with pooling between them. */
interface Design {
  readonly stem: { readonly out_channels: number; readonly kernel_size: number };
  readonly fires: readonly (readonly [squeeze: number, expand: number] | 'pool')[];
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class SqueezeNet extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ stem, fires }: Design, given: SqueezeNetOptions = {}) {
    super();
    const { num_classes, dropout: p } = parseOptions('SqueezeNet', options, given);
    let inplanes = stem.out_channels;
    const layers = fires.map((fire) => {
      if (fire === 'pool') return pool();
      const made = new Fire(inplanes, ...fire);
      inplanes = 2 * fire[1];
      return made;
    });
    const first = new Conv2d({ in_channels: 3, stride: 2, ...stem });
    this.features = new Sequential([first, new ReLU(), pool(), ...layers]);
    this.classifier = new Sequential([
      new Dropout({ p }),
      new Conv2d({ in_channels: 512, out_channels: num_classes, kernel_size: 1 }),
      new ReLU(),
      new AdaptiveAvgPool2d({ output_size: 1 }),
    ]);
    this.#initialize();
  }

  #initialize(): void {
    const last = this.classifier.at(1);
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d)) continue;
      if (module === last) normal_(module.weight, 0, 0.01);
      else kaimingUniform_(module.weight);
      zeros_(module.bias!);
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x)).flatten(1);
  }
}

const DESIGNS: Record<'squeezenet1_0' | 'squeezenet1_1', Design> = {
  squeezenet1_0: {
    stem: { out_channels: 96, kernel_size: 7 },
    fires: [
      [16, 64],
      [16, 64],
      [32, 128],
      'pool',
      [32, 128],
      [48, 192],
      [48, 192],
      [64, 256],
      'pool',
      [64, 256],
    ],
  },
  squeezenet1_1: {
    stem: { out_channels: 64, kernel_size: 3 },
    fires: [
      [16, 64],
      [16, 64],
      'pool',
      [32, 128],
      [32, 128],
      'pool',
      [48, 192],
      [48, 192],
      [64, 256],
      [64, 256],
    ],
  },
};

export const { squeezenet1_0, squeezenet1_1 } = modelFamily(
  DESIGNS,
  () => options,
  (design, given) => new SqueezeNet(design, given),
);
