import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { setUp } from '../../scripts/setup/set-up.mjs';
import { allSteps, buildSteps } from '../../scripts/setup/steps.mjs';
import { temporaryFolder } from './temporary.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const SCRIPTS = new URL('../../scripts/setup/', import.meta.url).href;

/** A set-up of one step, made of the given code, in a process of its own. */
function start(root: string, step: string) {
  const script = `import { reportFailure, setUp } from '${SCRIPTS}set-up.mjs';
    import { runLogged, SetupError } from '${SCRIPTS}command.mjs';
    const root = ${JSON.stringify(root)};
    const step = { title: 'a step', pending: () => true, run: async (progress) => { ${step} } };
    try { await setUp(root, [step]); } catch (error) { reportFailure(error); process.exitCode = 1; }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, closed, stdout: text(child.stdout), stderr: text(child.stderr) };
}

/** False for a zombie too: some containers have nobody who buries the dead. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describe('setUp', () => {
  it('writes nothing when nothing is to be done', async () => {
    const root = temporaryFolder();
    const idle = { title: 'x', pending: () => false, run: () => Promise.reject(new Error('ran')) };
    expect(await setUp(root, [idle])).toBe(false);
    expect(existsSync(join(root, '.cache'))).toBe(false);
  });

  it('shows its progress on standard error alone', async () => {
    const run = start(temporaryFolder(), "return 'done'");
    expect(await run.closed).toBe(0);
    expect(await run.stdout).toBe('');
    expect(await run.stderr).toMatch(
      /\[1\/1\] a step \.\.\.\n\[1\/1\] a step: done \(\d\.\d s\)\n$/,
    );
  });

  it('ends a failure with one line that helps, and frees the lock', async () => {
    const root = temporaryFolder();
    const run = start(root, "throw new SetupError('it broke', 'mend it')");
    expect(await run.closed).toBe(1);
    expect(await run.stderr).toMatch(/it broke\ntorchts: set-up failed\. To fix it: mend it\n$/);
    expect(existsSync(join(root, '.cache/setup.lock'))).toBe(false);
  });

  it('explains a folder it may not write to', async () => {
    const root = temporaryFolder();
    const step = "throw Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' })";
    const run = start(root, step);
    expect(await run.closed).toBe(1);
    expect(await run.stderr).toContain(`${root} cannot be written: EROFS`);
  });

  it('ends with its child and its lock when it is told to stop', async () => {
    const root = temporaryFolder();
    const mark = join(root, 'pid');
    const run = start(
      root,
      `await runLogged(['sh', '-c', 'sleep 60 & echo $! > pid; wait'],
        { cwd: root, log: root + '/log', fix: '' })`,
    );
    while (!existsSync(mark) || readFileSync(mark, 'utf8') === '') await sleep(20);
    run.child.kill('SIGTERM');
    expect(await run.closed).toBe(143);
    expect(existsSync(join(root, '.cache/setup.lock'))).toBe(false);
    const grandchild = Number(readFileSync(mark, 'utf8'));
    while (isRunning(grandchild)) await sleep(20);
  });
});

describe('the steps', () => {
  const titles = (steps: { title: string }[]) => steps.map((step) => step.title);

  it('of a checkout', () => {
    expect(titles(allSteps(ROOT))).toEqual([
      'npm packages',
      'system packages',
      'native engine',
      'TypeScript',
    ]);
    expect(titles(buildSteps(ROOT))).toEqual(['native engine', 'TypeScript']);
  });

  it('of an installed package leave npm and the compiler of TypeScript alone', () => {
    const root = temporaryFolder();
    expect(titles(allSteps(root))).toEqual(['system packages', 'native engine']);
    expect(titles(buildSteps(root))).toEqual(['native engine']);
  });
});
