/** A file that one process at a time holds; that of a process that was killed holds nobody up. */

import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';

/** A process, told from a later one of the same number. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When it was started, in ticks since the machine was; unknown where there is no /proc. */
  readonly started: string | null;
}

/**
 * Takes the lock `path` for this process; returns what gives it back.
 *
 * @param busy what to say when process `pid` holds it.
 * @throws FileError when another process holds it.
 */
export async function takeLock(
  path: string,
  busy: (pid: number) => string,
): Promise<() => Promise<void>> {
  const own = holder(process.pid);
  const before = await readHolder(path);
  // One process may take it again and again, and may have failed to give it back.
  if (before !== undefined && before.pid !== process.pid && isAlive(before)) {
    throw new FileError(busy(before.pid));
  }
  try {
    await rm(path, { force: true });
    await writeFile(path, `${JSON.stringify(own)}\n`, { flag: 'wx' });
  } catch (error) {
    throw fileError(`cannot write ${path}`, error);
  }
  return () => rm(path, { force: true });
}

/** How often a lock that is held is asked for (ms). */
const POLL = 200;

/** A lock that nobody holds may be one that is just being written. */
const MOST_FAILURES = 3;

/**
 * Takes the lock `path` as soon as no other process holds it.
 *
 * @param onWait told once, when process `pid` holds it.
 */
export async function waitForLock(
  path: string,
  { onWait, signal }: { onWait: (pid: number) => void; signal?: AbortSignal | undefined },
): Promise<() => Promise<void>> {
  let waits = false;
  for (let failures = 0; ; ) {
    try {
      return await takeLock(path, String);
    } catch (error) {
      const held = await readHolder(path);
      if (held !== undefined && isAlive(held)) {
        if (!waits) onWait(held.pid);
        waits = true;
      } else if (++failures === MOST_FAILURES) {
        throw error;
      }
    }
    await setTimeout(POLL, undefined, { signal });
  }
}

function holder(pid: number): Holder {
  return { host: os.hostname(), pid, started: startOf(pid) };
}

/** Whether a process of this machine, this one included, holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await readHolder(path);
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
