/** GaussianBlur. */

import { z } from 'zod';
import { range, sizeOf } from './options.ts';
import { argumentFault, keepsShape, transforms } from './transforms.ts';

const odd = z
  .int()
  .min(1)
  .max(255)
  .refine((value) => value % 2 === 1, { message: 'must be odd' });
const deviation = z.number().positive();

const options = z.strictObject({
  kernel_size: z
    .union([odd, z.tuple([odd, odd])])
    .describe('Pixels, along the width and the height.'),
  sigma: z
    .union([deviation, range(deviation)])
    .default([0.1, 2])
    .describe('The standard deviation in pixels, or its range.'),
});

/** https://pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianBlur.html */
transforms.register('GaussianBlur', {
  schema: options,
  create: ({ kernel_size, sigma }: z.output<typeof options>) => {
    // torchvision's two sizes are those along the width and the height.
    const { height: across, width: down } = sizeOf(kernel_size);
    const bounds = typeof sigma === 'number' ? ([sigma, sigma] as const) : sigma;
    return keepsShape('GaussianBlur', {
      check: ({ size }) => {
        if (size === undefined || (across < 2 * size.width && down < 2 * size.height)) return;
        throw argumentFault(
          'GaussianBlur',
          'kernel_size',
          `kernel_size ${across} x ${down} (width x height) reaches over the reflected image, ${size.width} x ${size.height}`,
        );
      },
      draw: (draws) => {
        const drawn = draws.uniform(...bounds);
        const [kernel_x, kernel_y] = [gaussian(across, drawn), gaussian(down, drawn)];
        return [{ kind: 'gaussian_blur', kernel_x, kernel_y }];
      },
    });
  },
});

/** The weights of a kernel of `size` pixels, whose sum is 1. */
export function gaussian(size: number, sigma: number): number[] {
  const weights = Array.from({ length: size }, (_, i) => {
    const distance = (i - (size - 1) / 2) / sigma;
    return Math.exp(-(distance ** 2) / 2);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.fround(weight / sum));
}
