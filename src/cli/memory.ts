/** The memory of a training step, planned by the engine without running it. */

import type { MemoryPlan } from '../engine/engine.ts';
import { engineInfo } from '../engine/native/info.ts';
import { zeros } from '../ops/creation.ts';
import { type Task, trainingStep } from '../train/task.ts';

/**
 * What one step of forward, backward and update takes for batches of `batch_size`; `undefined`
 * where the engine cannot be loaded.
 */
export function trainingMemory(task: Task, batch_size: number): MemoryPlan | undefined {
  if (!engineInfo().available) return undefined;
  const { input, target } = task.train;
  const step = trainingStep(task, task.totals(), () => undefined);
  try {
    return step.inspect(
      zeros([batch_size, ...input.shape], { dtype: input.dtype }),
      zeros([batch_size, ...target.shape], { dtype: target.dtype }),
    ).memory;
  } finally {
    step.dispose();
  }
}
