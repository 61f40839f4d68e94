/**
 * PyTorch's older window functions, periodic unless said otherwise.
 * https://pytorch.org/docs/stable/generated/torch.hann_window.html
 */

import type { DType } from '../base/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import { bartlett, blackman, generalCosine, hann, kaiser } from './windows.ts';

type Window = (
  M: number,
  options: { sym: boolean; dtype: DType | null; requires_grad: boolean },
) => Tensor;

const periodic = (op: string, window: Window) =>
  named(
    op,
    ['window_length', 'periodic', 'dtype', 'requires_grad'],
    (window_length: number, periodic = true, dtype: DType | null = null, requires_grad = false) =>
      window(window_length, { sym: !periodic, dtype, requires_grad }),
  );

export const bartlettWindow = periodic('bartlett_window', bartlett);
export const blackmanWindow = periodic('blackman_window', blackman);
export const hannWindow = periodic('hann_window', hann);

export const hammingWindow = named(
  'hamming_window',
  ['window_length', 'periodic', 'alpha', 'beta', 'dtype', 'requires_grad'],
  (
    window_length: number,
    periodic = true,
    alpha = 0.54,
    beta = 0.46,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => generalCosine(window_length, [alpha, beta], !periodic, dtype, requires_grad),
);

export const kaiserWindow = named(
  'kaiser_window',
  ['window_length', 'periodic', 'beta', 'dtype', 'requires_grad'],
  (
    window_length: number,
    periodic = true,
    beta = 12,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => kaiser(window_length, beta, !periodic, dtype, requires_grad),
);
