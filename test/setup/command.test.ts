import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram, runLogged, SetupError } from '../../scripts/setup/command.mjs';
import { temporaryFolder } from './temporary.ts';

/** Runs a program of Node's; gives its log, and the failure if there was one. */
async function runNode(code: string) {
  const cwd = temporaryFolder();
  const log = join(cwd, 'logs/log');
  const lines: string[] = [];
  const options = { cwd, log, onLine: (line: string) => lines.push(line), fix: 'do this' };
  const failure = await runLogged([process.execPath, '-e', code], options).catch((error) => error);
  return { failure, lines, log: readFileSync(log, 'utf8') };
}

describe('runLogged', () => {
  it('keeps all output in the log and hands on each line', async () => {
    const { failure, lines, log } = await runNode("console.log('a\\n\\nb'); console.error('c')");
    expect(failure).toBeUndefined();
    expect(lines.sort()).toEqual(['a', 'b', 'c']);
    expect(log).toMatch(/^\$ .*\n/);
    expect(log.split('\n').slice(1)).toEqual(expect.arrayContaining(['a', '', 'b', 'c']));
  });

  it('quotes the end of the output of a failure', async () => {
    const code = 'for (let i = 0; i < 100; i++) console.log("line", i); process.exitCode = 3';
    const { failure } = await runNode(code);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure.message).toContain('line 99\n');
    expect(failure.message).not.toContain('line 69\n');
    expect(failure.message).toContain('failed (3)');
    expect(failure.fix).toBe('do this');
  });

  it('quotes from the first error on where there is one', async () => {
    const code = `console.log('fine'); console.log('a.cc:3: error: first');
      for (let i = 0; i < 100; i++) console.log('line', i); process.exitCode = 1`;
    const { failure } = await runNode(code);
    expect(failure.message).toMatch(/^ {4}a\.cc:3: error: first\n {4}line 0\n/);
    expect(failure.message).not.toContain('line 99');
  });

  it('reports a program that does not exist, and one that was killed', async () => {
    const cwd = temporaryFolder();
    const missing = runLogged(['no-such-program'], { cwd, log: join(cwd, 'log'), fix: 'x' });
    await expect(missing).rejects.toThrow('ENOENT');
    const { failure } = await runNode("process.kill(process.pid, 'SIGKILL')");
    expect(failure.message).toContain('failed (SIGKILL)');
  });
});

describe('findProgram', () => {
  it('finds programs on PATH only', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program')).toBeUndefined();
  });
});
