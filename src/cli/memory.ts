/** The memory of a step, planned by the engine without running it. */

import type { MemoryPlan } from '../engine/engine.ts';
import { engineInfo } from '../engine/native/info.ts';
import { zeros } from '../ops/creation.ts';
import { type BatchStep, evaluationStep, type Task, trainingStep } from '../train/task/task.ts';

/** What a step of each kind needs at once. */
export interface TaskMemory {
  /** Forward, backward and update. */
  readonly training: MemoryPlan;
  /** Forward only. */
  readonly evaluation: MemoryPlan;
}

/** For full batches; `undefined` where the engine cannot be loaded. */
export function taskMemory(task: Task): TaskMemory | undefined {
  if (!engineInfo().available) return undefined;
  const { model } = task;
  const training = memoryOf(
    task,
    task.samples_per_step,
    trainingStep(task, task.totals('training'), () => undefined),
  );
  const mode = model.training;
  model.eval();
  try {
    const step = evaluationStep(task, task.totals('evaluation'), () => undefined);
    return { training, evaluation: memoryOf(task, task.eval_batch_size, step) };
  } finally {
    model.train(mode);
  }
}

function memoryOf({ train }: Task, samples: number, step: BatchStep): MemoryPlan {
  const { input, target } = train;
  try {
    return step.inspect(
      zeros([samples, ...input.shape], { dtype: input.dtype }),
      zeros([samples, ...target.shape], { dtype: target.dtype }),
    ).memory;
  } finally {
    step.dispose();
  }
}
