/** Batch normalisation with running statistics. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import {
  type BatchNormOptions,
  type BatchNormResult,
  batchNormEval,
  batchNormTrain,
} from '../../ops/batch-norm.ts';

export interface FunctionalBatchNormOptions extends BatchNormOptions {
  /** Normalise by the batch, and let the running statistics follow it. */
  readonly training?: boolean;
  /** The weight of this batch in the running statistics; a tensor where it changes. */
  readonly momentum?: number | Tensor;
}

/**
 * Normalises each channel of x (N, C, ...), by the batch in training, otherwise by `running_mean`
 * (C) and `running_var` (C), which training updates in place (the variance without bias).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 */
export function batchNorm(
  x: Tensor,
  running_mean: Tensor | null,
  running_var: Tensor | null,
  { training = false, momentum = 0.1, ...options }: FunctionalBatchNormOptions = {},
): Tensor {
  if (!training) {
    if (running_mean === null || running_var === null) {
      throw opError(
        ArgumentError,
        'batch_norm',
        'needs running_mean and running_var when it is not training',
      );
    }
    return batchNormEval(x, running_mean, running_var, options);
  }
  const result = batchNormTrain(x, options);
  const count = numel(x.shape) / x.shape[1]!;
  // Nothing is learnt from an empty batch.
  if (count > 0) follow(running_mean, running_var, result, momentum, count);
  return result.output;
}

function follow(
  running_mean: Tensor | null,
  running_var: Tensor | null,
  { mean, variance }: BatchNormResult,
  momentum: number | Tensor,
  count: number,
): void {
  const kept = typeof momentum === 'number' ? 1 - momentum : momentum.neg().add(1);
  const mix = (running: Tensor | null, value: Tensor) =>
    running?.copy_(running.mul(kept).add(value.mul(momentum)));
  noGrad(() => {
    mix(running_mean, mean);
    mix(running_var, variance.mul(count / (count - 1)));
  });
}
