/** Batch normalisation with running statistics. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import { type BatchNormResult, batchNormEval, batchNormTrain } from '../../ops/batch-norm.ts';
import { same } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';

/**
 * Normalises each channel of x (N, C, ...), by the batch in training, otherwise by `running_mean`
 * (C) and `running_var` (C), which training updates in place (the variance without bias).
 * `momentum` is the weight of this batch in them, a tensor where it changes.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 *
 * @throws ArgumentError without statistics, for an `eps` that is negative or, in training, 0, or
 *   where training sees one value per channel; ShapeError where a parameter does not fit the
 *   channels; DTypeError unless `input` is floating.
 */
export const batchNorm = named(
  'batch_norm',
  ['input', 'running_mean', 'running_var', 'weight', 'bias', 'training', 'momentum', 'eps'],
  (
    input: Tensor,
    running_mean: Tensor | null,
    running_var: Tensor | null,
    weight: Tensor | null = null,
    bias: Tensor | null = null,
    training = false,
    momentum: number | Tensor = 0.1,
    eps = 1e-5,
  ): Tensor => {
    // PyTorch looks for channels only where there is something to normalise.
    if (input.ndim === 1 && input.shape[0] === 0) return same(input);
    if (!(training ? eps > 0 : eps >= 0)) {
      const wanted = training ? 'positive in training' : 'non-negative';
      throw opError(ArgumentError, 'batch_norm', `eps must be ${wanted}, got ${eps}`);
    }
    const options = { weight, bias, eps };
    if (!training) {
      if (running_mean === null || running_var === null) {
        throw opError(
          ArgumentError,
          'batch_norm',
          'needs running_mean and running_var when it is not training',
        );
      }
      return batchNormEval(input, running_mean, running_var, options);
    }
    const result = batchNormTrain(input, options);
    const count = numel(input.shape) / input.shape[1]!;
    // Nothing is learnt from an empty batch.
    if (count > 0) follow(running_mean, running_var, result, momentum, count);
    return result.output;
  },
);

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
