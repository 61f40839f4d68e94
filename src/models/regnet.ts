/**
 * RegNetX and RegNetY with torchvision's names and state_dict keys.
 * Radosavovic et al. 2020, https://arxiv.org/abs/2003.13678;
 * https://pytorch.org/vision/stable/models/regnet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import { roundHalfEven } from '../base/rounding.ts';
import type { Tensor } from '../core/tensor.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { normal_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { Conv2dNormActivation, SqueezeExcitation } from '../nn/vision-blocks.ts';
import { relu } from '../ops/pointwise.ts';
import { makeDivisible, modelFamily, numClasses } from './torchvision.ts';

const options = strict({ num_classes: numClasses });

export type RegNetOptions = z.input<typeof options>;

/** The paper's parameters: block i is about `w_0 + w_a i` wide, rounded to `w_0 w_m^k`. */
export interface RegNetDesign {
  readonly depth: number;
  readonly w_0: number;
  readonly w_a: number;
  readonly w_m: number;
  readonly group_width: number;
  /** Squeeze-excitation's channels by those of the block's input; without it there is none. */
  readonly se_ratio?: number;
}

interface Stage {
  readonly width: number;
  readonly depth: number;
  readonly group_width: number;
}

/** Blocks of equal widths, which are made multiples of the width of a group. */
function stagesOf({ depth, w_0, w_a, w_m, group_width }: RegNetDesign): Stage[] {
  const widths = Array.from({ length: depth }, (_, i) => {
    const power = roundHalfEven(Math.log((i * w_a + w_0) / w_0) / Math.log(w_m));
    return roundHalfEven((w_0 * w_m ** power) / 8) * 8;
  });
  return [...new Set(widths)].map((width) => {
    const group = Math.min(group_width, width);
    const count = widths.filter((other) => other === width).length;
    return { width: makeDivisible(width, group), depth: count, group_width: group };
  });
}

interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly group_width: number;
  readonly se_ratio?: number | undefined;
}

/** A 3x3 convolution of groups between two of 1x1. */
function transform({ inputs, outputs, stride, group_width, se_ratio }: BlockOptions): Sequential {
  const same = { in_channels: outputs, out_channels: outputs };
  const groups = Math.floor(outputs / group_width);
  const narrow = { ...same, in_channels: inputs, kernel_size: 1 };
  const layers = new Map<string, Module>([
    ['a', new Conv2dNormActivation(narrow)],
    ['b', new Conv2dNormActivation({ ...same, stride, groups })],
  ]);
  if (se_ratio !== undefined) {
    const squeeze_channels = roundHalfEven(se_ratio * inputs);
    layers.set('se', new SqueezeExcitation({ input_channels: outputs, squeeze_channels }));
  }
  const last = { ...same, kernel_size: 1, activation_layer: null };
  return new Sequential(layers.set('c', new Conv2dNormActivation(last)));
}

/** `transform`, added to what has its shape, then ReLU. */
class ResBottleneckBlock extends Module {
  readonly proj: Sequential | null;
  readonly f: Sequential;

  constructor(options: BlockOptions) {
    super();
    const { inputs, outputs, stride } = options;
    const projection = { in_channels: inputs, out_channels: outputs, kernel_size: 1, stride };
    this.proj =
      inputs === outputs && stride === 1
        ? null
        : new Conv2dNormActivation({ ...projection, activation_layer: null });
    this.f = transform(options);
  }

  forward(x: Tensor): Tensor {
    const identity = this.proj?.call(x) ?? x;
    return relu(identity.add(this.f.call(x)));
  }
}

/** Channels of the first convolution. */
const STEM = 32;

/** (N, 3, H, W) -> logits (N, num_classes). */
export class RegNet extends Module {
  readonly stem = new Conv2dNormActivation({ in_channels: 3, out_channels: STEM, stride: 2 });
  readonly trunk_output: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly fc: Linear;

  constructor(design: RegNetDesign, given: RegNetOptions = {}) {
    super();
    const { num_classes } = parseOptions('RegNet', options, given);
    const stages = stagesOf(design);
    this.trunk_output = trunk(stages, design);
    this.fc = new Linear({ in_features: stages.at(-1)!.width, out_features: num_classes });
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (!(module instanceof Conv2d)) continue;
      // By all outputs, also those of other groups.
      const fan_out = module.out_channels * module.kernel_size[0]! * module.kernel_size[1]!;
      normal_(module.weight, 0, Math.sqrt(2 / fan_out));
    }
    normal_(this.fc.weight, 0, 0.01);
    zeros_(this.fc.bias!);
  }

  forward(x: Tensor): Tensor {
    const features = this.trunk_output.call(this.stem.call(x));
    return this.fc.call(this.avgpool.call(features).flatten(1));
  }
}

function trunk(stages: readonly Stage[], { se_ratio }: RegNetDesign): Sequential {
  let inputs = STEM;
  const made = stages.map(({ width, depth, group_width }, stage): [string, Module] => {
    const blocks = Array.from({ length: depth }, (_, i): [string, Module] => {
      const stride = i === 0 ? 2 : 1;
      const sizes = { inputs: i === 0 ? inputs : width, outputs: width };
      const block = new ResBottleneckBlock({ ...sizes, stride, group_width, se_ratio });
      return [`block${stage + 1}-${i}`, block];
    });
    inputs = width;
    return [`block${stage + 1}`, new Sequential(new Map(blocks))];
  });
  return new Sequential(new Map(made));
}

const design = (depth: number, w_0: number, w_a: number, w_m: number, group_width: number) => ({
  ...{ depth, w_0, w_a, w_m, group_width },
});
const squeezing = (...given: Parameters<typeof design>) => ({
  ...design(...given),
  se_ratio: 0.25,
});

const DESIGNS = {
  regnet_x_400mf: design(22, 24, 24.48, 2.54, 16),
  regnet_x_800mf: design(16, 56, 35.73, 2.28, 16),
  regnet_x_1_6gf: design(18, 80, 34.01, 2.25, 24),
  regnet_x_3_2gf: design(25, 88, 26.31, 2.25, 48),
  regnet_x_8gf: design(23, 80, 49.56, 2.88, 120),
  regnet_x_16gf: design(22, 216, 55.59, 2.1, 128),
  regnet_x_32gf: design(23, 320, 69.86, 2, 168),
  regnet_y_400mf: squeezing(16, 48, 27.89, 2.09, 8),
  regnet_y_800mf: squeezing(14, 56, 38.84, 2.4, 16),
  regnet_y_1_6gf: squeezing(27, 48, 20.71, 2.65, 24),
  regnet_y_3_2gf: squeezing(21, 80, 42.63, 2.66, 24),
  regnet_y_8gf: squeezing(17, 192, 76.82, 2.19, 56),
  regnet_y_16gf: squeezing(18, 200, 106.23, 2.48, 112),
  regnet_y_32gf: squeezing(20, 232, 115.89, 2.53, 232),
  regnet_y_128gf: squeezing(27, 456, 160.83, 2.52, 264),
} as const satisfies Record<string, RegNetDesign>;

export const {
  regnet_x_400mf,
  regnet_x_800mf,
  regnet_x_1_6gf,
  regnet_x_3_2gf,
  regnet_x_8gf,
  regnet_x_16gf,
  regnet_x_32gf,
  regnet_y_400mf,
  regnet_y_800mf,
  regnet_y_1_6gf,
  regnet_y_3_2gf,
  regnet_y_8gf,
  regnet_y_16gf,
  regnet_y_32gf,
  regnet_y_128gf,
} = modelFamily(
  DESIGNS,
  () => options,
  (made: RegNetDesign, given) => new RegNet(made, given),
);
