/** Transforms that choose their changes from a fixed list. */

import { z } from 'zod';
import { type ImageOp, shapeAfterAll } from '../../engine/image-ops/op.ts';
import type { ImageShape } from '../../engine/image-ops/pixels.ts';
import { logGamma } from './batch-transforms.ts';
import {
  bitsFrom,
  type ChangeName,
  type ChangeOptions,
  drawChange,
  type Space,
  thresholds,
  upTo,
} from './changes.ts';
import type { Draws } from './draws.ts';
import { checkFill, noFillOption, warpInterpolation } from './options.ts';
import { POLICIES } from './policies.ts';
import { argumentFault, checkColours, type Given, keepsShape, transforms } from './transforms.ts';

/** The common space, with its own greatest shear, rotation and strength, and shifts. */
function spaceOf({
  shear,
  shifts,
  turn,
  colours,
  posterize,
}: {
  shear: number;
  shifts: readonly [Space['TranslateX'], Space['TranslateY']];
  turn: number;
  colours: number;
  posterize: Space['Posterize'];
}): Space {
  return {
    ShearX: upTo(shear),
    ShearY: upTo(shear),
    TranslateX: shifts[0],
    TranslateY: shifts[1],
    Rotate: upTo(turn),
    Brightness: upTo(colours),
    Color: upTo(colours),
    Contrast: upTo(colours),
    Sharpness: upTo(colours),
    Posterize: posterize,
    Solarize: thresholds,
    AutoContrast: null,
    Equalize: null,
  };
}

const partOf = (part: number) =>
  [
    upTo(({ width }: { width: number }) => part * width),
    upTo(({ height }: { height: number }) => part * height),
  ] as const;

const SMALL = { shear: 0.3, turn: 30, colours: 0.9 };
const AUTO: Space = {
  ...spaceOf({ ...SMALL, shifts: partOf(150 / 331), posterize: bitsFrom(8, 4) }),
  Invert: null,
};
const RAND: Space = {
  Identity: null,
  ...spaceOf({ ...SMALL, shifts: partOf(150 / 331), posterize: bitsFrom(8, 4) }),
};
const WIDE: Space = {
  Identity: null,
  ...spaceOf({
    shear: 0.99,
    turn: 135,
    colours: 0.99,
    shifts: [upTo(32), upTo(32)],
    posterize: bitsFrom(8, 6),
  }),
};
const MIXED = spaceOf({ ...SMALL, shifts: partOf(1 / 3), posterize: bitsFrom(4, 4) });

const namesOf = (space: Space) => Object.keys(space) as ChangeName[];

function check(name: string, { fill }: ChangeOptions) {
  return (given: Given) => {
    checkColours(name, given);
    checkFill(name, fill, given.channels);
  };
}

const autoOptions = z.strictObject({
  policy: z
    .enum(['imagenet', 'cifar10', 'svhn'])
    .default('imagenet')
    .describe('The data set that the changes were learned on.'),
  interpolation: warpInterpolation('nearest'),
  fill: noFillOption(),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.AutoAugment.html */
transforms.register('AutoAugment', {
  schema: autoOptions,
  create: (options: z.output<typeof autoOptions>) => {
    const policy = POLICIES[options.policy];
    return keepsShape('AutoAugment', {
      check: check('AutoAugment', options),
      draw: (draws, image) => {
        const ops: ImageOp[] = [];
        for (const [name, probability, strength = 0] of policy[draws.below(policy.length)]!) {
          if (!draws.chance(probability)) continue;
          const shape = shapeAfterAll(ops, image);
          ops.push(...drawChange(draws, shape, [name, AUTO], [strength, 10], options));
        }
        return ops;
      },
    });
  },
});

const bins = z.int().min(2).max(1000).default(31).describe('The number of strengths.');

const randOptions = z.strictObject({
  num_ops: z.int().min(0).max(100).default(2).describe('Changes an image.'),
  magnitude: z.int().min(0).default(9).describe('The strength of all changes.'),
  num_magnitude_bins: bins,
  interpolation: warpInterpolation('nearest'),
  fill: noFillOption(),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandAugment.html */
transforms.register('RandAugment', {
  schema: randOptions,
  create: (options: z.output<typeof randOptions>) => {
    const { num_ops, magnitude, num_magnitude_bins } = options;
    if (magnitude >= num_magnitude_bins) {
      throw argumentFault(
        'RandAugment',
        'magnitude',
        `magnitude ${magnitude} is not below num_magnitude_bins, ${num_magnitude_bins}`,
      );
    }
    const names = namesOf(RAND);
    return keepsShape('RandAugment', {
      check: check('RandAugment', options),
      draw: (draws, image) =>
        Array.from({ length: num_ops }, () => {
          const name = names[draws.below(names.length)]!;
          return drawChange(draws, image, [name, RAND], [magnitude, num_magnitude_bins], options);
        }).flat(),
    });
  },
});

const trivialOptions = z.strictObject({
  num_magnitude_bins: bins,
  interpolation: warpInterpolation('nearest'),
  fill: noFillOption(),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.TrivialAugmentWide.html */
transforms.register('TrivialAugmentWide', {
  schema: trivialOptions,
  create: (options: z.output<typeof trivialOptions>) => {
    const { num_magnitude_bins } = options;
    const names = namesOf(WIDE);
    return keepsShape('TrivialAugmentWide', {
      check: check('TrivialAugmentWide', options),
      draw: (draws, image) => {
        const name = names[draws.below(names.length)]!;
        const step = draws.below(num_magnitude_bins);
        return drawChange(draws, image, [name, WIDE], [step, num_magnitude_bins], options);
      },
    });
  },
});

/** Strengths that AugMix has at most. */
const MOST_SEVERE = 10;

const mixOptions = z.strictObject({
  severity: z.int().min(1).max(MOST_SEVERE).default(3).describe('The strength of the changes.'),
  mixture_width: z.int().min(1).max(100).default(3).describe('Changed images that are mixed.'),
  chain_depth: z
    .int()
    .min(-1)
    .max(100)
    .default(-1)
    .describe('Changes of each of them; -1 or 0: one to three.'),
  alpha: z.number().positive().default(1).describe('Of the distributions of the shares.'),
  all_ops: z
    .boolean()
    .default(true)
    .describe('Also changes brightness, colour, contrast and sharpness.'),
  interpolation: warpInterpolation('bilinear'),
  fill: noFillOption(),
});

const COLOURS: readonly ChangeName[] = ['Brightness', 'Color', 'Contrast', 'Sharpness'];

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.AugMix.html */
transforms.register('AugMix', {
  schema: mixOptions,
  create: (options: z.output<typeof mixOptions>) => {
    const { severity, mixture_width, chain_depth, alpha, all_ops } = options;
    const names = namesOf(MIXED).filter((name) => all_ops || !COLOURS.includes(name));
    const change = (draws: Draws, image: ImageShape) => {
      const name = names[draws.below(names.length)]!;
      return drawChange(draws, image, [name, MIXED], [draws.below(severity), MOST_SEVERE], options);
    };
    return keepsShape('AugMix', {
      check: check('AugMix', options),
      draw: (draws, image) => {
        const [own, changed] = dirichlet(draws, alpha, 2) as [number, number];
        const chains = dirichlet(draws, alpha, mixture_width).map((share) => {
          const depth = chain_depth > 0 ? chain_depth : 1 + draws.below(3);
          const ops = Array.from({ length: depth }, () => change(draws, image)).flat();
          return { share: share * changed, ops };
        });
        return [{ kind: 'mix', own, chains }];
      },
    });
  },
});

/** Shares whose sum is 1, of Dirichlet(alpha, ..., alpha): those of gamma variates. */
function dirichlet(draws: Draws, alpha: number, count: number): number[] {
  const logs = Array.from({ length: count }, () => logGamma(alpha, () => draws.unit()));
  const most = Math.max(...logs);
  const parts = logs.map((log) => Math.exp(log - most));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / whole);
}
