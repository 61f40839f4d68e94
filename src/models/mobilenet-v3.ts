/**
 * MobileNet V3 with torchvision's names and state_dict keys.
 * Howard et al. 2019, https://arxiv.org/abs/1905.02244;
 * https://pytorch.org/vision/stable/models/mobilenetv3.html
 */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Hardsigmoid, Hardswish, ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingNormal_, normal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import { Conv2dNormActivation, SqueezeExcitation } from '../nn/vision-blocks.ts';
import { makeDivisible, modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  width_mult: z.number().positive().default(1).describe('Scales the channels of every layer.'),
  reduced_tail: z
    .boolean()
    .default(false)
    .describe('Halves the channels of the last blocks and of the head.'),
  dilated: z
    .boolean()
    .default(false)
    .describe('Dilates the last blocks in place of their stride, as segmentation wants it.'),
  dropout: schemas.probability.default(0.2).describe('Before the last linear layer.'),
});

export type MobileNetV3Options = z.input<typeof options>;
type Options = z.output<typeof options>;

interface BlockOptions {
  readonly inputs: number;
  readonly kernel: number;
  /** Channels while it filters. */
  readonly expanded: number;
  readonly outputs: number;
  readonly squeezes: boolean;
  readonly activation: Activation;
  readonly stride: number;
  readonly dilation: number;
}

type Activation = 'RE' | 'HS';

/** inputs, kernel, expanded, outputs, squeeze-excitation, activation, stride. */
type Row = readonly [number, number, number, number, boolean, Activation, number];

const norm_layer = (num_features: number) =>
  new BatchNorm2d({ num_features, eps: 1e-3, momentum: 0.01 });
const hardswish = () => new Hardswish();

/** Widens, filters each channel on its own, weighs the channels, narrows. */
class InvertedResidual extends Module {
  readonly block: Sequential;
  readonly #isResidual: boolean;

  constructor({ inputs, kernel, expanded, outputs, ...rest }: BlockOptions) {
    super();
    const { squeezes, activation, stride, dilation } = rest;
    const activation_layer = activation === 'HS' ? hardswish : () => new ReLU();
    const layers: Module[] = [];
    if (expanded !== inputs) {
      const widening = { in_channels: inputs, out_channels: expanded, kernel_size: 1 };
      layers.push(new Conv2dNormActivation({ ...widening, norm_layer, activation_layer }));
    }
    const inner = { in_channels: expanded, out_channels: expanded, groups: expanded };
    const window = { kernel_size: kernel, stride: dilation > 1 ? 1 : stride, dilation };
    layers.push(new Conv2dNormActivation({ ...inner, ...window, norm_layer, activation_layer }));
    if (squeezes) {
      const channels = { input_channels: expanded, squeeze_channels: squeezed(expanded) };
      const scale_activation = () => new Hardsigmoid();
      layers.push(new SqueezeExcitation({ ...channels, scale_activation }));
    }
    const narrowing = { in_channels: expanded, out_channels: outputs, kernel_size: 1 };
    layers.push(new Conv2dNormActivation({ ...narrowing, norm_layer, activation_layer: null }));
    this.block = new Sequential(layers);
    this.#isResidual = stride === 1 && inputs === outputs;
  }

  forward(x: Tensor): Tensor {
    const change = this.block.call(x);
    return this.#isResidual ? change.add(x) : change;
  }
}

const squeezed = (channels: number) => makeDivisible(Math.floor(channels / 4));

export interface MobileNetV3Design {
  /** The blocks, of which `reduced_tail` and `dilated` change the last three. */
  readonly rows: readonly Row[];
  readonly last_channel: number;
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class MobileNetV3 extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly classifier: Sequential;

  constructor(design: MobileNetV3Design, given: MobileNetV3Options = {}) {
    super();
    const parsed = parseOptions('MobileNetV3', options, given);
    const { num_classes, width_mult, reduced_tail, dropout: p } = parsed;
    const blocks = blocksOf(design, parsed);
    const { outputs } = blocks.at(-1)!;
    const stem = { in_channels: 3, out_channels: blocks[0]!.inputs, stride: 2 };
    const wide = { in_channels: outputs, out_channels: 6 * outputs, kernel_size: 1 };
    this.features = new Sequential([
      new Conv2dNormActivation({ ...stem, norm_layer, activation_layer: hardswish }),
      ...blocks.map((block) => new InvertedResidual(block)),
      new Conv2dNormActivation({ ...wide, norm_layer, activation_layer: hardswish }),
    ]);
    const last = makeDivisible((design.last_channel / (reduced_tail ? 2 : 1)) * width_mult);
    this.classifier = new Sequential([
      new Linear({ in_features: 6 * outputs, out_features: last }),
      new Hardswish(),
      new Dropout({ p }),
      new Linear({ in_features: last, out_features: num_classes }),
    ]);
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: 'fan_out' });
      else if (module instanceof Linear) normal_(module.weight, 0, 0.01);
      else continue;
      if (module.bias !== null) zeros_(module.bias);
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.avgpool.call(this.features.call(x)).flatten(1));
  }
}

function blocksOf({ rows }: MobileNetV3Design, options: Options): BlockOptions[] {
  const { width_mult, reduced_tail, dilated } = options;
  const tail = rows.length - 3;
  return rows.map(([inputs, kernel, expanded, outputs, squeezes, activation, stride], i) => {
    // The first block of the tail is as wide as ever inside.
    const reduced = (channels: number, from: number) =>
      makeDivisible((channels / (reduced_tail && i >= from ? 2 : 1)) * width_mult);
    return {
      inputs: reduced(inputs, tail + 1),
      expanded: reduced(expanded, tail + 1),
      outputs: reduced(outputs, tail),
      ...{ kernel, squeezes, activation, stride, dilation: dilated && i >= tail ? 2 : 1 },
    };
  });
}

type Name = 'mobilenet_v3_large' | 'mobilenet_v3_small';

const DESIGNS: Readonly<Record<Name, MobileNetV3Design>> = {
  mobilenet_v3_large: {
    rows: [
      [16, 3, 16, 16, false, 'RE', 1],
      [16, 3, 64, 24, false, 'RE', 2],
      [24, 3, 72, 24, false, 'RE', 1],
      [24, 5, 72, 40, true, 'RE', 2],
      [40, 5, 120, 40, true, 'RE', 1],
      [40, 5, 120, 40, true, 'RE', 1],
      [40, 3, 240, 80, false, 'HS', 2],
      [80, 3, 200, 80, false, 'HS', 1],
      [80, 3, 184, 80, false, 'HS', 1],
      [80, 3, 184, 80, false, 'HS', 1],
      [80, 3, 480, 112, true, 'HS', 1],
      [112, 3, 672, 112, true, 'HS', 1],
      [112, 5, 672, 160, true, 'HS', 2],
      [160, 5, 960, 160, true, 'HS', 1],
      [160, 5, 960, 160, true, 'HS', 1],
    ],
    last_channel: 1280,
  },
  mobilenet_v3_small: {
    rows: [
      [16, 3, 16, 16, true, 'RE', 2],
      [16, 3, 72, 24, false, 'RE', 2],
      [24, 3, 88, 24, false, 'RE', 1],
      [24, 5, 96, 40, true, 'HS', 2],
      [40, 5, 240, 40, true, 'HS', 1],
      [40, 5, 240, 40, true, 'HS', 1],
      [40, 5, 120, 48, true, 'HS', 1],
      [48, 5, 144, 48, true, 'HS', 1],
      [48, 5, 288, 96, true, 'HS', 2],
      [96, 5, 576, 96, true, 'HS', 1],
      [96, 5, 576, 96, true, 'HS', 1],
    ],
    last_channel: 1024,
  },
};

export const { mobilenet_v3_large, mobilenet_v3_small } = modelFamily(
  DESIGNS,
  () => options,
  (design, given) => new MobileNetV3(design, given),
);
