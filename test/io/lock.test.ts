import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeAbandoned } from '../../src/io/atomic.ts';
import { waitForLock } from '../../src/io/lock.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The lock of a process of this machine that lives as long as this one. */
function held(path: string): void {
  const pid = process.ppid;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(path, JSON.stringify({ host: os.hostname(), pid, started }));
}

describe('waitForLock', () => {
  it('waits as long as another process holds it, and says so once', async () => {
    const path = join(await temporaryFolder(), 'lock');
    held(path);
    const told: number[] = [];
    const taken = waitForLock(path, { onWait: (pid) => told.push(pid) });
    setTimeout(() => writeFileSync(path, 'not a lock'), 500);
    const unlock = await taken;
    expect(told).toEqual([process.ppid]);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    await unlock();
    expect(existsSync(path)).toBe(false);
  });

  it('ends when it is told to', async () => {
    const path = join(await temporaryFolder(), 'lock');
    held(path);
    const signal = AbortSignal.timeout(50);
    await expect(waitForLock(path, { onWait: () => undefined, signal })).rejects.toThrow();
  });

  it('fails where no lock can be written', async () => {
    const path = join(await temporaryFolder(), 'none', 'lock');
    const taken = waitForLock(path, { onWait: () => undefined });
    await expect(taken).rejects.toThrow(`cannot write ${path}`);
  });
});

describe('removeAbandoned', () => {
  it('removes old temporary files of that name alone', async () => {
    const folder = await temporaryFolder();
    const names = ['.a.1-x.tmp', '.a.2-x.tmp', '.ab.1-x.tmp', 'a', '.a.txt'];
    for (const name of names) writeFileSync(join(folder, name), '');
    const longAgo = Date.now() / 1000 - 7200;
    for (const name of names.slice(1)) utimesSync(join(folder, name), longAgo, longAgo);
    await removeAbandoned(join(folder, 'a'));
    expect(await readdir(folder)).toEqual(['.a.1-x.tmp', '.a.txt', '.ab.1-x.tmp', 'a']);
  });
});
