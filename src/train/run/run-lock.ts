/**
 * One process a run: a second one that went on with a run while the first still trains would mix
 * its records and checkpoints into those of the first. The lock of a process that was killed holds
 * nobody up.
 */

import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { fileError } from '../../io/atomic.ts';

const FILE = '.lock';

/** A process, told from a later one of the same number. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When it was started, in ticks since the machine was; unknown where there is no /proc. */
  readonly started: string | null;
}

/**
 * Takes the run in `folder` for this process; returns what gives it back.
 *
 * @throws FileError when another process trains there.
 */
export async function lockRun(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, FILE);
  const own = holder(process.pid);
  const before = await readHolder(path);
  // One run after another may be trained in one process, and an earlier one may have failed.
  if (before !== undefined && before.pid !== process.pid && isAlive(before)) {
    throw new FileError(
      `${folder} is being trained by process ${before.pid}; stop that one, or wait for its end`,
    );
  }
  try {
    await rm(path, { force: true });
    await writeFile(path, `${JSON.stringify(own)}\n`, { flag: 'wx' });
  } catch (error) {
    throw fileError(`cannot write ${path}`, error);
  }
  return () => rm(path, { force: true });
}

function holder(pid: number): Holder {
  return { host: os.hostname(), pid, started: startOf(pid) };
}

/** Whether a process of this machine, this one included, trains in `folder`. */
export async function isTrained(folder: string): Promise<boolean> {
  const holder = await readHolder(join(folder, FILE));
  return holder !== undefined && isAlive(holder);
}

/** Another machine's process cannot be asked, and may be long gone. */
function isAlive({ host, pid, started }: Holder): boolean {
  if (host !== os.hostname()) return false;
  if (started !== null) return startOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: field 22, after a name in brackets. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Nothing where there is no lock, or one that was never finished. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const { host, pid, started } = JSON.parse(await readFile(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? { host, pid, started } : undefined;
  } catch {
    return undefined;
  }
}
