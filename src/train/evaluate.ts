/** `evaluate`: measures a checkpoint on one split of a config's data. */

import { join } from 'node:path';
import { setThreads } from '../core/device.ts';
import { openLoader } from './batches.ts';
import { MODEL_FILE, readModel } from './checkpoint.ts';
import { Evaluator } from './evaluator.ts';
import type { EvaluateRequest, EvaluateResult } from './request.ts';
import { restoreModel } from './snapshot.ts';
import { buildTask } from './task.ts';

/**
 * @throws ConfigError when the config's parts do not fit together or it has no such split;
 *   FileError when the data or the checkpoint cannot be read, or the checkpoint does not fit.
 */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateResult> {
  const { loaded, checkpoint, split } = request;
  const start = performance.now();
  if (request.threads !== undefined) setThreads(request.threads);
  const task = buildTask(loaded);
  const source = task[split];
  if (source === undefined) throw loaded.error(['data'], 'there is no data.val to measure on');
  restoreModel(task.model, join(checkpoint, MODEL_FILE), (await readModel(checkpoint)).model);
  const loader = openLoader(loaded, await source.load(), 'val');
  const evaluator = new Evaluator(task, loader, () => undefined);
  try {
    const { samples, values, arrays } = (await evaluator.run())!;
    const seconds = (performance.now() - start) / 1000;
    return { checkpoint, split, samples, seconds, metrics: values, arrays };
  } finally {
    evaluator.dispose();
  }
}
