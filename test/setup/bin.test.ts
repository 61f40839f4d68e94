/**
 * `bin/torchts` in small projects of its own: the real scripts around a tiny engine and command.
 */

import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUp } from '../../scripts/setup/set-up.mjs';
import { allSteps } from '../../scripts/setup/steps.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const COMMAND = `
const [what] = process.argv.slice(2);
if (what === 'wait') {
  process.on('SIGTERM', () => process.exit(143));
  setTimeout(() => {}, 60_000);
}
process.stdout.write(\`ran \${what}\\n\`);
process.exitCode = Number(what ?? 0) || 0;
`;

const CMAKE = `
cmake_minimum_required(VERSION 3.18)
project(tiny CXX)
add_library(torchts MODULE tiny.cc)
set_target_properties(torchts PROPERTIES PREFIX "" SUFFIX ".node")
`;

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'torchts-bin-'));
  for (const path of ['bin', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(ROOT, path), join(project, path), { recursive: true });
  }
  mkdirSync(join(project, 'src/cli'), { recursive: true });
  mkdirSync(join(project, 'native'));
  writeFileSync(join(project, 'src/cli/main.ts'), COMMAND);
  writeFileSync(join(project, 'native/CMakeLists.txt'), CMAKE);
  writeFileSync(join(project, 'native/tiny.cc'), 'int tiny() { return 1; }\n');
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

function torchts(...args: string[]) {
  const env = { ...process.env, TORCHTS_ONEDNN: '0', TORCHTS_LAPACK: '0' };
  const run = spawnSync(join(project, 'bin/torchts'), args, { encoding: 'utf8', env });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** A time of modification no file had before. */
function touch(path: string) {
  utimesSync(join(project, path), 1, Math.random() * 1e9);
}

// Each test starts from what the one before it left.
describe('bin/torchts', () => {
  it('sets a fresh checkout up, then runs the command', () => {
    const { code, stdout, stderr } = torchts('7');
    expect(stderr).toMatch(/native engine: done/);
    expect(stderr).toMatch(/TypeScript: done/);
    expect(stdout).toBe('ran 7\n');
    expect(code).toBe(7);
  });

  it('has nothing to do the second time, and knows so at once', async () => {
    expect(torchts('3')).toEqual({ code: 3, stdout: 'ran 3\n', stderr: '' });
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      expect(await setUp(project, allSteps(project))).toBe(false);
      times.push(performance.now() - started);
    }
    expect(Math.min(...times)).toBeLessThan(30); // milliseconds
  });

  it('hands signals to the command', async () => {
    const child = spawn(join(project, 'bin/torchts'), ['wait']);
    const code = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(143);
  });

  it.each([
    ['native/tiny.cc', 'native engine: done', 'TypeScript: up to date'],
    ['src/cli/main.ts', 'native engine: up to date', 'TypeScript: done'],
  ])('builds again, and only that, when %s changes', (path, ...lines) => {
    touch(path);
    const { code, stderr } = torchts('0');
    for (const line of lines) expect(stderr).toContain(line);
    expect(code).toBe(0);
  });

  it('drops the output of a source that is gone', () => {
    const source = join(project, 'src/gone.ts');
    writeFileSync(source, 'export const a = 1;\n');
    torchts();
    expect(existsSync(join(project, 'dist/gone.d.ts'))).toBe(true);
    rmSync(source);
    torchts();
    expect(existsSync(join(project, 'dist/gone.d.ts'))).toBe(false);
  });

  it('builds again where the folder was moved to', () => {
    const moved = `${project}-moved`;
    renameSync(project, moved);
    project = moved;
    const { code, stderr } = torchts('0');
    expect(stderr).toContain('native engine: done');
    expect(code).toBe(0);
  });

  it('does not run the command when a build fails, and quotes the compiler', () => {
    writeFileSync(join(project, 'native/tiny.cc'), 'int tiny() { return undeclared; }\n');
    const { code, stdout, stderr } = torchts('0');
    expect(stderr).toMatch(/error: .*undeclared/);
    expect(stderr).toMatch(/\ntorchts: set-up failed\. To fix it: .*\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    writeFileSync(join(project, 'native/tiny.cc'), 'int tiny() { return 1; }\n');
    expect(torchts('0').code).toBe(0);
  });

  it('compiles no TypeScript in an installed package', () => {
    rmSync(join(project, 'src'), { recursive: true });
    rmSync(join(project, 'build'), { recursive: true });
    const { code, stdout, stderr } = torchts('5');
    expect(stderr).toContain('[2/2] native engine: done');
    expect(stderr).not.toContain('TypeScript');
    expect(stdout).toBe('ran 5\n');
    expect(code).toBe(5);
  });
});
