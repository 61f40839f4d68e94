/**
 * Gradients limited in norm.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { applyAll } from '../core/apply.ts';
import type { Node } from '../core/graph.ts';
import { Tensor } from '../core/tensor.ts';
import { isOff } from '../engine/switches.ts';
import { clamp } from './arithmetic.ts';
import { defineOp } from './define.ts';
import { stack } from './joining.ts';
import { abs, add, cast, div, mul, pow } from './pointwise.ts';
import { amax, sum } from './reduction.ts';

const CLIP_NORM = defineOp<{ max_norm: number; norm_type: number }>({
  name: 'clip_norm',
  kind: 'optimizer',
  vjp: 'nondiff',
  infer(inputs) {
    const { dtype } = inputs[0]!;
    const other = inputs.find((input) => input.dtype !== dtype || !isFloating(input.dtype));
    if (other === undefined) return [0, 1].map(() => ({ dtype, shape: [] }));
    throw opError(
      DTypeError,
      'clip_norm',
      `needs tensors of one floating dtype, got ${dtype} and ${other.dtype}`,
    );
  },
  lower: ({ attrs }) => ({ kernel: 'clip_norm', attrs }),
});

export interface ClipOptions {
  readonly max_norm: number;
  /** Infinity for the largest magnitude. */
  readonly norm_type: number;
}

/**
 * The norm of all elements of `tensors` together, and the factor, at most 1, that brings it down to
 * `max_norm`: both zero-dimensional.
 */
export function clipNorm(
  tensors: readonly Tensor[],
  options: ClipOptions,
): { norm: Tensor; scale: Tensor } {
  const { max_norm, norm_type } = options;
  if (tensors.length === 0) throw opError(ArgumentError, 'clip_norm', 'there are no tensors');
  if (!(norm_type > 0)) {
    throw opError(ArgumentError, 'clip_norm', `norm_type must be positive, got ${norm_type}`);
  }
  const { dtype } = tensors[0]!;
  const isOneDType = tensors.every((x) => x.dtype === dtype);
  if (isOff('fused_optimizer') || !isOneDType) return clipNormComposite(tensors, options);
  const [norm, scale] = applyAll(CLIP_NORM, tensors, { max_norm, norm_type });
  return { norm: norm!, scale: scale! };
}

/** The same of ordinary ops: for mixed dtypes, and the tests' oracle. */
export function clipNormComposite(
  tensors: readonly Tensor[],
  { max_norm, norm_type: p }: ClipOptions,
): { norm: Tensor; scale: Tensor } {
  const isLargest = p === Number.POSITIVE_INFINITY;
  const parts = tensors
    .filter((x) => !isLargest || x.numel() > 0)
    .map((x) => (isLargest ? amax(abs(x)) : sum(pow(abs(x), p))));
  const all = stack(parts.map((part) => cast(part, tensors[0]!.dtype)));
  const norm = isLargest ? amax(all) : pow(sum(all), 1 / p);
  return { norm, scale: clamp(div(max_norm, add(norm, 1e-6)), null, 1) };
}

/** What a scaled gradient was before, so that an optimizer can scale as it updates. */
const scaledBy = new WeakMap<Node, { readonly gradient: Tensor; readonly scale: Tensor }>();

/** gradient *= scale. An optimizer that is given it folds the product into its update. */
export function scaleGradient_(gradient: Tensor, scale: Tensor): void {
  const before = new Tensor(gradient.value);
  gradient.rebind(cast(mul(gradient, scale), gradient.dtype).value);
  if (gradient.dtype !== scale.dtype) return;
  scaledBy.set(gradient.value.node, { gradient: before, scale });
}

/** What `scaleGradient_` was given; any other gradient as it is. */
export function unscaled(gradient: Tensor): { gradient: Tensor; scale: Tensor | undefined } {
  return scaledBy.get(gradient.value.node) ?? { gradient, scale: undefined };
}
