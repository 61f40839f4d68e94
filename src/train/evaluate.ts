/** `evaluate`: measures a checkpoint on the data sets of a config. */

import { splitsCalled } from '../config/splits.ts';
import { setThreads } from '../core/device.ts';
import { restoreWeights } from './checkpoint/snapshot.ts';
import { openLoader } from './loop/batches.ts';
import { Evaluator } from './loop/evaluator.ts';
import type { EvaluateRequest, EvaluateResult } from './request.ts';
import { withLearnedBy } from './run/learned.ts';
import { buildTask } from './task/task.ts';

/**
 * One result for each data set that `split` names.
 *
 * @throws ConfigError when the config's parts do not fit together or it has no such split;
 *   FileError when the data or the checkpoint cannot be read, or the checkpoint does not fit.
 */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateResult[]> {
  const { checkpoint } = request;
  const loaded = withLearnedBy(request.loaded, checkpoint);
  const called = splitsCalled(request.split, loaded);
  if (request.threads !== undefined) setThreads(request.threads);
  const task = buildTask(loaded);
  await restoreWeights(task, checkpoint, request.trained);
  const evaluator = new Evaluator(task, () => undefined);
  try {
    const results: EvaluateResult[] = [];
    for (const split of called) {
      const start = performance.now();
      const source = split === 'train' ? task.train : task.heldOut.get(split)!;
      const loader = openLoader(loaded, await source.load(), 'evaluation');
      try {
        const [pass] = (await evaluator.run(new Map([[split, loader]])))!;
        const { samples, values, arrays } = pass!.measurement;
        const seconds = (performance.now() - start) / 1000;
        results.push({ checkpoint, split, samples, seconds, metrics: values, arrays });
      } finally {
        loader.dispose();
      }
    }
    return results;
  } finally {
    evaluator.dispose();
  }
}
