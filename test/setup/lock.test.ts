import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../scripts/setup/lock.mjs';
import { temporaryFolder } from './temporary.ts';

const MODULE = new URL('../../scripts/setup/lock.mjs', import.meta.url).href;
const never = () => expect.unreachable('the lock was free');

/** Runs code in another process that has `withLock` and `path`; gives its exit code. */
function elsewhere(path: string, code: string): Promise<number | null> {
  const script = `import { withLock } from '${MODULE}'; import * as fs from 'node:fs';
    const path = ${JSON.stringify(path)}; const wait = (ms) => new Promise((r) => setTimeout(r, ms));
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.on('close', resolve));
}

describe('withLock', () => {
  it('gives the result and leaves nothing behind', async () => {
    const path = join(temporaryFolder(), 'new/lock');
    const held = await withLock(path, { onWait: never }, () => Promise.resolve(existsSync(path)));
    expect(held).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it('is released by a failure', async () => {
    const path = join(temporaryFolder(), 'lock');
    const failing = withLock(path, { onWait: never }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });

  it('lets one process in at a time', async () => {
    const folder = temporaryFolder();
    const code = `
      await withLock(path, { onWait() {} }, async () => {
        const fd = fs.openSync(path + '.inside', 'wx'); // fails when another is inside
        await wait(100);
        fs.closeSync(fd);
        fs.unlinkSync(path + '.inside');
      });`;
    const path = join(folder, 'lock');
    const codes = await Promise.all([1, 2, 3, 4].map(() => elsewhere(path, code)));
    expect(codes).toEqual([0, 0, 0, 0]);
  });

  it('waits for a living holder and says so once', async () => {
    const path = join(temporaryFolder(), 'lock');
    const other = elsewhere(path, 'await withLock(path, { onWait() {} }, () => wait(800));');
    while (!existsSync(path)) await sleep(10);
    const waits: string[] = [];
    await withLock(path, { onWait: (holder) => waits.push(holder) }, () => Promise.resolve());
    expect(waits).toEqual([expect.stringMatching(/^process \d+ on /)]);
    expect(await other).toBe(0);
  });

  it('takes over from a process that died', async () => {
    const path = join(temporaryFolder(), 'lock');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(path, JSON.stringify({ pid: dead, host: hostname() }));
    const held = await withLock(path, { onWait: never }, async () => readFileSync(path, 'utf8'));
    expect(JSON.parse(held).pid).toBe(process.pid);
  });

  it('takes over a lock that nobody touches any more, whoever made it', async () => {
    const path = join(temporaryFolder(), 'lock');
    writeFileSync(path, JSON.stringify({ pid: 1, host: 'another-machine' }));
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    await withLock(path, { onWait: never }, () => Promise.resolve());
    expect(existsSync(path)).toBe(false);
  });
});
