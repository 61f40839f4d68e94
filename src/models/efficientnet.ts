/**
 * EfficientNet and EfficientNetV2 with torchvision's names and state_dict keys.
 * Tan and Le 2019, https://arxiv.org/abs/1905.11946; 2021, https://arxiv.org/abs/2104.00298;
 * https://pytorch.org/vision/stable/models/efficientnet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { SiLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingNormal_, uniform_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { AdaptiveAvgPool2d } from '../nn/pooling.ts';
import { schemas } from '../nn/registry.ts';
import {
  Conv2dNormActivation,
  type Conv2dNormActivationOptions,
  SqueezeExcitation,
  StochasticDepth,
} from '../nn/vision-blocks.ts';
import { makeDivisible, modelFamily, numClasses } from './torchvision.ts';

const optionsOf = ({ dropout }: EfficientNetDesign) =>
  strict({
    num_classes: numClasses,
    dropout: schemas.probability.default(dropout).describe('Before the linear layer.'),
    stochastic_depth_prob: schemas.probability
      .default(0.2)
      .describe('How likely the last block is skipped for a sample; the first never is.'),
  });

export type EfficientNetOptions = z.input<ReturnType<typeof optionsOf>>;

/** Blocks of one width: how much they widen, their window, the stride of the first, channels. */
interface Stage {
  /** MBConv widens by a convolution of 1x1 and filters each channel; fused does both in one. */
  readonly block: 'MBConv' | 'FusedMBConv';
  readonly expand_ratio: number;
  readonly kernel: number;
  readonly stride: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: number;
}

export interface EfficientNetDesign {
  readonly stages: readonly Stage[];
  readonly dropout: number;
  /** Channels of the last convolution; 4 times those of the last stage unless given. */
  readonly last_channel?: number;
  /** Of batch norm. */
  readonly eps?: number;
  readonly momentum?: number;
}

/** Makes a convolution with the batch norm of a design, and SiLU unless it says otherwise. */
type MakeLayer = (options: Conv2dNormActivationOptions) => Conv2dNormActivation;

const silu = () => new SiLU();

function layerMaker({ eps, momentum }: EfficientNetDesign): MakeLayer {
  const norm_layer = (num_features: number) => new BatchNorm2d({ num_features, eps, momentum });
  return (options) => new Conv2dNormActivation({ norm_layer, activation_layer: silu, ...options });
}

type BlockOptions = Omit<Stage, 'layers'>;

/** Widens, filters each channel on its own, weighs the channels, narrows. */
function widening({ expand_ratio, kernel, stride, ...sizes }: BlockOptions, layer: MakeLayer) {
  const { inputs, outputs } = sizes;
  const wide = makeDivisible(inputs * expand_ratio);
  const inner = { in_channels: wide, out_channels: wide };
  const narrowing = { in_channels: wide, out_channels: outputs, kernel_size: 1 };
  const squeeze_channels = Math.max(1, Math.floor(inputs / 4));
  return [
    ...(wide === inputs
      ? []
      : [layer({ in_channels: inputs, out_channels: wide, kernel_size: 1 })]),
    layer({ ...inner, kernel_size: kernel, stride, groups: wide }),
    new SqueezeExcitation({ input_channels: wide, squeeze_channels, activation: silu }),
    layer({ ...narrowing, activation_layer: null }),
  ];
}

/** Widens and filters in one convolution, then narrows. */
function fusedWidening({ expand_ratio, kernel, stride, ...sizes }: BlockOptions, layer: MakeLayer) {
  const { inputs, outputs } = sizes;
  const wide = makeDivisible(inputs * expand_ratio);
  const window = { in_channels: inputs, kernel_size: kernel, stride };
  if (wide === inputs) return [layer({ ...window, out_channels: outputs })];
  const narrowing = { in_channels: wide, out_channels: outputs, kernel_size: 1 };
  return [
    layer({ ...window, out_channels: wide }),
    layer({ ...narrowing, activation_layer: null }),
  ];
}

/** A block, added to its input where shapes agree. */
class Block extends Module {
  readonly block: Sequential;
  readonly stochastic_depth: StochasticDepth;
  readonly #isResidual: boolean;

  constructor(options: BlockOptions, p: number, layer: MakeLayer) {
    super();
    const make = options.block === 'MBConv' ? widening : fusedWidening;
    this.block = new Sequential(make(options, layer));
    this.stochastic_depth = new StochasticDepth({ p, mode: 'row' });
    this.#isResidual = options.stride === 1 && options.inputs === options.outputs;
  }

  forward(x: Tensor): Tensor {
    const change = this.block.call(x);
    return this.#isResidual ? this.stochastic_depth.call(change).add(x) : change;
  }
}

/** (N, 3, H, W) -> logits (N, num_classes). */
export class EfficientNet extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d({ output_size: 1 });
  readonly classifier: Sequential;

  constructor(design: EfficientNetDesign, given: EfficientNetOptions = {}) {
    super();
    const options = parseOptions('EfficientNet', optionsOf(design), given);
    const { num_classes, dropout: p, stochastic_depth_prob } = options;
    const { outputs } = design.stages.at(-1)!;
    const last = design.last_channel ?? 4 * outputs;
    const layer = layerMaker(design);
    this.features = new Sequential([
      layer({ in_channels: 3, out_channels: design.stages[0]!.inputs, stride: 2 }),
      ...stagesOf(design, stochastic_depth_prob, layer),
      layer({ in_channels: outputs, out_channels: last, kernel_size: 1 }),
    ]);
    const linear = new Linear({ in_features: last, out_features: num_classes });
    this.classifier = new Sequential([new Dropout({ p }), linear]);
    this.#initialize();
  }

  #initialize(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        kaimingNormal_(module.weight, { mode: 'fan_out' });
        if (module.bias !== null) zeros_(module.bias);
      } else if (module instanceof Linear) {
        const range = 1 / Math.sqrt(module.out_features);
        uniform_(module.weight, -range, range);
        zeros_(module.bias!);
      }
    }
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.avgpool.call(this.features.call(x)).flatten(1));
  }
}

function stagesOf({ stages }: EfficientNetDesign, p: number, layer: MakeLayer): Sequential[] {
  const total = stages.reduce((sum, { layers }) => sum + layers, 0);
  let placed = 0;
  return stages.map(({ layers, ...first }) => {
    const next = { ...first, inputs: first.outputs, stride: 1 };
    const blocks = Array.from(
      { length: layers },
      (_, i) => new Block(i === 0 ? first : next, (p * placed++) / total, layer),
    );
    return new Sequential(blocks);
  });
}

// ---- designs -----------------------------------------------------------------------------------

/** Of EfficientNet-B0: expand_ratio, kernel, stride, inputs, outputs, layers. */
const B0 = [
  [1, 3, 1, 32, 16, 1],
  [6, 3, 2, 16, 24, 2],
  [6, 5, 2, 24, 40, 2],
  [6, 3, 2, 40, 80, 3],
  [6, 5, 1, 80, 112, 3],
  [6, 5, 2, 112, 192, 4],
  [6, 3, 1, 192, 320, 1],
] as const;

/** B0 with so many times the channels and layers. */
function scaled(width: number, depth: number, dropout: number, norm = {}): EfficientNetDesign {
  const stages = B0.map(([expand_ratio, kernel, stride, inputs, outputs, layers]) => ({
    ...{ block: 'MBConv' as const, expand_ratio, kernel, stride },
    inputs: makeDivisible(inputs * width),
    outputs: makeDivisible(outputs * width),
    layers: Math.ceil(layers * depth),
  }));
  return { stages, dropout, ...norm };
}

type Row = readonly [expand: number, stride: number, inputs: number, outputs: number, n: number];

/** EfficientNetV2: fused stages, then others, with windows of 3x3. */
function second(fused: readonly Row[], others: readonly Row[], dropout: number) {
  const stages = [...fused, ...others].map(
    ([expand_ratio, stride, inputs, outputs, layers], i): Stage => ({
      block: i < fused.length ? 'FusedMBConv' : 'MBConv',
      ...{ expand_ratio, kernel: 3, stride, inputs, outputs, layers },
    }),
  );
  return { stages, dropout, last_channel: 1280, eps: 1e-3 };
}

const SLOW = { eps: 1e-3, momentum: 0.01 };

export const {
  efficientnet_b0,
  efficientnet_b1,
  efficientnet_b2,
  efficientnet_b3,
  efficientnet_b4,
  efficientnet_b5,
  efficientnet_b6,
  efficientnet_b7,
  efficientnet_v2_s,
  efficientnet_v2_m,
  efficientnet_v2_l,
} = modelFamily(
  {
    efficientnet_b0: scaled(1, 1, 0.2),
    efficientnet_b1: scaled(1, 1.1, 0.2),
    efficientnet_b2: scaled(1.1, 1.2, 0.3),
    efficientnet_b3: scaled(1.2, 1.4, 0.3),
    efficientnet_b4: scaled(1.4, 1.8, 0.4),
    efficientnet_b5: scaled(1.6, 2.2, 0.4, SLOW),
    efficientnet_b6: scaled(1.8, 2.6, 0.5, SLOW),
    efficientnet_b7: scaled(2, 3.1, 0.5, SLOW),
    efficientnet_v2_s: second(
      [
        [1, 1, 24, 24, 2],
        [4, 2, 24, 48, 4],
        [4, 2, 48, 64, 4],
      ],
      [
        [4, 2, 64, 128, 6],
        [6, 1, 128, 160, 9],
        [6, 2, 160, 256, 15],
      ],
      0.2,
    ),
    efficientnet_v2_m: second(
      [
        [1, 1, 24, 24, 3],
        [4, 2, 24, 48, 5],
        [4, 2, 48, 80, 5],
      ],
      [
        [4, 2, 80, 160, 7],
        [6, 1, 160, 176, 14],
        [6, 2, 176, 304, 18],
        [6, 1, 304, 512, 5],
      ],
      0.3,
    ),
    efficientnet_v2_l: second(
      [
        [1, 1, 32, 32, 4],
        [4, 2, 32, 64, 7],
        [4, 2, 64, 96, 7],
      ],
      [
        [4, 2, 96, 192, 10],
        [6, 1, 192, 224, 19],
        [6, 2, 224, 384, 25],
        [6, 1, 384, 640, 7],
      ],
      0.4,
    ),
  },
  optionsOf,
  (design, given) => new EfficientNet(design, given),
);
