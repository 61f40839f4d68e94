/** RandomErasing. */

import { z } from 'zod';
import { roundHalfEven } from '../../base/rounding.ts';
import type { Size } from '../../engine/image-ops/pixels.ts';
import type { Draws } from './draws.ts';
import { probability, range } from './options.ts';
import { argumentFault, type ErasingTransform, transforms } from './transforms.ts';

const options = z.strictObject({
  p: probability(0.5, 'a box of an image is erased'),
  scale: range(z.number().min(0).max(1))
    .default([0.02, 0.33])
    .describe("The part of the image's area that is erased: least and most."),
  ratio: range(z.number().positive())
    .default([0.3, 3.3])
    .describe('The height over the width of the box: least and most.'),
  value: z
    .union([z.number(), z.array(z.number()).min(1), z.literal('random')])
    .default(0)
    .describe('What is written: a number, one for each channel, or `random`, for normal noise.'),
  inplace: z.boolean().default(false).describe('Of no effect: torchvision has it.'),
});

type Options = z.output<typeof options>;

/** Tries before an image is left as it is. */
const TRIES = 10;

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomErasing.html */
transforms.register('RandomErasing', {
  schema: options,
  create: (given: Options): ErasingTransform => {
    const { p, value } = given;
    const list = typeof value === 'number' ? [value] : value;
    return {
      name: 'RandomErasing',
      takes: 'tensor',
      noise: list === 'random',
      check: (channels) => {
        if (list === 'random' || list.length === 1 || list.length === channels) return;
        throw argumentFault(
          'RandomErasing',
          'value',
          `value has ${list.length} numbers, but the images have ${channels} channels`,
        );
      },
      draw: (draws, image) => {
        if (!draws.chance(p)) return undefined;
        const box = eraseBox(draws, image, given);
        if (box === undefined) return undefined;
        if (list === 'random') return { ...box, value: { key: [draws.word(), draws.word()] } };
        const values = Array.from({ length: image.channels }, (_, i) => list[i] ?? list[0]!);
        return { ...box, value: values };
      },
    };
  },
});

function eraseBox(draws: Draws, image: Size, { scale, ratio }: Options) {
  for (let i = 0; i < TRIES; i++) {
    const area = image.height * image.width * draws.uniform(...scale);
    const shape = Math.exp(draws.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const height = roundHalfEven(Math.sqrt(area * shape));
    const width = roundHalfEven(Math.sqrt(area / shape));
    if (height >= image.height || width >= image.width) continue;
    if (height === 0 || width === 0) return undefined;
    const top = draws.below(image.height - height + 1);
    return { top, left: draws.below(image.width - width + 1), height, width };
  }
  return undefined;
}
