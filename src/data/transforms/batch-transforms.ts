/**
 * Transforms of whole batches by torchvision's names: each mixes every sample with the one before
 * it. Here only the numbers are drawn; the samples are mixed within the compiled step.
 * https://pytorch.org/vision/stable/auto_examples/transforms/plot_cutmix_mixup.html
 */

import { z } from 'zod';
import { ArgumentError } from '../../base/errors.ts';
import { Registry, type Spec } from '../../base/registry.ts';

/** Draws from [0, 1). */
export type Uniform = () => number;

/** How samples are mixed: outside the box they stay. */
export interface Mixing {
  /** The share of a sample itself, inside the box. */
  readonly inside: number;
  /** Rows [top, bottom) and columns [left, right), as shares of the height and the width. */
  readonly box: {
    readonly top: number;
    readonly bottom: number;
    readonly left: number;
    readonly right: number;
  };
  /** The share of a sample's own class in the target. */
  readonly label: number;
}

/** (height, width) of an image; nothing for other samples. */
export type ImageSize = readonly [height: number, width: number] | undefined;

export interface BatchTransform {
  /** Whether it needs an image. */
  readonly ofImages: boolean;
  /** The mixing of one batch. */
  draw(uniform: Uniform, size: ImageSize): Mixing;
}

export const batchTransforms = new Registry<BatchTransform>('batch transform');

const alpha = z
  .number()
  .positive()
  .default(1)
  .describe('Of the Beta(alpha, alpha) distribution that the share is drawn from.');

const EVERYWHERE = {
  top: 0,
  bottom: Number.POSITIVE_INFINITY,
  left: 0,
  right: Number.POSITIVE_INFINITY,
};

batchTransforms.register('MixUp', {
  schema: z.strictObject({ alpha }),
  summary:
    "Adds to every sample a share of another one, and to its class the same share of that one's.",
  page: 'https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.MixUp.html',
  create: (options: { alpha: number }): BatchTransform => ({
    ofImages: false,
    draw(uniform) {
      const share = beta(options.alpha, uniform);
      return { inside: share, box: EVERYWHERE, label: share };
    },
  }),
});

batchTransforms.register('CutMix', {
  schema: z.strictObject({ alpha }),
  summary:
    "Puts a box of another image into every image, and the box's share of its class into the target.",
  page: 'https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.CutMix.html',
  create: (options: { alpha: number }): BatchTransform => ({
    ofImages: true,
    draw(uniform, size) {
      const share = beta(options.alpha, uniform);
      return cut(share, uniform(), uniform(), size!);
    },
  }),
});

const randomChoice = z.strictObject({
  transforms: z
    .array(z.lazy((): z.ZodType<Spec> => batchTransforms.spec()))
    .min(1)
    .describe('One of these is taken for each batch.'),
  p: z
    .array(z.number().min(0))
    .optional()
    .describe('How likely each of them is; default: all the same.'),
});

batchTransforms.register('RandomChoice', {
  schema: randomChoice,
  summary: 'Takes one of several transforms for each batch.',
  page: 'https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomChoice.html',
  create: ({ transforms, p }: z.output<typeof randomChoice>): BatchTransform => {
    const choices = transforms.map((spec) => batchTransforms.build(spec));
    const weights = p ?? choices.map(() => 1);
    const whole = weights.reduce((a, b) => a + b, 0);
    if (weights.length !== choices.length || whole === 0) {
      throw new ArgumentError(
        `[RandomChoice] p needs a probability for each of the ${choices.length} transforms`,
      );
    }
    return {
      ofImages: choices.some(({ ofImages }) => ofImages),
      draw(uniform, size) {
        const at = uniform() * whole;
        const ends = weights.map((_, i) => weights.slice(0, i + 1).reduce((a, b) => a + b));
        return choices[ends.findIndex((end) => at < end)]!.draw(uniform, size);
      },
    };
  },
});

/**
 * torchvision's box: of the area 1 - share around a pixel, as far as it lies in the image.
 * @param x and y from [0, 1): where the pixel is.
 */
export function cut(
  share: number,
  x: number,
  y: number,
  [height, width]: readonly [number, number],
): Mixing {
  const half = 0.5 * Math.sqrt(1 - share);
  const across = span(Math.floor(x * width), Math.trunc(half * width), width);
  const down = span(Math.floor(y * height), Math.trunc(half * height), height);
  const area = (across.end - across.begin) * (down.end - down.begin);
  const box = { top: down.begin, bottom: down.end, left: across.begin, right: across.end };
  return { inside: 0, box, label: 1 - area / (width * height) };
}

function span(middle: number, half: number, size: number): { begin: number; end: number } {
  return { begin: Math.max(0, middle - half), end: Math.min(size, middle + half) };
}

/** Of Beta(a, a): two gamma variates' shares, in logarithms so that none vanishes. */
export function beta(a: number, uniform: Uniform): number {
  const difference = logGamma(a, uniform) - logGamma(a, uniform);
  return 1 / (1 + Math.exp(-difference));
}

/**
 * The logarithm of a variate of Gamma(a, 1). Marsaglia and Tsang, A simple method for generating
 * gamma variables, 2000; below 1 by the variate of a + 1.
 */
export function logGamma(a: number, uniform: Uniform): number {
  if (a < 1) return logGamma(a + 1, uniform) + Math.log(1 - uniform()) / a;
  const d = a - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(uniform);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

/** Box and Muller. */
function normal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
