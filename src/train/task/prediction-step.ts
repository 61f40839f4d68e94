/** What a trained model gives for a batch: the step that predictions and reports share. */

import { autocast } from '../../core/autocast.ts';
import { type CompiledStep, compile } from '../../core/compile.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import { firstOutput } from '../../nn/index.ts';
import { switchedOff, type Task } from './task.ts';

export type PredictionStep = CompiledStep<[input: Tensor], Tensor>;

/**
 * The model's main output as float32, in the task's precision; the model must be in evaluation mode
 * at every call.
 */
export function predictionStep({ model, mixed, engine }: Task): PredictionStep {
  const output = (input: Tensor) => autocast(() => model.call(input), { enabled: mixed });
  return compile((input: Tensor) => noGrad(() => firstOutput(output(input)).to('float32')), {
    state: [model],
    name: 'prediction step',
    onRetrace: () => undefined,
    off: switchedOff(engine),
  });
}

/** The shares of some scores, which sum to 1: their softmax, in float64. */
export function shares(scores: Float32Array): Float64Array {
  const greatest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(scores, (score) => Math.exp(score - greatest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
