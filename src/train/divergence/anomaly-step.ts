/**
 * The training step with an eye on every op: computed eagerly, one op after the other. What it
 * computes is the compiled step's; https://pytorch.org/docs/stable/autograd.html#anomaly-detection
 */

import { TorchtsError } from '../../base/errors.ts';
import { detectAnomaly } from '../../core/anomaly.ts';
import type { Totals } from '../loop/totals.ts';
import { type BatchStep, type Task, takeStep } from '../task/task.ts';

/** An op made something that is not finite. */
export class AnomalyError extends TorchtsError {}

/** @param stepsTaken before the first call. */
export function anomalyStep(
  task: Task,
  totals: Totals,
  stepsTaken: () => number,
): Pick<BatchStep, 'many'> {
  let step: number | undefined;
  return {
    async many(calls) {
      for (const [input, target] of calls) {
        step = (step ?? stepsTaken()) + 1;
        try {
          detectAnomaly(() => takeStep(task, totals, input, target));
        } catch (error) {
          if (!(error instanceof TorchtsError)) throw error;
          throw new AnomalyError(`in step ${step}, ${error.message}`);
        }
      }
      return calls.map(() => undefined);
    },
  };
}
