/** The order of the rooms, kept; Biome's `noImportCycles` keeps the files inside them in order. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf, violations } from './architecture/checker.ts';
import { LEVELS } from './architecture/rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path}`);
}

describe('the source tree', () => {
  it('has files to check', () => {
    expect(sources()).toContain('src/base/shape.ts');
  });

  it('breaks no rule of the rooms', () => {
    const found = sources().flatMap((path) =>
      violations(path, readFileSync(join(root, path), 'utf8')),
    );
    expect(found).toEqual([]);
  });

  it('has no comment wider than 100 columns, but for addresses', () => {
    const wide = sources().flatMap((path) =>
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .filter((line) => line.length > 100 && /^\s*(\*|\/\/|\/\*\*)/.test(line))
        .filter((line) => !line.includes('https://'))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(wide).toEqual([]);
  });

  it('has the rooms that docs/architecture.md describes', () => {
    const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('|'));
    const described = rows.flatMap((row) =>
      [...row.split('|')[1]!.matchAll(/`src\/(\w+)\/`/g)].map((match) => match[1]),
    );
    expect(described).toEqual(LEVELS.flat());
  });
});

describe('importsOf', () => {
  it.each([
    ["import { a } from './a.ts';", './a.ts'],
    ["import type { A } from './a.ts';", './a.ts'],
    ["import {\n  a,\n  type B,\n} from './a.ts';", './a.ts'],
    ["import * as a from './a.ts';", './a.ts'],
    ["import a, { b } from './a.ts';", './a.ts'],
    ["import './a.ts';", './a.ts'],
    ["export { a } from './a.ts';", './a.ts'],
    ["export type { A } from './a.ts';", './a.ts'],
    ["export * from './a.ts';", './a.ts'],
    ["const a = await import('./a.ts');", './a.ts'],
  ])('reads %j', (source, name) => {
    expect(importsOf(source)).toEqual([name]);
  });

  it('reads past a statement that imports nothing', () => {
    const source =
      "// import { x } from './x.ts';\nexport const a = 1;\nimport { b } from './b.ts';";
    expect(importsOf(source)).toEqual(['./b.ts']);
  });
});

describe('violations', () => {
  it.each([
    ['a higher room', 'src/plan/a.ts', '../core/tensor.ts', 'plan is below core'],
    ['a room beside', 'src/nn/a.ts', '../optim/sgd.ts', 'nn stands beside optim'],
    ['a room it must not know', 'src/data/a.ts', '../nn/linear.ts', 'a data set knows no module'],
    ['a private folder', 'src/ops/a.ts', '../engine/native/cpu.ts', 'open to'],
    ['a folder that is no room', 'src/core/a.ts', '../misc/a.ts', 'in no room'],
    ['the public face', 'src/cli/a.ts', '../index.ts', 'public face'],
  ])('finds an import of %s', (_what, path, name, problem) => {
    expect(violations(path, `import { a } from '${name}';`)).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it('finds a source in a folder that is no room', () => {
    expect(violations('src/misc/a.ts', "import { a } from '../base/shape.ts';")).toHaveLength(1);
  });

  it.each([
    ["import { createRequire } from 'node:module';", 'may load native code'],
    ["addon = load('build/torchts.node');", 'may load native code'],
    ["import { spawn } from 'node:child_process';", 'may start other programs'],
  ])('finds %s outside its place', (source, problem) => {
    expect(violations('src/core/a.ts', source)).toEqual([expect.stringContaining(problem)]);
    expect(violations('src/core/a.ts', 'export const a = 1;')).toEqual([]);
  });

  it.each([
    ['src/cli/a.ts', '../base/errors.ts'],
    ['src/data/a.ts', '../io/atomic.ts'],
    ['src/core/device.ts', '../engine/native/cpu.ts'],
    ['src/index.ts', './engine/native/cpu.ts'],
  ])('lets %s import %s', (path, name) => {
    expect(violations(path, `import { a } from '${name}';`)).toEqual([]);
  });
});
