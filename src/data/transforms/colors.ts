/** Transforms of the colours of an image. */

import { z } from 'zod';
import type { ImageOp } from '../../engine/image-ops/op.ts';
import { probability, type Range, range } from './options.ts';
import { argumentFault, checkColours, keepsShape, transforms } from './transforms.ts';

/** So that float32 holds its products with bytes. */
const factor = z.number().min(0).max(1e6);
const turn = z.number().min(-0.5).max(0.5);

const jitter = (what: string, of: z.ZodNumber) =>
  z
    .union([z.number().min(0).max(1e6), range(of)])
    .nullable()
    .default(null)
    .describe(what);

const jitterOptions = z.strictObject({
  brightness: jitter('A factor from 1 - brightness to 1 + brightness, or from a range.', factor),
  contrast: jitter('A factor from 1 - contrast to 1 + contrast, or from a range.', factor),
  saturation: jitter('A factor from 1 - saturation to 1 + saturation, or from a range.', factor),
  hue: jitter('A part of the circle of colours from -hue to hue, or from a range.', turn),
});

type JitterOptions = z.output<typeof jitterOptions>;
const KINDS = ['brightness', 'contrast', 'saturation', 'hue'] as const;

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.ColorJitter.html */
transforms.register('ColorJitter', {
  schema: jitterOptions,
  create: (options: JitterOptions) => {
    const ranges = KINDS.map((kind) => jitterRange(kind, options[kind]));
    return keepsShape('ColorJitter', {
      check: (given) => checkColours('ColorJitter', given),
      draw: (draws) => {
        const order = draws.order(KINDS.length);
        const factors = ranges.map((bounds) => bounds && draws.uniform(...bounds));
        return order.flatMap((i): ImageOp[] => {
          const factor = factors[i];
          return factor === undefined ? [] : [{ kind: KINDS[i]!, factor }];
        });
      },
    });
  },
});

/** Nothing where nothing would change. */
function jitterRange(
  kind: (typeof KINDS)[number],
  value: JitterOptions[typeof kind],
): Range | undefined {
  if (value === null) return undefined;
  const middle = kind === 'hue' ? 0 : 1;
  if (typeof value !== 'number') {
    return value[0] === middle && value[1] === middle ? undefined : value;
  }
  if (kind === 'hue' && value > 0.5) {
    throw argumentFault('ColorJitter', 'hue', `hue must be 0.5 at most, got ${value}`);
  }
  if (value === 0) return undefined;
  return kind === 'hue' ? [-value, value] : [Math.max(0, 1 - value), 1 + value];
}

/** Registers a transform that is done to an image or not. */
function registerSometimes<Shape extends z.ZodRawShape>(
  name: string,
  { shape, p, what, op }: SometimesOptions<Shape>,
): void {
  transforms.register(name, {
    schema: z.strictObject({ ...shape, p: probability(p, `an image is ${what}`) }),
    create: (options: z.output<z.ZodObject<Shape>> & { p: number }) =>
      keepsShape(name, {
        check: (given) => checkColours(name, given),
        draw: (draws, image) => (draws.chance(options.p) ? [op(options, image)] : []),
      }),
  });
}

interface SometimesOptions<Shape extends z.ZodRawShape> {
  readonly shape: Shape;
  readonly p: number;
  readonly what: string;
  readonly op: (options: z.output<z.ZodObject<Shape>>, image: { channels: number }) => ImageOp;
}

registerSometimes('RandomGrayscale', {
  shape: {},
  p: 0.1,
  what: 'made gray; it keeps its channels',
  op: (_, { channels }) => ({ kind: 'grayscale', channels: channels as 1 | 3, as: 'tensor' }),
});

registerSometimes('RandomInvert', {
  shape: {},
  p: 0.5,
  what: 'inverted',
  op: () => ({ kind: 'invert' }),
});

registerSometimes('RandomAutocontrast', {
  shape: {},
  p: 0.5,
  what: 'stretched to the darkest and the brightest value, channel by channel',
  op: () => ({ kind: 'autocontrast' }),
});

registerSometimes('RandomEqualize', {
  shape: {},
  p: 0.5,
  what: 'equalized',
  op: () => ({ kind: 'equalize' }),
});

registerSometimes('RandomPosterize', {
  shape: { bits: z.int().min(0).max(8).describe('Bits that are kept of every value.') },
  p: 0.5,
  what: 'posterized',
  op: ({ bits }) => ({ kind: 'posterize', bits }),
});

registerSometimes('RandomSolarize', {
  shape: { threshold: z.number().max(255).describe('Values from here on are inverted.') },
  p: 0.5,
  what: 'solarized',
  op: ({ threshold }) => ({ kind: 'solarize', threshold }),
});

registerSometimes('RandomAdjustSharpness', {
  shape: {
    sharpness_factor: factor.describe('0 blurs, 1 changes nothing, 2 sharpens.'),
  },
  p: 0.5,
  what: 'sharpened',
  op: ({ sharpness_factor }) => ({ kind: 'sharpness', factor: sharpness_factor }),
});
