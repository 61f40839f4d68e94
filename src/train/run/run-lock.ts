/**
 * One process a run: a second one that went on with a run while the first still trains would mix
 * its records and checkpoints into those of the first.
 */

import { join } from 'node:path';
import { isLocked, takeLock } from '../../io/lock.ts';

const FILE = '.lock';

/**
 * Takes the run in `folder` for this process; returns what gives it back.
 *
 * @throws FileError when another process trains there.
 */
export function lockRun(folder: string): Promise<() => Promise<void>> {
  return takeLock(
    join(folder, FILE),
    (pid) => `${folder} is being trained by process ${pid}; stop that one, or wait for its end`,
  );
}

/** Whether a process of this machine, this one included, trains in `folder`. */
export function isTrained(folder: string): Promise<boolean> {
  return isLocked(join(folder, FILE));
}
