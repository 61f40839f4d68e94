/** PyTorch's functions of complex numbers, of the real numbers that all tensors hold here. */

import { isFloating } from '../base/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { same } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { add, cast, isnan, lt, mul, where } from './pointwise.ts';

const itself = (op: string) =>
  named(op, ['input'], (input: Tensor): Tensor => {
    requireTensors(op, { input });
    return same(input);
  });

/** The real part: the number itself. https://pytorch.org/docs/stable/generated/torch.real.html */
export const real = itself('real');
/** The conjugate: the number itself. https://pytorch.org/docs/stable/generated/torch.conj.html */
export const conj = itself('conj');
/** `conj`, computed at once. https://pytorch.org/docs/stable/generated/torch.conj_physical.html */
export const conjPhysical = itself('conj_physical');
/**
 * Nothing waits to be conjugated. https://pytorch.org/docs/stable/generated/torch.resolve_conj.html
 */
export const resolveConj = itself('resolve_conj');
/** Nothing waits to be negated. https://pytorch.org/docs/stable/generated/torch.resolve_neg.html */
export const resolveNeg = itself('resolve_neg');

/** True everywhere. https://pytorch.org/docs/stable/generated/torch.isreal.html */
export const isreal = named('isreal', ['input'], (input: Tensor): Tensor => {
  requireTensors('isreal', { input });
  return full(input.shape, 1, 'bool');
});

/**
 * The angle: 0, or pi for negative numbers; NaN stays. Its gradient is 0.
 * https://pytorch.org/docs/stable/generated/torch.angle.html
 */
export const angle = named('angle', ['input'], (input: Tensor): Tensor => {
  requireTensors('angle', { input });
  const x = isFloating(input.dtype) ? input : cast(input, 'float32');
  // The input takes part, so that there is a gradient.
  const none = mul(where(isnan(x), x, 0), 0);
  return add(where(lt(x, 0), Math.PI, full([], 0, x.dtype)), none);
});
