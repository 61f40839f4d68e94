/** Transforms that are made of others: what each of these draws comes from the same sequence. */

import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import type { Spec } from '../../base/registry.ts';
import { type ImageOp, shapeAfterAll } from '../../engine/image-ops/op.ts';
import type { ImageShape, Size } from '../../engine/image-ops/pixels.ts';
import type { Draws } from './draws.ts';
import { probability } from './options.ts';
import { givenAfter, givenBy } from './pipeline.ts';
import {
  argumentFault,
  buildImageTransforms,
  type Given,
  type ImageTransform,
  transforms,
  transformsArgument,
} from './transforms.ts';

/** What one transform after the other does to an image. */
function drawAll(
  steps: readonly ImageTransform[],
  draws: Draws,
  image: ImageShape,
): readonly ImageOp[] {
  const ops: ImageOp[] = [];
  for (const step of steps) ops.push(...step.draw(draws, shapeAfterAll(ops, image)));
  return ops;
}

/** What images are after one of several ways. Throws a `ConfigError` where channels differ. */
function oneOf(name: string, ways: readonly Given[]): Given {
  const [first, ...others] = ways as [Given, ...Given[]];
  if (others.some(({ channels }) => channels !== first.channels)) {
    throw new ConfigError(`[${name}] images would have different numbers of channels`);
  }
  const isSame = others.every(({ size }) => sameSize(size, first.size));
  return { channels: first.channels, size: isSame ? first.size : undefined };
}

function sameSize(a: Size | undefined, b: Size | undefined): boolean {
  return a?.height === b?.height && a?.width === b?.width;
}

const applyOptions = z.strictObject({
  transforms: transformsArgument('These are applied in order, or none of them.'),
  p: probability(0.5, 'they are applied'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomApply.html */
transforms.register('RandomApply', {
  schema: applyOptions,
  create: ({ transforms: specs, p }: { transforms: Spec[]; p: number }): ImageTransform => {
    const steps = buildImageTransforms('RandomApply', specs);
    return {
      name: 'RandomApply',
      takes: 'image',
      random: true,
      gives: (given) => oneOf('RandomApply', [givenAfter(steps, given), given]),
      draw: (draws, image) => (draws.chance(p) ? drawAll(steps, draws, image) : []),
    };
  },
});

const choiceOptions = z.strictObject({
  transforms: transformsArgument('One of these is taken for each image.'),
  p: z
    .array(z.number().min(0))
    .nullable()
    .default(null)
    .describe('How likely each of them is. Default: all the same.'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomChoice.html */
transforms.register('RandomChoice', {
  schema: choiceOptions,
  create: ({ transforms: specs, p }: z.output<typeof choiceOptions>): ImageTransform => {
    const steps = buildImageTransforms('RandomChoice', specs);
    const weights = p ?? steps.map(() => 1);
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    if (weights.length !== steps.length || whole === 0) {
      throw argumentFault(
        'RandomChoice',
        'p',
        `p has ${weights.length} numbers and the sum ${whole}; it needs a probability for each of the ${steps.length} transforms`,
      );
    }
    const ends = weights.map((_, i) => weights.slice(0, i + 1).reduce((a, b) => a + b));
    return {
      name: 'RandomChoice',
      takes: 'image',
      random: true,
      gives: (given) =>
        oneOf(
          'RandomChoice',
          steps.map((step) => givenBy(step, given)),
        ),
      draw: (draws, image) => {
        const at = draws.unit() * whole;
        const chosen = ends.findIndex((end) => at < end);
        // Rounding may leave a rest behind the last.
        return (steps[chosen] ?? steps.at(-1)!).draw(draws, image);
      },
    };
  },
});

const orderOptions = z.strictObject({
  transforms: transformsArgument('All of these are applied, in an order drawn for each image.'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomOrder.html */
transforms.register('RandomOrder', {
  schema: orderOptions,
  create: ({ transforms: specs }: { transforms: Spec[] }): ImageTransform => {
    const steps = buildImageTransforms('RandomOrder', specs);
    return {
      name: 'RandomOrder',
      takes: 'image',
      random: true,
      gives: (given) => {
        const each = steps.map((step) => givenBy(step, given));
        // Where each keeps the size, so does any order; else it may depend on the order.
        return oneOf('RandomOrder', [given, ...each]);
      },
      draw: (draws, image) => {
        const order = draws.order(steps.length).map((i) => steps[i]!);
        return drawAll(order, draws, image);
      },
    };
  },
});
