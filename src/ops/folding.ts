/** Patches of images as columns (im2col), and their sum put back (col2im). */

import { needsFloating } from '../base/dtype.ts';
import { opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { reshape, squeeze, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { pad } from './padding.ts';
import { narrow } from './slicing.ts';
import { foldWindows, slidingWindows, windowCounts } from './sliding.ts';
import { checkImages, inBatches, type Sizes, windowSizes } from './window.ts';

interface PatchArguments {
  readonly kernel_size: Sizes;
  readonly dilation: Sizes;
  readonly padding: Sizes;
  readonly stride: Sizes;
}

function patches(op: string, given: PatchArguments) {
  const padding = windowSizes(op, 'padding', given.padding, 2, 0);
  const sliding = {
    ...{ first: 2, taps_at: 2 },
    kernel: windowSizes(op, 'kernel_size', given.kernel_size, 2, 1),
    dilation: windowSizes(op, 'dilation', given.dilation, 2, 1),
    stride: windowSizes(op, 'stride', given.stride, 2, 1),
  };
  return { padding: padding as [number, number], sliding };
}

/**
 * x (N, C, H, W) or (C, H, W) -> (N, C * kH * kW, L) or (C * kH * kW, L): the L patches of x as
 * columns.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 *
 * @throws ShapeError for another rank, or where no patch fits.
 */
export const unfold = named(
  'unfold',
  ['input', 'kernel_size', 'dilation', 'padding', 'stride'],
  (
    input: Tensor,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
  ): Tensor => {
    checkImages('unfold', input, 2);
    const found = patches('unfold', { kernel_size, dilation, padding, stride });
    const { sliding } = found;
    const [high, wide] = found.padding;
    return inBatches(input, 2, (x) => {
      const padded = pad(x, [wide, wide, high, high]);
      const counts = windowCounts(padded.shape.slice(2), sliding);
      if (counts.some((count) => count < 1)) {
        const message = `kernel (${sliding.kernel}) is larger than the padded input`;
        throw opError(ShapeError, 'unfold', `${message} ${formatShape(padded.shape)}`);
      }
      const [n, channels] = x.shape as [number, number, number, number];
      const rows = channels * sliding.kernel[0]! * sliding.kernel[1]!;
      return reshape(slidingWindows(padded, sliding), [n, rows, counts[0]! * counts[1]!]);
    });
  },
);

/**
 * x (N, C * kH * kW, L) or (C * kH * kW, L) -> (N, C, *output_size) or (C, *output_size): the
 * columns added where `unfold` took them from.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 *
 * @throws ShapeError where the columns are not the patches of an image of `output_size`.
 */
export const fold = named(
  'fold',
  ['input', 'output_size', 'kernel_size', 'dilation', 'padding', 'stride'],
  (
    input: Tensor,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
  ): Tensor => {
    needsFloating('fold', input);
    const size = windowSizes('fold', 'output_size', output_size, 2, 1);
    const { padding: around, sliding } = patches('fold', {
      kernel_size,
      dilation,
      padding,
      stride,
    });
    const whole = size.map((n, i) => n + 2 * around[i]!);
    const counts = windowCounts(whole, sliding);
    const taps = sliding.kernel[0]! * sliding.kernel[1]!;
    const columns = counts[0]! * counts[1]!;
    const [rows, found] = input.shape.slice(-2) as [number, number];
    const ranked = input.ndim === 2 || input.ndim === 3;
    if (
      !ranked ||
      rows === 0 ||
      rows % taps !== 0 ||
      found !== columns ||
      counts.some((n) => n < 1)
    ) {
      throw opError(
        ShapeError,
        'fold',
        `input ${formatShape(input.shape)} must be (N, C * ${taps}, ${columns}) for output_size (${size})`,
      );
    }
    const x = input.ndim === 2 ? unsqueeze(input, 0) : input;
    const shape = [x.shape[0]!, rows / taps];
    const windows = reshape(x, [...shape, ...sliding.kernel, ...counts]);
    const sum = foldWindows(windows, [...shape, ...whole], sliding);
    const image = size.reduce((y, n, i) => narrow(y, i + 2, around[i]!, n), sum);
    return input.ndim === 2 ? squeeze(image, 0) : image;
  },
);
