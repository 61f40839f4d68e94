/**
 * MNASNet with torchvision's names and state_dict keys.
 * Tan et al. 2018, https://arxiv.org/abs/1807.11626;
 * https://pytorch.org/vision/stable/models/mnasnet.html
 */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { ReLU } from '../nn/activation.ts';
import { BatchNorm2d } from '../nn/batch-norm.ts';
import { Sequential } from '../nn/container.ts';
import { Conv2d } from '../nn/conv.ts';
import { Dropout } from '../nn/dropout.ts';
import { kaimingNormal_, kaimingUniform_, zeros_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { schemas } from '../nn/registry.ts';
import { makeDivisible, modelFamily, numClasses } from './torchvision.ts';

const options = strict({
  num_classes: numClasses,
  dropout: schemas.probability.default(0.2).describe('Before the linear layer.'),
});

export type MNASNetOptions = z.input<typeof options>;

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel_size?: number;
  readonly stride?: number;
  readonly groups?: number;
}

/** A convolution that keeps height and width but for its stride, and slow batch norm. */
function convolution({ inputs, outputs, kernel_size = 1, stride = 1, groups = 1 }: Layer) {
  const window = { kernel_size, stride, padding: Math.floor(kernel_size / 2), groups };
  return [
    new Conv2d({ in_channels: inputs, out_channels: outputs, bias: false, ...window }),
    new BatchNorm2d({ num_features: outputs, momentum: 1 - 0.9997 }),
  ];
}

/** Filters each channel on its own. */
const depthwise = (channels: number, kernel_size: number, stride: number) =>
  convolution({ inputs: channels, outputs: channels, kernel_size, stride, groups: channels });

/** Widens, filters each channel on its own, narrows; added to its input where shapes agree. */
class InvertedResidual extends Module {
  readonly layers: Sequential;
  readonly #isResidual: boolean;

  constructor(inputs: number, outputs: number, stride: number, [kernel_size, factor]: Kind) {
    super();
    const wide = inputs * factor;
    this.layers = new Sequential([
      ...[...convolution({ inputs, outputs: wide }), new ReLU()],
      ...[...depthwise(wide, kernel_size, stride), new ReLU()],
      ...convolution({ inputs: wide, outputs }),
    ]);
    this.#isResidual = inputs === outputs && stride === 1;
  }

  forward(x: Tensor): Tensor {
    const change = this.layers.call(x);
    return this.#isResidual ? change.add(x) : change;
  }
}

type Kind = readonly [kernel_size: number, expansion_factor: number];

/** Channels of the stem's two convolutions and of the stages. */
const DEPTHS = [32, 16, 24, 40, 80, 96, 192, 320] as const;

/** Of each stage: the kind of its blocks, the stride of the first, how many there are. */
const STAGES: readonly { kind: Kind; stride: number; repeats: number }[] = [
  { kind: [3, 3], stride: 2, repeats: 3 },
  { kind: [5, 3], stride: 2, repeats: 3 },
  { kind: [5, 6], stride: 2, repeats: 3 },
  { kind: [3, 6], stride: 1, repeats: 2 },
  { kind: [5, 6], stride: 2, repeats: 4 },
  { kind: [3, 6], stride: 1, repeats: 1 },
];

/** Channels of the last convolution. */
const LAST = 1280;

/** (N, 3, H, W) -> logits (N, num_classes). */
export class MNASNet extends Module {
  readonly layers: Sequential;
  readonly classifier: Sequential;

  /** @param alpha scales the channels of all layers but the last. */
  constructor(alpha: number, given: MNASNetOptions = {}) {
    super();
    const { num_classes, dropout: p } = parseOptions('MNASNet', options, given);
    const depths = DEPTHS.map((depth) => makeDivisible(depth * alpha));
    const [stem, first] = depths as [number, number];
    this.layers = new Sequential([
      ...[...convolution({ inputs: 3, outputs: stem, kernel_size: 3, stride: 2 }), new ReLU()],
      ...[...depthwise(stem, 3, 1), new ReLU()],
      ...convolution({ inputs: stem, outputs: first }),
      ...stagesOf(depths.slice(1)),
      ...[...convolution({ inputs: depths.at(-1)!, outputs: LAST }), new ReLU()],
    ]);
    const linear = new Linear({ in_features: LAST, out_features: num_classes });
    this.classifier = new Sequential([new Dropout({ p }), linear]);
    for (const module of this.modules()) {
      if (module instanceof Conv2d) kaimingNormal_(module.weight, { mode: 'fan_out' });
    }
    kaimingUniform_(linear.weight, { mode: 'fan_out', nonlinearity: 'sigmoid' });
    zeros_(linear.bias!);
  }

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.layers.call(x).mean([2, 3]));
  }
}

function stagesOf(depths: readonly number[]): Sequential[] {
  return STAGES.map(({ kind, stride, repeats }, i) => {
    const [inputs, outputs] = depths.slice(i) as [number, number];
    const others = Array.from(
      { length: repeats - 1 },
      () => new InvertedResidual(outputs, outputs, 1, kind),
    );
    return new Sequential([new InvertedResidual(inputs, outputs, stride, kind), ...others]);
  });
}

export const { mnasnet0_5, mnasnet0_75, mnasnet1_0, mnasnet1_3 } = modelFamily(
  { mnasnet0_5: 0.5, mnasnet0_75: 0.75, mnasnet1_0: 1, mnasnet1_3: 1.3 },
  () => options,
  (alpha, given) => new MNASNet(alpha, given),
);
