/** Gradients kept small, between `backward` and the optimizer's step. */

import { ArgumentError } from '../../base/errors.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { clamp } from '../../ops/arithmetic.ts';
import { clipNorm, scaleGradient_ } from '../../ops/clipping.ts';
import { zeros } from '../../ops/creation.ts';

export interface ClipGradNormOptions {
  /** Of the p-norm; `Infinity` for the largest magnitude. Default: 2. */
  readonly norm_type?: number;
}

type Parameters = Tensor | readonly Tensor[];

/**
 * Scales the gradients of `parameters`, in place, so that the norm of all of them together is at
 * most `max_norm`. Gives the norm they had, zero-dimensional.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm_(
  parameters: Parameters,
  max_norm: number,
  { norm_type = 2 }: ClipGradNormOptions = {},
): Tensor {
  if (!(max_norm >= 0)) throw negative('clipGradNorm_', 'max_norm', max_norm);
  const holders = withGradient(parameters);
  if (holders.length === 0) return zeros([]);
  return noGrad(() => {
    const gradients = holders.map((parameter) => parameter.grad!);
    const { norm, scale } = clipNorm(gradients, { max_norm, norm_type });
    for (const gradient of gradients) scaleGradient_(gradient, scale);
    return norm;
  });
}

/**
 * Limits every element of the gradients, in place, to [-clip_value, clip_value].
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(parameters: Parameters, clip_value: number): void {
  if (!(clip_value >= 0)) throw negative('clipGradValue_', 'clip_value', clip_value);
  noGrad(() => {
    for (const parameter of withGradient(parameters)) {
      parameter.grad!.copy_(clamp(parameter.grad!, -clip_value, clip_value));
    }
  });
}

function withGradient(parameters: Parameters): Tensor[] {
  const list = parameters instanceof Tensor ? [parameters] : parameters;
  return list.filter((parameter) => parameter.grad !== null);
}

function negative(op: string, name: string, value: number): ArgumentError {
  return new ArgumentError(`[${op}] ${name} must not be negative, got ${value}`);
}
