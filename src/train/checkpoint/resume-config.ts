/** A run that goes on with another config: what may change, and what cannot. */

import type { TorchtsError } from '../../base/errors.ts';
import { type ConfigChange, configChanges, formatChange } from '../../config/changes.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { Trainer } from '../loop/trainer.ts';
import type { Resumed } from './resume.ts';
import { MisfitError } from './snapshot.ts';

/**
 * Restores the trainer; returns what has changed in the config since.
 *
 * @throws ConfigError that points at a change with which the run cannot go on; FileError where
 *   the checkpoint does not fit although nothing has changed.
 */
export async function restore(
  trainer: Trainer,
  loaded: LoadedConfig,
  { source, folder, checkpoint }: Resumed,
): Promise<ConfigChange[]> {
  const before = await source?.config();
  const changes = before === undefined ? [] : configChanges(before, loaded.text);
  try {
    trainer.restore(folder, checkpoint);
  } catch (error) {
    throw error instanceof MisfitError ? blame(error, loaded, changes) : error;
  }
  return changes;
}

/** The first change in the part that does not fit. */
function blame(error: MisfitError, loaded: LoadedConfig, changes: readonly ConfigChange[]) {
  const change =
    changes.find(({ path }) => path[0] === error.part) ??
    // What is frozen, the optimizer does not know.
    changes.find(({ path }) => path.slice(0, 2).join('.') === 'model.freeze');
  if (change === undefined) return error as TorchtsError;
  const reason = `a run cannot go on with this change (${formatChange(change)})`;
  return loaded.error(change.path, `${reason}: ${error.message}`);
}
