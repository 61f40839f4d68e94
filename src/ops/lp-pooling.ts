/** Power-average pooling: the p-norm of each window. */

import { numel } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { avgPool1d, avgPool2d, avgPool3d } from './avg-pooling.ts';
import { named } from './named.ts';
import { abs, mul, pow, relu, sign } from './pointwise.ts';
import { strideOr } from './pooling.ts';
import { type Sizes, windowSizes } from './window.ts';

const ARGUMENTS = ['input', 'norm_type', 'kernel_size', 'stride', 'ceil_mode'] as const;
const AVERAGE = { 1: avgPool1d, 2: avgPool2d, 3: avgPool3d } as const;

function lpPool(
  dims: 1 | 2 | 3,
  input: Tensor,
  norm_type: number,
  window: { readonly kernel_size: Sizes; readonly stride: Sizes | null },
  ceil_mode: boolean,
): Tensor {
  const kernel_size = windowSizes(`lp_pool${dims}d`, 'kernel_size', window.kernel_size, dims, 1);
  const stride = strideOr(window.stride, kernel_size);
  const means = AVERAGE[dims](pow(input, norm_type), kernel_size, stride, 0, ceil_mode);
  // Of an odd power the sums have signs, which PyTorch keeps under the root.
  return pow(mul(mul(sign(means), relu(abs(means))), numel(kernel_size)), 1 / norm_type);
}

/** The function of `dims` dimensions: they take the same arguments. */
function lpPoolOver(dims: 1 | 2 | 3) {
  return named(
    `lp_pool${dims}d`,
    ARGUMENTS,
    (
      input: Tensor,
      norm_type: number,
      kernel_size: Sizes,
      stride: Sizes | null = null,
      ceil_mode = false,
    ): Tensor => lpPool(dims, input, norm_type, { kernel_size, stride }, ceil_mode),
  );
}

/**
 * x (N, C, L) or (C, L) -> (sum of x^p over each window)^(1/p) with p = `norm_type`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the input.
 */
export const lpPool1d = lpPoolOver(1);

/**
 * x (N, C, H, W) or (C, H, W) -> (sum of x^p over each window)^(1/p) with p = `norm_type`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the input.
 */
export const lpPool2d = lpPoolOver(2);

/**
 * x (N, C, D, H, W) or (C, D, H, W) -> (sum of x^p over each window)^(1/p) with p = `norm_type`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html
 *
 * @throws ShapeError for another rank, an empty plane, or a kernel larger than the input.
 */
export const lpPool3d = lpPoolOver(3);
