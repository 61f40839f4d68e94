/** How long a run is. */

import type { LoadedConfig } from '../../config/load.ts';
import type { DataLoader } from '../../data/loading/loader.ts';
import type { Task } from '../task/task.ts';

export interface RunLength {
  readonly steps: number;
  /** The last of them may be cut short. */
  readonly epochs: number;
}

/** @throws ConfigError where the schedule of the learning rate ends before the run does. */
export function runLength(
  loaded: LoadedConfig,
  { schedule }: Task,
  { batchesPerEpoch }: DataLoader,
): RunLength {
  const { epochs = Number.POSITIVE_INFINITY, max_steps = Number.POSITIVE_INFINITY } =
    loaded.config.trainer;
  const steps = Math.min(epochs * batchesPerEpoch, max_steps);
  const length = { steps, epochs: Math.ceil(steps / batchesPerEpoch) };
  const fault = schedule.lengthFault(length);
  if (fault !== undefined) throw loaded.error(['scheduler', 'total_steps'], fault);
  return length;
}
