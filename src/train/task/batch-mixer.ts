/** Mixes the samples of a batch, within the compiled step. */

import { ArgumentError } from '../../base/errors.ts';
import { philox4x32, philoxKey } from '../../base/philox.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { pointing } from '../../config/model-check.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { hostScalar } from '../../core/scalar.ts';
import type { Tensor } from '../../core/tensor.ts';
import { afterCall } from '../../core/trace.ts';
import type { DatasetSource, Field } from '../../data/index.ts';
import {
  type BatchTransform,
  batchTransforms,
  type Mixing,
  type Uniform,
} from '../../data/transforms/batch-transforms.ts';
import { add, cast, eq, ge, logicalAnd, lt, mul, where } from '../../ops/pointwise.ts';
import { arange } from '../../ops/ranges.ts';

/** Set apart from the other users of the seed by the counter's high word: "mixb" in ASCII. */
const MIXING_STREAM = 0x6d697862;

/** The transforms of a config, checked against its samples. */
export function batchMixer(
  loaded: LoadedConfig,
  source: DatasetSource,
  output: Field,
): BatchMixer | undefined {
  const { data, seed } = loaded.config;
  if (data.batch_transforms.length === 0) return undefined;
  const transforms = data.batch_transforms.map((spec, i) =>
    pointing(loaded, ['data', 'batch_transforms', i], () => {
      const transform = batchTransforms.build(spec);
      if (source.classes.length === 0 || source.target.shape.length > 0) {
        throw new ArgumentError(`${spec.type} mixes classes, one a sample; the targets are others`);
      }
      if (transform.ofImages && source.input.shape.length !== 3) {
        throw new ArgumentError(`${spec.type} cuts images, (channels, height, width)`);
      }
      return transform;
    }),
  );
  return new BatchMixer(transforms, seed, output.shape[1]!);
}

/**
 * The numbers of a step follow from the seed and how many steps were taken, so a run that goes on
 * draws the same ones; they are scalars of the compiled step.
 */
export class BatchMixer {
  #step = 0;

  constructor(
    readonly transforms: readonly BatchTransform[],
    readonly seed: number,
    readonly classes: number,
  ) {}

  /** Goes on after `step` steps. */
  goOn(step: number): void {
    this.#step = step;
  }

  /** Counts a step; part of it. */
  afterStep(): void {
    afterCall(() => {
      this.#step++;
    });
  }

  /**
   * Mixes the `part`th batch of a step: `input` (N, ...), `target` int64 (N). The target becomes
   * probabilities, (N, classes).
   */
  mix(input: Tensor, target: Tensor, part: number): [input: Tensor, target: Tensor] {
    const of = (index: number) => {
      const size = this.transforms[index]!.ofImages
        ? ([input.shape[2]!, input.shape[3]!] as const)
        : undefined;
      const mixing = () => this.transforms[index]!.draw(this.#uniform(part, index), size);
      return (pick: (mixing: Mixing) => number) => hostScalar(() => pick(mixing()));
    };
    return noGrad(() => {
      const classes = arange(this.classes);
      let mixed = input;
      let shares = cast(eq(target.unsqueeze(1), classes), 'float32');
      for (const [index, { ofImages }] of this.transforms.entries()) {
        const scalar = of(index);
        const own = ofImages ? ownShare(mixed, scalar) : scalar(({ inside }) => inside);
        mixed = blend(mixed, own);
        shares = blend(
          shares,
          scalar(({ label }) => label),
        );
      }
      return [mixed, shares];
    });
  }

  #uniform(part: number, index: number): Uniform {
    const key = philoxKey(this.seed);
    const step = this.#step;
    let words: readonly number[] = [];
    let position = 0;
    return () => {
      if (position % 4 === 0) {
        const counter = (part * this.transforms.length + index) * 2 ** 16 + position / 4;
        words = philox4x32(
          [counter, Math.floor(step / 2 ** 32), step % 2 ** 32, MIXING_STREAM],
          key,
        );
      }
      return words[position++ % 4]! / 2 ** 32;
    };
  }
}

/** own * x + (1 - own) * the sample before, the first with the last: torchvision's order. */
function blend(x: Tensor, own: Tensor): Tensor {
  return add(mul(x, own), mul(x.roll(1, 0), own.neg().add(1)));
}

/** (height, width): the share of each pixel that is the sample's own. */
function ownShare(images: Tensor, scalar: (pick: (mixing: Mixing) => number) => Tensor): Tensor {
  const within = (size: number, begin: Tensor, end: Tensor) => {
    const place = cast(arange(size), 'float32');
    return logicalAnd(ge(place, begin), lt(place, end));
  };
  const [height, width] = images.shape.slice(2) as [number, number];
  const rows = within(
    height,
    scalar(({ box }) => box.top),
    scalar(({ box }) => box.bottom),
  );
  const columns = within(
    width,
    scalar(({ box }) => box.left),
    scalar(({ box }) => box.right),
  );
  const inBox = logicalAnd(rows.unsqueeze(1), columns.unsqueeze(0));
  return where(
    inBox,
    scalar(({ inside }) => inside),
    1,
  );
}
